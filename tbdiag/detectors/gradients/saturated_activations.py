"""GRD004: bounded units that sit at the ends of their range."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.gradients.remedies import HE, NORMALIZE, RECTIFIED
from tbdiag.detectors.optimization.remedies import RATE_TENTH
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.histogram import Histogram
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.naming.words import shown
from tbdiag.signals.layers import Tensor
from tbdiag.signals.medians import median
from tbdiag.signals.tensors import mass
from tbdiag.synth import a_run, decay, jitter, noisy, rectified

_NEAR = 0.04  # half a bucket, where thirty span the range of tanh

REMEDIES = (HE, RATE_TENTH, NORMALIZE, RECTIFIED)


@dataclass(frozen=True, kw_only=True)
class SaturatedActivations(Detector):
    """Most tanh or sigmoid units sit at the ends of their range, where they have no slope.

    ## What it does

    Measures how much of the activations of each tanh or sigmoid layer lies close to its bounds.

    ## Why is this bad?

    At its ends the slope of such a unit is next to zero: it passes no gradient, to its own weights
    or to the layers before it, and acts as a switch that can no longer be turned.

    ## How it is detected

    A layer counts as tanh or sigmoid where its tag or the hyperparameters say so, or else where its
    values fill −1 … 1, beyond `filled` on both sides, or lie strictly above 0 and up to 1. In the
    median over the last third of the records more than `share` of its activations lie beyond
    `level`, as a share of the way from the middle of the range to its end, and more than
    `start` did in the first record already, or the run learns poorly: loss, and errors where an
    accuracy was logged, end above the share `poor` of their start. It is an error where they end
    above `stuck`. What lies beyond is read off the buckets and, as a bound, off the mean square.

    ## Remedy

    Weights at the right scale, a smaller rate, normalisation, or other units.

    ## False alarms

    Gates and attention are meant to close, the outputs of a softmax lie near zero, those of a binary
    classifier at both ends; rectified units may lie within 0 … 1 but have exact zeros. A network
    that has learned its task well may have saturated on the way.

    ## References

    Glorot, Bengio, "Understanding the difficulty of training deep feedforward neural networks" (2010).
    """

    code, severity, since = "GRD004", Severity.WARNING, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 4
    explains = ("GRD001", "OPT002", "OPT003", "OPT004", "OPT005", "OPT006", "OPT008",
                "GEN002", "GEN003")  # fmt: skip

    share: Annotated[float, Threshold("activations at the ends", above=0, at_most=1)] = 0.8
    start: Annotated[float, Threshold("activations there at first", above=0, at_most=1)] = 0.7
    level: Annotated[float, Threshold("way to the bound", above=0, at_most=1)] = 0.95
    filled: Annotated[float, Threshold("reach of tanh on both sides", above=0, at_most=1)] = 0.5
    poor: Annotated[float, Threshold("share left to learn of a poor run", above=0)] = 0.5
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9

    def cannot_tell(self, case: Case) -> str | None:
        if self._bounded(case):
            return None
        if case.layers.activations:
            return "the run is not known to have tanh or sigmoid layers"
        return "no histogram of activations was logged"

    def check(self, case: Case) -> Iterator[Finding]:
        left = case.unlearned
        shares = [
            (median([self._beyond(each, low) for each in _end(tensor)]), tensor, sure)
            for tensor, low, sure in self._bounded(case)
            if left > self.poor or self._beyond(tensor.record(0), low) > self.start
        ]
        found = sorted((each for each in shares if each[0] > self.share), key=lambda each: -each[0])
        if not found:
            return
        worst, tensor, sure = found[0]
        yield self.finding(
            f"{worst:.0%} of the activations in {shown(tensor.tag)} sit at the ends of their range, up to "
            f"step {tensor.span[1]:,}",
            *(
                Evidence(
                    tag=each.tag,
                    span=each.span,
                    note="saturated",
                    measures=(Measure("saturated", share, ">", self.share),),
                )
                for share, each, _ in found
            ),
            severity=Severity.ERROR if left > self.stuck else Severity.WARNING,
            confidence=Confidence.HIGH if sure else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _bounded(self, case: Case) -> list[tuple[Tensor, float, bool]]:
        """The layers of bounded units, their lower bounds, and whether names say what they are."""
        stated = _stated(case)
        found = []
        for tensor in case.layers.activations:
            function = tensor.name.function or stated
            if function not in ("", "tanh", "sigmoid"):
                continue
            ends = _end(tensor)
            low, high = min(each.low for each in ends), max(each.high for each in ends)
            if -1 <= low < -self.filled and self.filled < high <= 1 and function != "sigmoid":
                found.append((tensor, -1.0, function == "tanh"))
            elif 0 < low < high <= 1 and function != "tanh" and not _is_softmax(ends[0]):
                found.append((tensor, 0.0, function == "sigmoid"))
        return found

    def _beyond(self, record: Histogram, low: float) -> float:
        middle = (low + 1) / 2
        reach = (1 - middle) * self.level
        ends = (_nearest(record, middle - reach), _nearest(record, middle + reach))
        read = 1 - mass(record, *ends)
        # Markov's inequality for the distance of the squares from that of the bound.
        spread = record.squares / record.size - 2 * middle * record.mean + middle**2
        bound = 1 - ((1 - middle) ** 2 - spread) / ((1 - middle) ** 2 - reach**2)
        return max(read, bound) if record.size else float("nan")

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Saturated tanh and sigmoid layers; gates, softmax, rectified and trained ones as traps."""
        poor = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.7), 0.01)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        steps = [1, 14, 27, 40]
        wide = {step: np.tanh(jitter(2000, 20.0, step)) for step in steps}
        calm = {step: np.tanh(jitter(2000, 0.8, step)) for step in steps}
        closed = {step: 1 / (1 + np.exp(-jitter(2000, 30.0, step))) for step in steps}
        beliefs = {step: _softmax(jitter(2000, 20.0, step).reshape(-1, 20)) for step in steps}
        yield fires("tanh", a_run(poor, histograms={"activations/layer1": wide}))
        yield fires(
            "sigmoid", a_run(poor, histograms={"fc1/sigmoid": closed, "activations/layer1": calm})
        )
        narrow = {step: 0.5 + jitter(2000, 0.01, step) for step in steps}
        yield silent("in the middle", a_run(poor, histograms={"fc1/sigmoid": narrow}))
        yield silent("calm", a_run(poor, histograms={"activations/layer1": calm}))
        yield fires("from the start", a_run(learns, histograms={"activations/layer1": wide}))
        yield silent(
            "a network that learns",
            a_run(learns, histograms={"activations/layer1": {**wide, 1: calm[1]}}),
        )
        yield silent("gate", a_run(poor, histograms={"lstm/forget_gate/activations": closed}))
        yield silent("softmax", a_run(poor, histograms={"activations/layer3": beliefs}))
        yield silent(
            "rectified units",
            a_run(
                poor,
                histograms={
                    "activations/layer1": {
                        step: np.minimum(values, 1)
                        for step, values in rectified([0.8] * 4, steps).items()
                    },
                    "activations/layer2": calm,
                },
            ),
        )


