"""The policy: which follow-up run to try next, and why."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tbdiag.advisor.doses import Doses
from tbdiag.advisor.moves import jittered, patterns, repeated
from tbdiag.advisor.prescribe import BUDGET, Changes, Desk, Prescription, Space
from tbdiag.advisor.rates import TOO_HIGH, TOO_LOW
from tbdiag.advisor.recipes import recipes
from tbdiag.advisor.record import Record, best, equal, same
from tbdiag.config.settings import Value
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Origin, Params, State
from tbdiag.model.run import Scalar
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import numeric

# What a finding forbids others to ask for: (knob, up).
_FORBIDS: Mapping[str, frozenset[tuple[Knob, bool]]] = {
    **dict.fromkeys(TOO_HIGH, frozenset({(Knob.LR, True), (Knob.BATCH_SIZE, False)})),
    **dict.fromkeys(TOO_LOW, frozenset({(Knob.LR, False), (Knob.WEIGHT_DECAY, True)})),
    "GEN001": frozenset({(Knob.WIDTH, True), (Knob.DEPTH, True), (Knob.EPOCHS, True)}),
    "GEN003": frozenset({(Knob.WEIGHT_DECAY, True), (Knob.DROPOUT, True)}),
    "GRD003": frozenset({(Knob.WEIGHT_DECAY, True)}),
}

_NO_GAIN = 0.02  # of the objective: what is less says nothing about a change

Sampler = Callable[[], Params | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which parts of the policy are in use, and when."""

    doses: Doses = field(default_factory=Doses)
    diagnosis: bool = True  # bundles and single remedies
    repeat: bool = True
    pattern: bool = True
    jitter: bool = True
    sampler: bool = True
    control_at: int = 3  # the follow-up that is a control; 0 for none
    patience: int = 6  # follow-ups without progress, then recipes and the sampler
    jitter_from: int = 5  # from this follow-up on, every second one is jitter
    draws: int = 8  # of jitter, where one after the other was tried before


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Move:
    """What to try: the settings in full, the run they start from, and why."""

    origin: Origin
    parent: Record
    params: Params
    why: str
    answers: tuple[Finding, ...] = ()
    advice: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Position:
    """All that is known: comparable ``records`` in the order in which they came, the ``start`` among them.

    ``pending`` are settings that run at this moment, ``failed`` those that could not be judged: they
    are not tried again either. ``name`` seeds what is left to chance.
    """

    records: Sequence[Record]
    start: Record
    space: Space
    pending: Sequence[Params] = ()
    failed: Sequence[Params] = ()
    name: str = ""

    @property
    def followups(self) -> list[Record]:
        """The runs that were proposed, repeats on other seeds aside."""
        return [each for each in self.records if each.origin not in (None, Origin.REPEAT)]

    @property
    def count(self) -> int:
        """How many follow-ups were tried or are on their way."""
        return len(self.followups) + len(self.failed) + len(self.pending)

    @property
    def eligible(self) -> list[Record]:
        """The runs that the search may go on from."""
        return [each for each in self.records if each.origin is not Origin.REPEAT] or [self.start]

    @property
    def best(self) -> Record:
        """The best run so far; the start where nothing is better."""
        found = best(self.eligible)
        return found if found.loss < self.start.loss else self.start

    @property
    def idle(self) -> int:
        """How many follow-ups came since the last one that was better than all before."""
        level, since = min((r.loss for r in self.eligible if r.origin is None), default=np.inf), 0
        for each in self.followups:
            since = 0 if each.loss < level else since + 1
            level = min(level, each.loss)
        return since + len(self.failed)

    def tried(self, params: Mapping[str, Scalar]) -> bool:
        """Whether a run with these settings exists, runs, or could not be judged."""
        known = (*(each.params for each in self.records), *self.pending, *self.failed)
        return any(same(each, params) for each in known)


def propose(
    position: Position, policy: Policy | None = None, sampler: Sampler | None = None
) -> Move | None:
    """The next follow-up run, None where nothing is left to try.

    The order is that of the measured policy: from the best run so far a bundle of what answers its root
    findings, then one answer at a time; what has just paid once more; the third follow-up is a
    control. A healthy run is moved in small steps, later every second one is jittered. After some
    follow-ups without progress come the other recipes, then ``sampler``.
    """
    policy = policy or Policy()
    moves = _moves(position, policy, sampler)
    return next((move for move in moves if not position.tried(move.params)), None)


