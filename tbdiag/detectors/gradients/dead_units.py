"""GRD003: units that give zero whatever comes in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.detectors.gradients.remedies import HE, LEAKY, NORMALIZE
from tbdiag.detectors.optimization.remedies import RATE_TENTH, RATE_THIRD
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.naming.layers import Part, Quantity, Statistic
from tbdiag.naming.words import shown
from tbdiag.signals.layers import Tensor
from tbdiag.signals.medians import median
from tbdiag.signals.tensors import least, zeros
from tbdiag.synth import a_run, decay, jitter, noisy, rectified

REMEDIES = (RATE_TENTH, RATE_THIRD, LEAKY, NORMALIZE, HE)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Zeros:
    """The share of zeros of a tensor along the run: at the first record and at the end."""

    tag: str
    span: tuple[int, int]
    first: float
    last: float
    fine: bool
    gradient: bool = False


@dataclass(frozen=True, kw_only=True)
class DeadUnits(Detector):
    """Most units of a hidden layer give zero for every input and get no gradient.

    ## What it does

    Looks at the share of exact zeros among the activations of each hidden layer, and among the
    gradients of its weights, over the run.

    ## Why is this bad?

    A rectified unit whose input is negative for every sample has no slope, gets no gradient, and
    never comes back. What is dead is lost capacity; a layer that is dead altogether cuts off
    all that lies before it.

    ## How it is detected

    Activations are looked at where none is negative. In the median over the last third of the
    records the share of zeros is at least `dead`, the run learns poorly (loss, and errors where
    an accuracy was logged, end above the share `poor` of their start), and the share has grown
    by `growth` since the first record or the run is lost (more than `stuck` is left); or it is at
    least `gone`, a layer that gives nothing at all; or it began at `born` or more, where weights drawn at random leave about half, ends at `mostly` or
    more, and more than `started` is left. Shares of zeros logged as scalars count alike. Gradients
    of weights count where no activations were logged and their buckets are fine enough to tell zeros from small numbers: at least
    `cut` of them zero, grown by `growth`, in a run that learns poorly. It is an error where more
    than `stuck` is left.

    Where a weight decay of two per cent or more, added to the gradient, left less than a third of the weights, it is that
    decay which silenced the units, and the rule is silent.

    ## Remedy

    A smaller rate, units with a slope below zero, normalisation, the right scale of weights.

    ## False alarms

    Half of the activations of a healthy rectified layer are zero, and many more where features are
    sparse; dropout adds its share. Embeddings get gradients for the few rows that were
    used, first layers none for pixels that are always black; these do not grow over the run.

    ## References

    Lu, Shin, Su, Karniadakis, "Dying ReLU and initialization" (2020).
    """

    code, severity, since = "GRD003", Severity.WARNING, "0.1.0"
    suspicion = Suspicion("dead-units", "whose units had died", REMEDIES)
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 4
    explains = ("GRD001", "GRD006", "OPT002", "OPT003", "OPT004", "OPT005",
                "OPT006", "OPT008", "GEN002", "GEN003", "VAL004")  # fmt: skip

    dead: Annotated[float, Threshold("zeros among activations", above=0, at_most=1)] = 0.9
    gone: Annotated[float, Threshold("zeros of a layer that is dead", above=0, at_most=1)] = 0.999
    born: Annotated[float, Threshold("zeros of a layer that begins dead", above=0, at_most=1)] = (
        0.96
    )
    mostly: Annotated[
        float, Threshold("zeros that are left of such a layer", above=0, at_most=1)
    ] = 0.75
    started: Annotated[float, Threshold("share left to learn where it began so", at_least=0)] = 0.1
    cut: Annotated[float, Threshold("zeros among gradients", above=0, at_most=1)] = 0.7
    growth: Annotated[float, Threshold("rise of the share of zeros", at_least=0)] = 0.15
    poor: Annotated[float, Threshold("share left to learn of a poor run", above=0)] = 0.5
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9

    def cannot_tell(self, case: Case) -> str | None:
        if self._seen(case):
            return None
        if case.layers.activations:
            return "the run is not known to have rectified layers"
        return "no histogram of activations was logged"

    def check(self, case: Case) -> Iterator[Finding]:
        left = case.unlearned
        found = [each for each in self._seen(case) if self._is_dead(each, left)]
        if not found or case.withered:
            return
        worst = max(found, key=lambda each: (not each.gradient, each.last))
        what = "gradients" if worst.gradient else "activations"
        yield self.finding(
            f"{worst.last:.0%} of the {what} in {shown(worst.tag)} are zero at the end, "
            f"{worst.first:.0%} at step {worst.span[0]:,}",
            *(
                Evidence(
                    tag=each.tag,
                    span=each.span,
                    note="zeros",
                    measures=(
                        Measure("zeros", each.last, ">=", self._limit(each)),
                        Measure("zeros_at_first", each.first),
                    ),
                )
                for each in sorted(found, key=lambda each: each is not worst)
            ),
            severity=Severity.ERROR if left > self.stuck else Severity.WARNING,
            confidence=Confidence.HIGH if worst.fine else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _limit(self, seen: _Zeros) -> float:
        if seen.gradient:
            return self.cut
        return self.mostly if seen.first >= self.born else self.dead

    def _is_dead(self, seen: _Zeros, left: float) -> bool:
        if not seen.gradient and seen.last >= self.gone:
            return True
        if not seen.gradient and seen.first >= self.born and seen.last >= self.mostly:
            return left > self.started
        grown = seen.last - seen.first >= self.growth
        lost = not seen.gradient and left > self.stuck
        return seen.last >= self._limit(seen) and left > self.poor and (grown or lost)

    def _seen(self, case: Case) -> list[_Zeros]:
        layers = case.layers
        found = [_of(tensor) for tensor in layers.activations]
        if not found:  # activations tell what gradients only hint at: those of sigmoids fade, too
            found = [_of(each) for each in layers.of(Quantity.GRADIENT, Part.KERNEL)]
        for name, series in layers.sizes:
            if name.statistic is Statistic.ZEROS and not name.gate and series.values.max() <= 1:
                shares, span = series.values, (int(series.steps[0]), int(series.steps[-1]))
                first, last = median(shares[:3]), median(_end(shares))
                found.append(_Zeros(tag=series.tag, span=span, first=first, last=last, fine=True))
        return [each for each in found if each is not None]

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Layers that die; sparse, dropped and pixel-fed ones as traps."""
        poor = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.7), 0.01)}
        stuck = {Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        steps = [1, 10, 20, 30, 40]
        dying = rectified([0.5, 0.8, 0.93, 0.95, 0.96], steps)
        half = rectified([0.5, 0.52, 0.5, 0.51, 0.5], steps)
        yield fires(
            "dies over the run",
            a_run(poor, histograms={"activations/layer1": dying, "activations/layer2": half}),
        )
        yield fires(
            "dead from the start",
            a_run(stuck, histograms={"relu1": rectified([0.98] * 5, steps)}),
        )
        begun = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.5), 0.01)}
        yield fires(
            "began dead, and some came to life",
            a_run(begun, histograms={"relu1": rectified([0.98, 0.96, 0.94, 0.93, 0.93], steps)}),
        )
        yield fires(
            "began dead, and a fifth came to life",
            a_run(begun, histograms={"relu1": rectified([0.98, 0.9, 0.85, 0.8, 0.8], steps)}),
        )
        yield silent(
            "began dead, and came to life",
            a_run(begun, histograms={"relu1": rectified([0.98, 0.9, 0.8, 0.7, 0.7], steps)}),
        )
        yield fires(
            "as a scalar",
            a_run(poor, extra={"conv1/sparsity": np.linspace(0.5, 0.99, 40)}),
        )
        faded = {step: jitter(640, 0.2 / (1 + step), 3) for step in steps}
        decay_: dict[str, str | float] = {"optimizer": "sgd", "weight_decay": 0.1}
        for settings, sample in ((decay_, silent), ({**decay_, "weight_decay": 1e-4}, fires)):
            yield sample(
                f"weights that shrink, decay {settings['weight_decay']}",
                a_run(
                    poor,
                    histograms={"weights/layer1": faded, "activations/layer1": dying},
                    hparams=settings,
                ),
            )
        yield silent("half", a_run(poor, histograms={"activations/layer1": half}))
        yield silent(
            "sparse features of a network that learns",
            a_run(learns, histograms={"activations/layer1": dying}),
        )
        yield silent(
            "sparse throughout",
            a_run(poor, histograms={"activations/layer1": rectified([0.92] * 5, steps)}),
        )
        yield silent(
            "a gate that closes",
            a_run(poor, histograms={"lstm/forget_gate/activations": dying}),
        )
        yield silent(
            "embedding",
            a_run(
                poor,
                histograms={
                    "embedding.weight.grad": {
                        s: np.append(jitter(9, 1), np.zeros(900)) for s in steps
                    },
                    "activations/layer1": half,
                },
            ),
        )


def _end(values: Floats) -> Floats:
    return values[-max(1, len(values) // 3) :]


def _of(tensor: Tensor) -> _Zeros | None:
    """The zeros of a tensor; None where they cannot be told, or its units are not rectified."""
    gradient = tensor.name.quantity is Quantity.GRADIENT
    ends = [tensor.record(0), *(tensor.record(-1 - i) for i in range(max(1, len(tensor) // 3)))]
    if not gradient and min(least(each) for each in ends) < 0:
        return None
    shares = [zeros(each) for each in ends]
    fine = all(known for _, known in shares)
    values = np.array([share for share, _ in shares])
    if np.isnan(values).any() or (gradient and not fine):
        return None
    return _Zeros(
        tag=tensor.tag,
        span=tensor.span,
        first=float(values[0]),
        last=median(values[1:]),
        fine=fine,
        gradient=gradient,
    )
