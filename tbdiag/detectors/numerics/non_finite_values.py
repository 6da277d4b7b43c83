"""NUM001: a loss, gradient, weight norm or metric is NaN or infinite."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.numerics import calming
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.synth import a_run, decay, flat, noisy

_LOSSES = (
    Role.TRAIN_LOSS,
    Role.BATCH_LOSS,
    Role.POLICY_LOSS,
    Role.VALUE_LOSS,
    Role.D_LOSS,
    Role.G_LOSS,
    Role.DATA_LOSS,
    Role.REGULARIZATION_LOSS,
    Role.VAL_LOSS,
)
_INSIDE = (Role.GRAD_NORM, Role.WEIGHT_NORM, Role.UPDATE_RATIO)
_METRICS = (
    Role.TRAIN_METRIC,
    Role.VAL_METRIC,
    Role.BALANCED_METRIC,
    Role.REWARD,
    Role.VAL_REWARD,
    Role.KL,
    Role.ENTROPY,
)
_WATCHED = (*_LOSSES, *_INSIDE, *_METRICS)
# A curve with no finite point may have got no role, and a layer's norm never has one.
_LOSS_WORD = re.compile(r"loss(?!.?scale)|cross.?entropy|nll", re.IGNORECASE)
_INSIDE_WORD = re.compile(r"grad|weight.?norm", re.IGNORECASE)

_HALF = 0.51  # of a loss scale, which an overflow leaves

IN_DATA = (
    Remedy.advice(
        "Log which batch it was, and look at its samples",
        "an empty batch, a label out of range or the log of zero shows up there again",
    ),
    Remedy.advice(
        "Guard the divisions, logarithms and roots of the loss with a small constant",
        "0/0 and log 0 are NaN and −Inf whatever the learning rate",
    ),
)
IN_EVALUATION = (
    Remedy.advice(
        "Evaluate in float32 and check that every validation batch holds a sample that counts",
        "training stays finite, so it is the evaluation that divides by zero or overflows",
    ),
)


@dataclass(frozen=True, slots=True)
class _Break:
    """A curve that stopped being finite at ``onset``; ``lasting`` up to its end."""

    curve: Series
    role: Role | None
    onset: int
    lasting: bool

    @property
    def name(self) -> str:
        return self.role.phrase if self.role else self.curve.tag

    @property
    def share(self) -> float:
        return len(self.curve.nonfinite) / self.curve.logged

    @property
    def word(self) -> str:
        nan = np.isnan(self.curve.nonfinite.values)
        return "NaN" if nan.all() else "NaN or infinite" if nan.any() else "infinite"

    @property
    def is_loss(self) -> bool:
        return _is_loss(self.curve, self.role)

    @property
    def in_training(self) -> bool:
        return self.role not in (Role.VAL_LOSS, *_METRICS)

    @property
    def rank(self) -> tuple[bool, int, str]:
        """The curve that tells most comes first, whichever broke first."""
        place = _WATCHED.index(self.role) if self.role else len(_WATCHED)
        return not self.lasting, place, self.curve.tag

    @property
    def evidence(self) -> Evidence:
        bad = self.curve.nonfinite.steps
        return Evidence(
            tag=self.curve.tag,
            span=(self.onset, int(bad[-1])),
            note=f"{self.word} {'to the end' if self.lasting else 'again and again'}",
            measures=(Measure("onset_step", self.onset), Measure("share", self.share)),
        )


@dataclass(frozen=True, kw_only=True)
class NonFiniteValues(Detector):
    """A loss, a gradient or a metric is NaN or infinite.

    ## What it does

    Looks for NaN and infinite values in the losses, the gradient and weight norms and the metrics,
    says where they begin, and which curve was first.

    ## Why is this bad?

    NaN spreads: once it is in a weight, every later loss and every later weight is NaN. All the
    time after the first step is lost, and the last checkpoint is worthless.

    ## How it is detected

    A loss whose last points are not finite is an error. So is a gradient norm or weight norm, and
    a metric on its own a warning, where that concerns `lasting` points or more at the end. Where
    a curve came back, it is reported only if more than the share `skipped` of its points is not
    finite, `stretch` of them at least, or, for a loss, `stretch` in a row. Curves are put in order
    by the wall time at which they broke; at most `shown` are listed. Where no more than the share
    `at_once` of the points came before, the proposed cut of the learning rate is larger.

    ## Remedy

    A tenth of the learning rate, or a thirtieth where it happened at once; then warm-up, clipping
    and another number format. If even a thousandth of the rate ends like this, it is the data.

    ## False alarms

    Mixed precision skips single steps whose gradient overflows and searches for its scale at the
    start: with a loss scale logged, a gradient norm that comes back is fine, and so is a loss as long as the
    scale halves from its first record on. A metric or a part of
    the loss that is NaN from the first point to the last, while the loss is finite, is just not in
    use. So are rewards before the first episode has ended.

    ## References

    Micikevicius et al., "Mixed precision training" (2018).
    """

    code, severity, since = "NUM001", Severity.ERROR, "0.1.0"
    explains = (
        *("NUM002", "NUM003", "NUM004", "NUM005"),
        *("GRD001", "GRD002", "GRD003", "GRD004", "GRD005", "GRD006"),
        *("OPT001", "OPT002", "OPT003", "OPT004", "OPT005", "OPT006", "OPT008", "OPT009", "OPT010"),
        *("GEN002", "GEN003", "GEN004", "GEN005", "VAL002", "VAL003", "VAL004"),
        *("RLX001", "RLX002", "RLX003", "RLX004", "GAN001"),
    )
    supervised = False

    skipped: Annotated[
        float, Threshold("share of points that may be skipped", at_least=0, at_most=1)
    ] = 0.05
    stretch: Annotated[int, Threshold("points in a row that are no skipped step", at_least=2)] = 5
    lasting: Annotated[int, Threshold("points at the end of a norm or metric", at_least=1)] = 3
    at_once: Annotated[
        float, Threshold("share of points before an immediate break", at_least=0, at_most=1)
    ] = 0.05
    shown: Annotated[int, Threshold("most curves listed as evidence", at_least=1)] = 6

    def cannot_tell(self, case: Case) -> str | None:
        if not case.lengths.keys().isdisjoint(_WATCHED) or _watched(case):
            return None
        return "no loss, gradient norm or metric was recognised"

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding that lists the broken curves, the most telling first."""
        if not any(len(each.nonfinite) for each in case.run.series.values()):
            return
        scaled = case.curve(Role.LOSS_SCALE)
        broken, finite_loss = [], False
        for curve, role in _watched(case):
            each = self._broken(curve, role, scaled)
            if each is not None:
                broken.append(each)
            elif _is_loss(curve, role) and len(curve):
                finite_loss = True
        if finite_loss:
            broken = [each for each in broken if not _unused(each)]
        if not broken:
            return
        broken.sort(key=lambda each: each.rank)
        start = min((float(c.wall_times[0]) for c in case.run.series.values() if len(c)), default=0)
        main, first = broken[0], min(broken, key=lambda each: _when(each, start))
        yield self.finding(
            _sentence(main, first),
            *(each.evidence for each in broken[: self.shown]),
            severity=_severity(broken),
            confidence=self._confidence(broken),
            remedies=self._remedies(case, broken, first),
        )

    def _broken(self, curve: Series, role: Role | None, scaled: Series | None) -> _Break | None:
        bad, good = curve.nonfinite.steps, curve.steps
        if not len(bad):
            return None
        loss = _is_loss(curve, role)
        end = bad[bad > good[-1]] if len(good) else bad
        if len(end) >= (1 if loss else self.lasting):
            return _Break(curve, role, int(end[0]), lasting=True)
        if scaled is not None and loss:
            bad = bad[bad > _searched(scaled)]  # the scale was still searched for
            if not len(bad):
                return None
        if not loss:
            if scaled is not None and role not in _METRICS:
                return None
            bad = bad[bad > good[0]] if len(good) else bad[:0]
        often = len(bad) >= self.stretch and len(bad) > self.skipped * curve.logged
        if often or (loss and _longest(bad, good) >= self.stretch):
            return _Break(curve, role, int(bad[0]), lasting=False)
        return None

    def _confidence(self, broken: list[_Break]) -> Confidence:
        main = broken[0]
        if main.lasting and (len(broken) > 1 or len(main.curve.nonfinite) >= self.lasting):
            return Confidence.HIGH
        return Confidence.MEDIUM

    def _remedies(self, case: Case, broken: list[_Break], first: _Break) -> tuple[Remedy, ...]:
        if not any(each.in_training for each in broken):
            return IN_EVALUATION
        if not any(each.lasting for each in broken):
            return IN_DATA
        before = int((first.curve.steps < first.onset).sum())
        immediate = before <= self.at_once * first.curve.logged
        return calming(case, until=first.onset, divisor=30 if immediate else 10)

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Losses that end in NaN early and late; skipped steps and unused metrics as traps."""
        loss = noisy(decay(60, 2.3, 0.2), 0.02)
        batch = noisy(decay(600, 2.3, 0.2), 0.1)
        yield fires("NaN to the end", a_run({Role.TRAIN_LOSS: _nan(loss, 40)}), onset=41)
        yield fires(
            "overflow, then NaN",
            a_run({Role.TRAIN_LOSS: np.concatenate([loss[:30], [1e30, np.inf], flat(28, np.nan)])}),
            onset=31,
        )
        yield fires("stopped at the first NaN", a_run({Role.TRAIN_LOSS: _nan(loss, 59)}), onset=60)
        yield fires(
            "NaN from the first epoch on",
            a_run({Role.TRAIN_LOSS: flat(10, np.nan), Role.BATCH_LOSS: _nan(batch, 20)}),
        )
        yield fires(
            "gradient first",
            a_run({Role.TRAIN_LOSS: _nan(loss, 40), Role.GRAD_NORM: _nan(flat(60, 1.5), 38)}),
            onset=39,
        )
        yield fires(
            "validation alone",
            a_run({Role.TRAIN_LOSS: loss, Role.VAL_LOSS: _nan(loss, 30)}),
            onset=31,
        )
        yield fires("a tenth of the batches", a_run({Role.BATCH_LOSS: _holes(batch, 10)}))
        policy = Series.of("train/policy_loss", np.arange(1, 61), _nan(loss - 1, 25))
        yield fires(
            "reinforcement learning",
            a_run({Role.POLICY_LOSS: policy, Role.REWARD: decay(60, 10, 200)}),
            onset=26,
        )
        yield silent("finite", a_run({Role.TRAIN_LOSS: loss, Role.GRAD_NORM: flat(60, 1.5)}))
        norm = _holes(noisy(flat(600, 1.5), 0.2), 12)
        norm[:15] = np.inf
        scale = Series.of("loss_scale", np.arange(1, 601), flat(600, 65536))
        yield silent(
            "steps skipped by mixed precision",
            a_run({Role.BATCH_LOSS: batch, Role.GRAD_NORM: norm, Role.LOSS_SCALE: scale}),
        )
        searched, halved = batch.copy(), flat(600, 2048.0)
        searched[:6], halved[:6] = np.inf, 65536.0 / 2.0 ** np.arange(6)
        for values, sample in ((halved, silent), (flat(600, 2048.0), fires)):
            found = Series.of("loss_scale", np.arange(1, 601), values)
            yield sample(
                "a scale that is searched for" if values is halved else "a scale that stands",
                a_run({Role.BATCH_LOSS: searched, Role.LOSS_SCALE: found}),
            )
        yield silent("three bad batches", a_run({Role.BATCH_LOSS: _holes(batch, 190)}))
        yield silent(
            "unused metric",
            a_run({Role.TRAIN_LOSS: loss, Role.VAL_METRIC: flat(60, np.nan)}),
        )
        rewards = np.concatenate([flat(8, np.nan), decay(52, 10, 200)])
        yield silent(
            "no episode has ended yet",
            a_run({Role.VALUE_LOSS: policy.between(1, 20), Role.REWARD: rewards}),
        )


def _watched(case: Case) -> list[tuple[Series, Role | None]]:
    """The curves in a watched role, then those without any role that are losses or gradients."""
    found: dict[str, tuple[Series, Role | None]] = {}
    for role in _WATCHED:
        if (curve := case.curve(role)) is not None:
            found.setdefault(curve.tag, (curve, role))  # one tag may play two roles
    taken = {binding.tag for binding in case.run.roles.bound.values()}
    for tag in sorted(case.run.series.keys() - taken):
        if _LOSS_WORD.search(tag) or _INSIDE_WORD.search(tag):
            found[tag] = case.run.series[tag], None
    return list(found.values())


def _is_loss(curve: Series, role: Role | None) -> bool:
    return role in _LOSSES if role else bool(_LOSS_WORD.search(curve.tag))


def _searched(scale: Series) -> float:
    """The last step of the fall that a scale begins with, where it falls by halves; −1 for none."""
    ratios = scale.values[1:] / scale.values[:-1]
    halves = np.flatnonzero(~((ratios > 0) & (ratios <= _HALF)))
    falls = int(halves[0]) if len(halves) else len(ratios)
    # The first record stands after the first step was skipped.
    return float(scale.steps[falls]) if falls else -1.0


def _unused(each: _Break) -> bool:
    """Whether a curve never was finite and no loss of its own role depends on it."""
    return not len(each.curve) and each.role not in (Role.TRAIN_LOSS, Role.VAL_LOSS)


def _longest(bad: Ints, good: Ints) -> int:
    """The most non-finite steps in a row with no finite one between them."""
    return int(np.unique(np.searchsorted(good, bad), return_counts=True)[1].max())


def _when(each: _Break, start: float) -> float:
    """The wall time at which a curve broke, by the pace of its finite points; never without any.

    A single point tells its pace by the time since ``start``, when the run began.
    """
    curve = each.curve
    if not len(curve):
        return np.inf
    steps, seconds = float(np.ptp(curve.steps)), float(np.ptp(curve.wall_times))
    if len(curve) == 1:
        steps, seconds = max(float(curve.steps[0]), 1), float(curve.wall_times[0]) - start
    inside = float(np.interp(each.onset, curve.steps, curve.wall_times))
    return inside + max(each.onset - int(curve.steps[-1]), 0) * seconds / steps


def _severity(broken: list[_Break]) -> Severity:
    """A warning where training itself stays finite, and no loss was ever lost."""
    for each in broken:
        if each.is_loss and (each.in_training or len(each.curve)):
            return Severity.ERROR
        if each.lasting and each.in_training:
            return Severity.ERROR
    return Severity.WARNING


def _sentence(main: _Break, first: _Break) -> str:
    if main.lasting:
        text = f"{main.name} is {main.word} from step {main.onset:,} to the end"
        text += f", {main.share:.0%} of its points"
    else:
        text = f"{main.name} is {main.word} at {main.share:.0%} of its points"
        text += f", first at step {main.onset:,}"
    if first is not main:
        text += f"; {first.name} was first, at step {first.onset:,}"
    return text


def _nan(values: Floats, start: int) -> Floats:
    return np.concatenate([values[:start], flat(len(values) - start, np.nan)])


def _holes(values: Floats, every: int) -> Floats:
    holes = values.copy()
    holes[every - 1 : -1 : every] = np.inf
    return holes