def proposals(position: Position, n: int, policy: Policy | None = None) -> list[Move]:
    """The next ``n`` follow-up runs if all of them started at once; fewer where no more are left."""
    found: list[Move] = []
    for _ in range(n):
        ahead = Position(
            records=position.records,
            start=position.start,
            space=position.space,
            pending=[*position.pending, *(each.params for each in found)],
            failed=position.failed,
            name=position.name,
        )
        move = propose(ahead, policy)
        if move is None:
            break
        found.append(move)
    return found


def problem(position: Position, policy: Policy | None = None) -> tuple[Finding, ...]:
    """What is to be solved: root findings of the start that an exposed setting can answer.

    Mere notes are a problem only where nothing graver is.
    """
    doses = (policy or Policy()).doses
    found = answerable(position.start, position, doses)
    graver = tuple(each for each in found if each.severity is not Severity.NOTE)
    return graver or found


def answerable(record: Record, position: Position, doses: Doses) -> tuple[Finding, ...]:
    """The root findings of a run that an exposed setting can answer."""
    desk = Desk.on(record, position.space, position.records, doses)
    return tuple(f for f in record.roots if any(True for _ in desk.prescriptions(f)))


def _moves(position: Position, policy: Policy, sampler: Sampler | None) -> Iterator[Move]:
    number = position.count + 1
    lead = position.best
    desk = Desk.on(lead, position.space, position.records, policy.doses)
    if number == policy.control_at:
        yield from _controls(desk)
    if policy.patience and position.idle >= policy.patience:
        yield from _controls(desk)
        yield from _sampled(position, policy, sampler)
    wild = policy.jitter and number >= policy.jitter_from and number % 2 == 0
    if wild and not (policy.diagnosis and _untried(position, desk, policy)):
        yield from _jitter(position, policy, desk)
    if policy.diagnosis:
        yield from _answers(position, desk, policy)
    if policy.repeat:
        yield from _repeats(position, desk)
    if policy.diagnosis:
        yield from _left_over(position, desk)
    if policy.pattern:
        yield from _patterns(desk)
    if policy.jitter:
        yield from _jitter(position, policy, desk)
    yield from _sampled(position, policy, sampler)


def _untried(position: Position, desk: Desk, policy: Policy) -> bool:
    """Whether an answer to the diagnosis is still to be tried."""
    return any(not position.tried(each.params) for each in _answers(position, desk, policy))


def _answers(position: Position, desk: Desk, policy: Policy) -> Iterator[Move]:
    """The bundle, then the answers to each root finding one by one; none that has proved futile."""
    futile = _futile(position)
    asked = {each.code for each in problem(position, policy)}
    for move in _all_answers(desk):
        signature = _signature(desk.record.params, move.params)
        longer = any(knob(name) in BUDGET for name, _ in signature)
        if longer and not asked.issuperset(each.code for each in move.answers):
            continue  # at another budget nothing could be told beside the start
        if signature not in futile:
            yield move


def _futile(position: Position) -> set[frozenset[tuple[str, str]]]:
    """Changes that answered a finding and left both it and the objective where they were.

    Those of the rate are not among them: what they lack is size.
    """
    by_id = {each.id: each for each in position.records}
    found = set()
    for each in position.followups:
        parent = by_id.get(each.parent)
        if parent is None or each.origin is not Origin.REMEDY:
            continue
        still = {f.code for f in each.roots} & {f.code for f in parent.roots}
        if still and each.loss > parent.loss - _NO_GAIN * abs(parent.loss):
            signature = _signature(parent.params, each.params)
            if not any(knob(name) is Knob.LR for name, _ in signature):
                found.add(signature)
    return found


def _signature(before: Params, after: Params) -> frozenset[tuple[str, str]]:
    """Which settings change, and in which direction."""
    changes = set()
    for name, value in after.items():
        was = before.get(name)
        if equal(value, was):
            continue
        one, other = numeric(was), numeric(value)
        up = "up" if one is not None and other is not None and other > one else "down"
        changes.add((name, str(value) if one is None or other is None else up))
    return frozenset(changes)


