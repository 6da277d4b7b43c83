"""What answers a diagnosis: bundles, single remedies, and what is left of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from tbdiag.advisor.doses import Doses
from tbdiag.advisor.position import Move, Position, moved
from tbdiag.advisor.prescribe import BUDGET, Changes, Desk, Prescription
from tbdiag.advisor.rates import TOO_HIGH, TOO_LOW
from tbdiag.advisor.record import Record, equal
from tbdiag.config.training import Value
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Origin, Params
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


def problem(position: Position, doses: Doses) -> tuple[Finding, ...]:
    """What is to be solved: root findings of the start that an exposed setting can answer.

    Mere notes are a problem only where nothing graver is: what else a damaged log seems to show, say,
    may be its damage.
    """
    found = answerable(position.start, position, doses)
    if any(each.severity is not Severity.NOTE for each in position.start.roots):
        return tuple(each for each in found if each.severity is not Severity.NOTE)
    return found


def answerable(record: Record, position: Position, doses: Doses) -> tuple[Finding, ...]:
    """The root findings of a run that an exposed setting can answer."""
    desk = Desk.on(record, position.space, position.known, doses)
    return tuple(f for f in record.roots if any(True for _ in desk.prescriptions(f)))


def answers(position: Position, desk: Desk) -> Iterator[Move]:
    """The bundle, then the answers to each root finding one by one; none that has proved futile."""
    futile = _futile(position)
    asked = {each.code for each in problem(position, desk.doses)}
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
        yield moved(desk, Origin.REMEDY, chosen, "; ".join(reasons), tuple(answered), advice)
    for finding, choices in written:
        for each in choices:
            fitting = _fitting(desk, each, {}, banned, finding)
            if fitting:
                why = f"{finding.name} ({finding.code}): {each.because}"
                yield moved(desk, Origin.REMEDY, fitting, why, (finding,), advice)


def left_over(position: Position, desk: Desk) -> Iterator[Move]:
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
            yield moved(desk, Origin.REMEDY, each.changes, because)


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