def _nearest(record: Histogram, value: float) -> float:
    """The border of the bucket that ``value`` lies in, if near: mass by a bound is not even."""
    at = int(np.searchsorted(record.edges, value))
    inner = [each for each in (at - 1, at) if 0 < each < len(record.edges) - 1]
    border = min(
        (float(record.edges[i]) for i in inner), key=lambda x: abs(x - value), default=value
    )
    return border if abs(border - value) < _NEAR else value


def _end(tensor: Tensor) -> list[Histogram]:
    """The last third of the records, empty ones aside."""
    records = [tensor.record(-1 - place) for place in range(max(1, len(tensor) // 3))]
    return [each for each in records if each.size] or [tensor.record(0)]


def _is_softmax(record: Histogram) -> bool:
    """Whether the values may be groups that each sum to one: their mean is then 1/C."""
    if not record.mean > 0:
        return True
    classes = 1 / record.mean
    return classes > 1.5 and abs(classes - round(classes)) < 1e-3 * classes


def _softmax(logits: Floats) -> Floats:
    beliefs = np.exp(logits)
    shares: Floats = beliefs / beliefs.sum(axis=1, keepdims=True)
    return shares


def _stated(case: Case) -> str:
    """The activation function that the hyperparameters name, in lower case, else ``""``."""
    for name, hparam in case.run.hparams.items():
        if name.lower().rpartition("/")[2].rpartition(".")[2] in (
            "activation", "act", "nonlinearity", "activation_fn", "activation_function",
        ) and isinstance(hparam.value, str):  # fmt: skip
            return hparam.value.lower()
    return ""