def _all_answers(desk: Desk) -> Iterator[Move]:
    roots = desk.record.roots
    written = [(finding, list(desk.prescriptions(finding))) for finding in roots]
    advice = tuple(dict.fromkeys(word for each in roots for word in desk.advice(each)))
    chosen: dict[str, Value] = {}
    answered: list[Finding] = []
    reasons: list[str] = []
    banned = _banned(roots)
    for finding, choices in written:
        first = next((each for each in choices if each.bundled), None)
        fitting = {} if first is None else _fitting(desk, first, chosen, banned, finding)
        if first is not None and fitting:
            chosen.update(fitting)
            answered.append(finding)
            reasons.append(f"{finding.name} ({finding.code}): {first.because}")
    if chosen:
        yield _move(desk, Origin.REMEDY, chosen, "; ".join(reasons), tuple(answered), advice)
    for finding, choices in written:
        for each in choices:
            fitting = _fitting(desk, each, {}, banned, finding)
            if fitting:
                why = f"{finding.name} ({finding.code}): {each.because}"
                yield _move(desk, Origin.REMEDY, fitting, why, (finding,), advice)


def _left_over(position: Position, desk: Desk) -> Iterator[Move]:
    """What answers the start's findings, on a better run that no longer shows them.

    Such a run may be better by luck, or the finding be gone by a hair. Rates are no part of it: what
    is known of them is in the bracket.
    """
    shown = {each.code for each in desk.record.roots} | TOO_HIGH | TOO_LOW
    for finding in position.start.roots if desk.record is not position.start else ():
        if finding.code in shown:
            continue
        for each in desk.prescriptions(finding):
            if any(knob(name) in BUDGET for name in each.changes):
                continue
            because = f"{each.because}: what answers {finding.code}, from the best run"
            yield _move(desk, Origin.REMEDY, each.changes, because)


def _banned(roots: Sequence[Finding]) -> dict[tuple[Knob, bool], str]:
    return {pair: each.code for each in roots for pair in _FORBIDS.get(each.code, ())}


def _fitting(
    desk: Desk,
    prescription: Prescription,
    taken: Changes,
    banned: Mapping[tuple[Knob, bool], str],
    finding: Finding,
) -> dict[str, Value]:
    """The changes that no other finding forbids and that are not decided yet."""
    kept: dict[str, Value] = {}
    for name, value in prescription.changes.items():
        before, after = numeric(desk.record.params.get(name)), numeric(value)
        known = knob(name)
        if name in taken:
            continue
        if known is not None and before is not None and after is not None:
            by = banned.get((known, after > before))
            if by is not None and by != finding.code:
                continue
        kept[name] = value
    return kept


def _controls(desk: Desk) -> Iterator[Move]:
    for name, changes in recipes(desk):
        why = f"a control that the diagnosis had no hand in: {name}"
        yield _move(desk, Origin.CONTROL, changes, why, desk.record.roots)


def _repeats(position: Position, desk: Desk) -> Iterator[Move]:
    lead = desk.record
    parent = next((each for each in position.records if each.id == lead.parent), None)
    latest = position.followups[-1] if position.followups else None
    if parent is not None and latest is lead and lead.loss < parent.loss:
        changes = repeated(desk, parent)
        if changes:
            yield _move(desk, Origin.MOVE, changes, "what has just paid, once more")


def _patterns(desk: Desk) -> Iterator[Move]:
    for why, changes in patterns(desk):
        if changes:
            yield _move(desk, Origin.MOVE, changes, f"{why}, from the best run")


def _jitter(position: Position, policy: Policy, desk: Desk) -> Iterator[Move]:
    seed = zlib.crc32(f"{position.name}\0{position.count}".encode())
    rng = np.random.default_rng(seed)
    for _ in range(policy.draws):
        changes = jittered(desk, rng)
        if changes:
            yield _move(desk, Origin.MOVE, changes, "a random step around the best run")


def _sampled(position: Position, policy: Policy, sampler: Sampler | None) -> Iterator[Move]:
    if sampler is None or not policy.sampler:
        return
    found = sampler()
    if found is not None:
        base = {name: found.get(name, value) for name, value in position.best.params.items()}
        yield Move(
            origin=Origin.SAMPLER,
            parent=position.best,
            params=base,
            why="the sampler's choice, after follow-ups without progress",
        )


def _move(
    desk: Desk,
    origin: Origin,
    changes: Changes,
    why: str,
    answers: tuple[Finding, ...] = (),
    advice: tuple[str, ...] = (),
) -> Move:
    return Move(
        origin=origin,
        parent=desk.record,
        params={**desk.record.params, **changes},
        why=why,
        answers=answers,
        advice=advice,
    )


def budget(params: Params) -> Mapping[str, Scalar]:
    """The settings that say how long a run is."""
    return {name: value for name, value in params.items() if knob(name) in BUDGET}


def judged(state: State) -> bool:
    """Whether a trial that ended so tells something about its settings."""
    return state in (State.FINISHED, State.KILLED)
