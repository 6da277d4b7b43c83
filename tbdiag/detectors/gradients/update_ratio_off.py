"""GRD005: steps that are far too long or too short for the weights they move."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.optimization.remedies import RATE_TENFOLD, RATE_TENTH
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Ints
from tbdiag.signals.medians import median
from tbdiag.signals.updates import Rule, Updates, rate_at, updates
from tbdiag.synth import a_run, a_stack, cosine, decay, flat, noisy


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ratio:
    """The usual ratio of update to weight: at least ``low`` and at most ``high``."""

    tag: str
    span: tuple[int, int]
    low: float
    high: float
    measured: bool


@dataclass(frozen=True, kw_only=True)
class UpdateRatioOff(Detector):
    """Steps are far too long or far too short for the size of the weights.

    ## What it does

    Compares the size of the updates with that of the weights, layer by layer.

    ## Why is this bad?

    A step of about a thousandth of the weights trains well. A tenth of them at each step overwrites
    what was learned; a hundred-thousandth would take years to get anywhere.

    ## How it is detected

    The ratio is what was logged as such; else histograms of updates over those of weights; else it
    follows from the rate: rate·gradient/((1 − momentum)·weight) for SGD, rate/weight for Adam, by
    root mean squares. Only weights between units count, not biases or norms, and only records at
    which the rate was above `spent` of its peak: not the end of a decay, nor a warm-up; where the
    rate was not logged, only those of the first half. There must be `records` of them. In the median
    over layers and records the ratio is above `long`, and the run learns poorly (loss, and
    errors where an accuracy was logged, end above the share `poor` of their start); or it is
    below `short`, and more than `unfinished` is left to learn. Where the momentum is in doubt, or
    how much of Adam's steps is noise, all readings must agree. It is an error where steps are too
    long and more than `stuck` is left.

    Steps are not long where it is the weights that a decay beyond use made small (two per cent or more, added to the
    gradient, and less than a third of them left).

    ## Remedy

    A tenth of the rate, or ten times the rate.

    ## False alarms

    Fine-tuning takes short steps on purpose, and its loss has not far to fall. Gradients of a run
    that has converged are small, and so are its steps. Layers that start at zero have no size.

    ## References

    Karpathy, "A recipe for training neural networks" (2019) and the notes of Stanford's CS231n.
    """

    code, severity, since = "GRD005", Severity.WARNING, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 4
    explains = ("GRD002", "GRD003", "GRD004", "OPT003", "OPT004", "OPT005", "OPT008", "OPT010",
                "VAL002")  # fmt: skip

    long: Annotated[float, Threshold("update over weight, too long", above=0)] = 0.1
    short: Annotated[float, Threshold("update over weight, too short", above=0)] = 1e-4
    spent: Annotated[float, Threshold("rate over its peak, decayed", above=0, at_most=1)] = 0.3
    records: Annotated[int, Threshold("records that show it", at_least=1)] = 3
    poor: Annotated[float, Threshold("share left to learn of a poor run", above=0)] = 0.5
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9
    unfinished: Annotated[float, Threshold("share left where steps are short", above=0)] = 0.5

    def cannot_tell(self, case: Case) -> str | None:
        if not self._ratios(case):
            return (
                "neither updates, nor weights, gradients, rate and optimizer together, were logged"
            )
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        ratios, left = self._ratios(case), case.unlearned
        if not ratios:
            return
        low = median([each.low for each in ratios])
        high = median([each.high for each in ratios])
        if low > self.long and left > self.poor and not case.withered:
            value, limit, relation, remedies = low, self.long, ">", (RATE_TENTH,)
            far = max(ratios, key=lambda each: each.low)
        elif 0 < high < self.short and left > self.unfinished:
            value, limit, relation, remedies = high, self.short, "<", (RATE_TENFOLD,)
            far = min(ratios, key=lambda each: each.high)
        else:
            return
        yield self.finding(
            f"each step changes the weights by {value:.1e} of their size, up to step "
            f"{far.span[1]:,}, where about 1e-03 is usual",
            Evidence(
                tag=far.tag,
                span=far.span,
                note="the farthest off" if len(ratios) > 1 else "",
                measures=(Measure("update_ratio", value, relation, limit),),
            ),
            severity=Severity.ERROR if relation == ">" and left > self.stuck else None,
            confidence=Confidence.HIGH if far.measured else Confidence.MEDIUM,
            remedies=remedies,
        )

    def _ratios(self, case: Case) -> list[_Ratio]:
        logged = case.curve(Role.UPDATE_RATIO)
        rate = case.curve(Role.LEARNING_RATE)
        if logged is not None and len(logged) and float(logged.values.min()) >= 0:
            kept = logged.values[self._counts(case, logged.steps)]
            if len(kept) < self.records:
                return []
            span, usual = (int(logged.steps[0]), int(logged.steps[-1])), median(kept)
            return [_Ratio(tag=logged.tag, span=span, low=usual, high=usual, measured=True)]
        if not case.run.histograms:
            return []
        found = updates(case.layers, rate, case.number(Knob.LR), _rule(case))
        return [ratio for each in found if (ratio := self._usual(case, each)) is not None]

    def _usual(self, case: Case, seen: Updates) -> _Ratio | None:
        counts = self._counts(case, seen.steps)
        counts[0] = False  # the first gradients are not like the others
        counts &= np.isfinite(seen.low)
        if counts.sum() < self.records:
            return None
        low, high = (median(each[counts]) for each in (seen.low, seen.high))
        return _Ratio(tag=seen.tag, span=seen.span, low=low, high=high, measured=seen.measured)

    def _counts(self, case: Case, steps: Ints) -> NDArray[np.bool_]:
        """At which of the steps the rate is at work."""
        rate = case.curve(Role.LEARNING_RATE)
        if rate is not None and len(rate):
            peak = float(rate.values.max())
            return (
                (rate_at(steps, rate) > self.spent * peak)
                if peak > 0
                else np.zeros(len(steps), dtype=bool)
            )
        return steps <= (int(steps[0]) + int(steps[-1])) / 2

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Steps too long and too short, logged or inferred; decays, converged runs as traps."""
        poor = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.7), 0.01)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        constant = {Role.LEARNING_RATE: flat(40, 0.01)}
        steps = [1, 8, 16, 24, 32, 40]
        usual = a_stack("weights/layer{}", np.full((3, 6), 0.1), steps)
        grads = a_stack("gradients/layer{}", np.full((3, 6), 1e-2), steps)
        tiny = a_stack("gradients/layer{}", np.full((3, 6), 1e-5), steps)
        sgd, adam = {"optimizer": "sgd"}, {"optimizer": "adam"}
        yield fires(
            "Adam's steps are too long",
            a_run({**poor, Role.LEARNING_RATE: flat(40, 0.2)}, histograms=usual, hparams=adam),
        )
        yield fires(
            "SGD's steps are too short",
            a_run({**poor, **constant}, histograms={**usual, **tiny}, hparams=sgd),
        )
        yield fires(
            "logged updates",
            a_run(
                {**poor, **constant},
                histograms={**usual, **a_stack("updates/layer{}", np.full((3, 6), 1e-6), steps)},
            ),
        )
        yield silent(
            "usual", a_run({**poor, **constant}, histograms={**usual, **grads}, hparams=sgd)
        )
        yield silent(
            "converged",
            a_run({**learns, **constant}, histograms={**usual, **tiny}, hparams=sgd),
        )
        yield silent(
            "a rate that decays to zero",
            a_run(
                {**poor, Role.LEARNING_RATE: cosine(40, 0.01)},
                histograms={**usual, **grads},
                hparams=sgd,
            ),
        )
        yield silent(
            "momentum in doubt",
            a_run(
                {**poor, **constant},
                histograms={**usual, **a_stack("gradients/layer{}", np.full((3, 6), 3e-4), steps)},
                hparams={"optimizer": "sgd", "momentum": 0.9},
            ),
        )
        yield silent(
            "biases and norms",
            a_run(
                {**poor, **constant},
                histograms={
                    **usual,
                    **grads,
                    **a_stack("biases/layer{}", np.full((4, 6), 1e-6), steps),
                    **a_stack("bn{}.weight", np.full((4, 6), 1e-6), steps),
                },
                hparams=sgd,
            ),
        )


def _rule(case: Case) -> Rule:
    name = case.knobs.get(Knob.OPTIMIZER)
    return Rule(
        name=str(name).lower().rpartition(".")[2] if name is not None else "",
        momentum=case.number(Knob.MOMENTUM),
    )
