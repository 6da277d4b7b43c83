"""Whether a follow-up run proved its fix: by the same rules, beyond noise, at the same price."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tbdiag.advisor.prescribe import BUDGET
from tbdiag.advisor.record import Record, equal
from tbdiag.detectors.search.difference_within_noise import DifferenceWithinNoise
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.proposal import Decision, Params, State, Verdict
from tbdiag.model.report import Crashed, Fired, NotApplicable, Outcome, Passed, Skipped
from tbdiag.model.run import Run, Scalar
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import canonical
from tbdiag.search.entrant import Entrant
from tbdiag.search.noise import noise

DOUBTS = ("VAL001", "VAL002")  # findings that block a verdict: validation tells too little
_ROUNDED = 1e-3  # relative: what settings lose on their way through float32 and text


@dataclass(frozen=True, slots=True, kw_only=True)
class Gain:
    """By how much the objective got better from ``before`` to ``after``, and what is ``noise``.

    ``by`` is positive for better, infinite where the run before failed; ``noise`` None where it is not
    known.
    """

    before: float | None
    after: float
    by: float
    noise: float | None

    @property
    def sure(self) -> bool:
        """Whether it is better beyond noise."""
        return self.before is None or (self.noise is not None and self.by > self.noise)

    @property
    def worse(self) -> bool:
        """Whether it is worse beyond noise."""
        return self.noise is not None and self.by < -self.noise


def judge(
    after: Record,
    before: Record,
    *,
    answers: Sequence[Finding],
    rule: DifferenceWithinNoise | None = None,
    reason: str = "",
    repeats: Sequence[Record] = (),
    earlier: Sequence[Record] = (),
    budget: str | None = None,
) -> Verdict:
    """The verdict on a follow-up run ``after`` that was to clear ``answers`` of the run ``before``.

    CONFIRMED if the findings are gone by the same rules, the objective is better by more than
    2√2·max(deviation by seed, error of the validation set) at the same budget, and nothing worse
    appeared. ``rule`` holds the thresholds of that noise. ``repeats`` are runs with the settings of
    ``after`` on other seeds, ``earlier`` such of ``before``: results are then compared by their means
    and the deviation is measured. ``reason`` says why a run that did not finish ended, ``budget`` names
    the setting that costs time.
    """
    wanted = tuple(dict.fromkeys(each.code for each in answers))
    told = _codes(after, wanted)
    introduced = _introduced(after, before)
    verdict = _Draft(
        cleared=told.cleared, persisting=told.persisting, introduced=introduced, before=before.value
    )
    if (ended := _ended(after, reason)) is not None:
        return verdict.decided(*ended)
    if after.run is not None and (off := mismatches(after.run, after.params)):
        return verdict.decided(
            Decision.INCONCLUSIVE,
            f"the run logged {' and '.join(off)}: it is not what was asked for",
        )
    gain = _gain(after, before, repeats, earlier, rule or DifferenceWithinNoise())
    if gain is None:
        return verdict.decided(Decision.INCONCLUSIVE, "the run logged no objective to judge it by")
    verdict = verdict.measured(gain, repeats)
    again = tuple(dict.fromkeys(c for each in repeats for c in _codes(each, wanted).persisting))
    decision = _decide(_Case(after, before, gain, told, again, budget))
    return verdict.decided(*decision)


def mismatches(run: Run, params: Params) -> list[str]:
    """``lr 0.01 where 0.001 was asked for``, for each setting that the run logged otherwise.

    Names are compared as what they stand for; settings that were not logged tell nothing.
    """
    logged: dict[str, Scalar] = {}
    for name, hparam in run.hparams.items():
        logged.setdefault(canonical(name), hparam.value)
        logged[name] = hparam.value
    found = []
    for name, asked in params.items():
        key = name if name in logged else canonical(name)
        if key in logged and asked is not None and not equal(logged[key], asked, _ROUNDED):
            found.append(f"{name} {logged[key]} where {asked} was asked for")
    return found


@dataclass(frozen=True, slots=True)
class _Told:
    """What the same rules say of findings: gone, still there, or they cannot tell."""

    cleared: tuple[str, ...]
    persisting: tuple[str, ...]
    untold: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Case:
    after: Record
    before: Record
    gain: Gain
    told: _Told
    again: tuple[str, ...]  # persisting in a repeat
    budget: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    cleared: tuple[str, ...]
    persisting: tuple[str, ...]
    introduced: tuple[str, ...]
    before: float | None = None
    after: float | None = None
    noise: float | None = None
    repeats: Mapping[str, float] | None = None

    def measured(self, gain: Gain, repeats: Sequence[Record]) -> _Draft:
        seeds = {
            " ".join(str(v) for v in each.entrant.seeds.values()) or each.id: each.value
            for each in repeats
            if each.entrant is not None and each.value is not None
        }
        return _Draft(
            cleared=self.cleared,
            persisting=self.persisting,
            introduced=self.introduced,
            before=gain.before,
            after=gain.after,
            noise=gain.noise,
            repeats=seeds,
        )

    def decided(self, decision: Decision, reason: str) -> Verdict:
        return Verdict(
            decision=decision,
            reason=reason,
            cleared=self.cleared,
            persisting=self.persisting,
            introduced=self.introduced,
            before=self.before,
            after=self.after,
            noise=self.noise,
            repeats=self.repeats or {},
        )


def _codes(after: Record, wanted: Sequence[str]) -> _Told:
    outcomes = {} if after.report is None else after.report.outcomes
    there = {each.code for each in after.report.findings} if after.report is not None else set()
    gone = [c for c in wanted if _silent(outcomes.get(c)) and c not in there]
    still = [c for c in wanted if c in there]
    untold = [c for c in wanted if c not in gone and c not in still]
    return _Told(tuple(gone), tuple(still), tuple(untold))


def _silent(outcome: Outcome | None) -> bool:
    """Whether a rule looked and found nothing: enough beside a run of the same kind where it did."""
    return isinstance(outcome, Passed) or (isinstance(outcome, NotApplicable) and outcome.looked)


def _introduced(after: Record, before: Record) -> tuple[str, ...]:
    known = set() if before.report is None else {each.code for each in before.report.findings}
    return tuple(dict.fromkeys(each.code for each in after.roots if each.code not in known))


def _ended(after: Record, reason: str) -> tuple[Decision, str] | None:
    because = f": {reason}" if reason else ""
    match after.state:
        case State.KILLED:
            return Decision.REFUTED, f"the run was hopeless and was ended{because}"
        case State.FAILED:
            return Decision.INCONCLUSIVE, f"the run failed{because}"
        case State.TIMED_OUT:
            return Decision.INCONCLUSIVE, f"too short to tell: the run took too long{because}"
        case State.INTERRUPTED | State.RUNNING:
            return Decision.INCONCLUSIVE, f"the run was interrupted{because}"
        case _:
            return None


def _gain(
    after: Record,
    before: Record,
    repeats: Sequence[Record],
    earlier: Sequence[Record],
    rule: DifferenceWithinNoise,
) -> Gain | None:
    if after.entrant is None:
        return None
    ours, theirs = [after, *repeats], [before, *earlier]
    groups = [[e for each in side if (e := each.entrant) is not None] for side in (ours, theirs)]
    chance = noise(
        [each for group in groups for each in group],
        metric_sd=rule.metric_sd,
        loss_sd=rule.loss_sd,
        weight=rule.weight,
        repeats=groups,
    )
    now, then = _mean(ours), _mean(theirs)
    if now is None:  # it never got anywhere
        bad = -math.inf if after.entrant.objective.higher else math.inf
        return None if then is None else Gain(before=then, after=bad, by=-math.inf, noise=0.0)
    limit = None if chance is None else chance.limit(rule.factor, len(ours), len(theirs))
    if then is None:
        return Gain(before=None, after=now, by=math.inf, noise=limit)
    by = now - then if after.entrant.objective.higher else then - now
    return Gain(before=then, after=now, by=by, noise=limit)


def _mean(records: Sequence[Record]) -> float | None:
    """The mean objective of repeats, None where one of them failed."""
    values = [each.value for each in records]
    numbers = [each for each in values if each is not None]
    return sum(numbers) / len(numbers) if len(numbers) == len(values) else None


def _decide(case: _Case) -> tuple[Decision, str]:
    told, gain = case.told, case.gain
    change = _change(gain, _objective(case.after))
    are = "is" if len(told.persisting) == 1 else "are"
    still = f"{_names(case.after, told.persisting)} {are} still there"
    worse = _worse(case.after, case.before)
    if gain.worse:
        return Decision.REFUTED, f"{change}, beyond noise"
    if told.persisting and gain.sure:
        return Decision.INCONCLUSIVE, f"{change}, but {still}"
    if told.persisting:
        return Decision.REFUTED, f"{still}, and {change}"
    if case.again:
        codes = " and ".join(case.again)
        return Decision.REFUTED, f"{codes} came back on another seed"
    if told.untold:
        return Decision.INCONCLUSIVE, _untold(case.after, told.untold)
    if worse:
        return Decision.REFUTED, f"{_names(case.after, worse)} appeared, which is worse"
    are = "is" if len(told.cleared) == 1 else "are"
    gone = f"{' and '.join(told.cleared)} {are} gone" if told.cleared else ""
    doubts = [each for each in case.after.roots if each.code in DOUBTS]
    if doubts:
        because = f"{doubts[0].name} ({doubts[0].code}) lets no difference be told"
        return Decision.INCONCLUSIVE, f"{gone}, but {because}" if gone else because
    if gain.noise is None:
        because = "how much results vary by chance is not known: repeats would tell"
        return Decision.INCONCLUSIVE, f"{gone}, and {change}, but {because}" if gone else because
    if not gain.sure:
        return Decision.INCONCLUSIVE, f"{gone}, but {change}" if gone else change
    longer = _budget(case)
    if longer:
        return Decision.INCONCLUSIVE, f"{f'{gone} and ' if gone else ''}{change}, but {longer}"
    return Decision.CONFIRMED, f"{gone}, and {change}" if gone else change


def _objective(record: Record) -> str:
    entrant: Entrant | None = record.entrant
    return "the objective" if entrant is None else f"the {entrant.objective.phrase}"


def _change(gain: Gain, what: str) -> str:
    if gain.before is None:
        return f"{what} is {gain.after:.4g} where the run before had none to the end"
    moved = f"{what} went from {gain.before:.4g} to {gain.after:.4g}"
    if gain.noise is None or gain.sure or gain.worse:
        return moved
    return f"{moved}, which is within the noise of {gain.noise:.2g}"


def _names(record: Record, codes: Sequence[str]) -> str:
    names = {each.code: each.name for each in record.report.findings} if record.report else {}
    return " and ".join(f"{names[c]} ({c})" if c in names else c for c in codes)


def _untold(after: Record, codes: Sequence[str]) -> str:
    outcome = None if after.report is None else after.report.outcomes.get(codes[0])
    match outcome:
        case Crashed(error):
            why = f"the rule failed ({error})"
        case Skipped(reason):
            why = reason
        case Fired() | Passed() | None:
            why = "the rule was not asked"
        case _:
            why = outcome.reason
    return f"whether {codes[0]} is gone cannot be told: {why}"


def _worse(after: Record, before: Record) -> tuple[str, ...]:
    """Codes of new findings that are more severe than anything that the run before had."""
    had = min((each.severity.rank for each in before.roots), default=Severity.NOTE.rank)
    known = {each.code for each in before.roots}
    return tuple(
        dict.fromkeys(
            each.code for each in after.roots if each.code not in known and each.severity.rank < had
        )
    )


def _budget(case: _Case) -> str:
    """Why the two runs are not of the same price, empty where they are or where that was the point."""
    after, before = case.after.params, case.before.params
    costs = [n for n in after if knob(n) in BUDGET or n == case.budget]
    other = [n for n in costs if not equal(after[n], before.get(n))]
    turned = [n for n in after if not equal(after[n], before.get(n))]
    if not other or set(turned) <= set(other):
        return ""
    return f"at another budget: {', '.join(f'{n} {before.get(n)} → {after[n]}' for n in other)}"
