"""GRD001: the gradient does not reach the first layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.gradients.remedies import HE, NORMALIZE, RECTIFIED, RESIDUAL
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Ints
from tbdiag.naming.words import shown
from tbdiag.signals.layers import Depths
from tbdiag.signals.medians import median
from tbdiag.signals.trend import kendall
from tbdiag.synth import a_run, a_stack, decay, flat, jitter, noisy

REMEDIES = (HE, RECTIFIED, NORMALIZE, RESIDUAL)


@dataclass(frozen=True, kw_only=True)
class VanishingGradients(Detector):
    """Gradients shrink on their way back, so that the first layers hardly learn.

    ## What it does

    Compares the size of the gradient in the first layer with that in the last one.

    ## Why is this bad?

    Each layer multiplies the gradient by its weights and by the slope of its units. Where that is
    less than one time and again, next to nothing is left at the first layers: they keep their
    random weights, and the last ones have to make do with what these let through.

    ## How it is detected

    Sizes are root mean squares from histograms, or norms that were logged layer by layer. In the
    median over the records, or in the first, the gradient of the first of `layers` or more layers
    is below `ratio` times that of the last, by root mean square and by norm, and itself below
    `level`; and the run learns poorly: the loss, and the errors where an accuracy was logged, end
    above the share `poor` of their start. It is an error where they end above `stuck`, else a warning; a ratio below
    `faint` is enough then, if the size falls layer by layer (Kendall's tau of at least `steady`). Where the
    order of the layers is known, more than `at_first` of the gradient arriving in the first record means that depth is
    not why it vanished. Where it is not known, the smallest must be below `unordered` times the largest, and
    confidence is low. Layers whose gradient is zero throughout are frozen and do not count, and where that of the
    last one is zero in most records, nothing shrinks on its way.

    Weights as they are drawn let no gradient fade: so less than `faint` of it arriving in the first record, less
    with every layer, and by more than `spread` before the last one already, counts however well the run learns
    in the end, if more than `gone` is left of the loss. It is a note where the run is not poor.

    ## Remedy

    He's initialisation, rectified units, normalisation, residual connections.

    ## False alarms

    A converged run has small gradients in all layers alike, frozen layers have none, and residual
    networks start with small ones in their branches; none of them learns poorly for it.

    ## References

    Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen" (1991). Glorot, Bengio,
    "Understanding the difficulty of training deep feedforward neural networks" (2010).
    """

    code, severity, since = "GRD001", Severity.ERROR, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 4
    explains = ("GRD005", "OPT001", "OPT002", "OPT003", "OPT004", "OPT005", "OPT006", "OPT008",
                "OPT010", "GEN002", "GEN003", "VAL004")  # fmt: skip
    leads = ("NUM004",)  # a spike that healed is the lesser note

    ratio: Annotated[float, Threshold("gradient of the first layer over the last", above=0)] = 1e-3
    level: Annotated[float, Threshold("size of a gradient that is lost", above=0)] = 1e-4
    faint: Annotated[float, Threshold("the same in a lost run", above=0)] = 1e-2
    steady: Annotated[float, Threshold("tau of a size that shrinks by layer", at_most=1)] = 0.8
    unordered: Annotated[float, Threshold("smallest gradient over the largest", above=0)] = 1e-5
    at_first: Annotated[float, Threshold("the same at the first record", above=0)] = 0.1
    spread: Annotated[
        float, Threshold("the same of the last hidden layer, as weights are drawn", above=0)
    ] = 0.1
    gone: Annotated[float, Threshold("share left to learn of a run that lost time", above=0)] = 0.1
    layers: Annotated[int, Threshold("layers that make a depth", at_least=2)] = 3
    poor: Annotated[float, Threshold("share left to learn of a poor run", above=0)] = 0.4
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9

    def cannot_tell(self, case: Case) -> str | None:
        seen = case.layers.gradients
        if seen is None or len(seen) < self.layers:
            return f"gradients of {self.layers} layers or more were not logged as histograms"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        seen, left = case.layers.gradients, case.unlearned
        if seen is None or not left > self.gone:
            return
        drawn = self._as_drawn(seen)
        if drawn is not None:
            yield self._at_first(seen, drawn, left)
            return
        if not left > self.poor:
            return
        living = np.flatnonzero((seen.rms > 0).any(axis=1))
        if len(living) < self.layers:
            return
        low, high = self._ends(seen, living)
        limit = self.ratio if seen.ordered else self.unordered
        if seen.ordered and left > self.stuck and self._fades(seen, living):
            limit = self.faint
        n = seen.rms.shape[1]
        if median(seen.rms[high]) == 0:
            return  # the network is dead, and no depth of it is why
        if seen.ordered and self._reached_first(seen, low, high):
            return  # what shrank since is not the depth: weights did, or units died
        for records in (slice(0, n), slice(0, 1)):
            sizes = np.median(seen.rms[[low, high], records], axis=1)
            found = max(_ratio(each[:, records], low, high) for each in (seen.rms, seen.norms))
            # Nothing at all arrives behind a last layer that starts at zero, as it may.
            if found < limit and sizes[0] < self.level and (records.stop == n or found > 0):
                break
        else:
            return
        yield self.finding(
            f"the gradient shrinks to {found:.1e} of its size between {shown(seen.tags[high])} and "
            f"{shown(seen.tags[low])}, and {left:.0%} of the loss is left at the end",
            Evidence(
                tag=seen.tags[low],
                span=seen.spans[low],
                note="hardly any gradient arrives",
                measures=(
                    Measure("gradient", float(sizes[0]), "<", self.level),
                    Measure("gradient_ratio", found, "<", limit),
                ),
            ),
            Evidence(
                tag=seen.tags[high],
                span=seen.spans[high],
                note="compared with this one",
                measures=(Measure("gradient", float(sizes[1])),),
            ),
            severity=self._gravity(left),
            confidence=Confidence.HIGH if seen.ordered else Confidence.LOW,
            remedies=REMEDIES,
        )

    def _as_drawn(self, seen: Depths) -> float | None:
        """What arrives of the first record's gradient, where it fades layer by layer; else None."""
        if not seen.ordered or len(seen) < self.layers:
            return None
        sizes = np.stack([seen.rms[:, 0], seen.norms[:, 0]])
        if not (sizes > 0).all():
            return None
        arrives = float((sizes[:, 0] / sizes[:, -1]).max())
        within = float((sizes[:, 0] / sizes[:, -2]).max())
        steady = min(kendall(each) for each in sizes) >= self.steady
        return arrives if arrives < self.faint and within < self.spread and steady else None

    def _at_first(self, seen: Depths, arrives: float, left: float) -> Finding:
        first, last = seen.tags[0], seen.tags[-1]
        start = seen.spans[0][0]
        return self.finding(
            f"as the weights were drawn, {arrives:.1e} of the gradient in {shown(last)} arrives in"
            f" {shown(first)} at step {start:,}, and less with every layer",
            Evidence(
                tag=first,
                span=seen.spans[0],
                note="hardly any gradient arrives at first",
                measures=(
                    Measure("gradient", float(seen.rms[0, 0])),
                    Measure("gradient_ratio", arrives, "<", self.faint),
                ),
            ),
            Evidence(
                tag=last,
                span=seen.spans[-1],
                note="compared with this one",
                measures=(Measure("gradient", float(seen.rms[-1, 0])),),
            ),
            severity=self._gravity(left),
            confidence=Confidence.HIGH,
            remedies=REMEDIES,
        )

    def _gravity(self, left: float) -> Severity:
        if not left > self.poor:
            return Severity.NOTE
        return Severity.ERROR if left > self.stuck else Severity.WARNING

    def _reached_first(self, seen: Depths, low: int, high: int) -> bool:
        """Whether the gradient of the first record arrives at the first layer."""
        first = max(_ratio(each[:, :1], low, high) for each in (seen.rms, seen.norms))
        return first > self.at_first

    def _fades(self, seen: Depths, living: Ints) -> bool:
        """Whether the gradient shrinks with nearly every layer."""
        return kendall(np.median(seen.rms[living], axis=1)) >= self.steady

    def _ends(self, seen: Depths, living: Ints) -> tuple[int, int]:
        """The layers to compare: first and last, or those of the smallest and largest gradient."""
        if seen.ordered:
            return int(living[0]), int(living[-1])
        order = living[np.argsort(np.median(seen.rms[living], axis=1))]
        return int(order[0]), int(order[-1])

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Deep networks that are stuck or slow; converged, frozen and shallow ones as traps."""
        stuck = {Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        slow = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.6), 0.01)}
        steps = [1, 14, 27, 40]
        fading = np.outer([1e-8, 1e-6, 1e-4, 1e-2], np.ones(4))
        even = np.outer([1e-2, 2e-2, 1e-2, 3e-2], np.ones(4))
        yield fires("stuck", a_run(stuck, histograms=a_stack("gradients/layer{}", fading, steps)))
        yield fires(
            "only the last layers learn",
            a_run(slow, histograms=a_stack("layers.{}.weight.grad", fading, steps)),
        )
        yield fires(
            "fades slowly, and nothing moves",
            a_run(stuck, histograms=a_stack("gradients/layer{}", 0.05 * fading**0.35, steps)),
        )
        fair = {Role.TRAIN_LOSS: noisy(decay(40, 1.0, 0.3), 0.01)}
        drawn = even.copy()
        drawn[:, 0] = [1e-5, 1e-4, 1e-3, 1e-2]
        yield fires(
            "faded as drawn, and learned a fair part later",
            a_run(fair, histograms=a_stack("gradients/layer{}", drawn, steps)),
        )
        drawn[:, 0] = [1e-5, 1e-5, 1e-5, 1e-2]
        yield silent(
            "a head that begins small",
            a_run(fair, histograms=a_stack("gradients/layer{}", drawn, steps)),
        )
        yield silent("even", a_run(stuck, histograms=a_stack("gradients/layer{}", even, steps)))
        yield silent(
            "converged",
            a_run(
                learns,
                histograms=a_stack("gradients/layer{}", even * [1, 1e-2, 1e-4, 1e-5], steps),
            ),
        )
        yield silent(
            "small in the first layers of a network that learns",
            a_run(learns, histograms=a_stack("gradients/layer{}", fading, steps)),
        )
        yield silent(
            "frozen first layers",
            a_run(
                slow,
                histograms=a_stack("gradients/layer{}", even * [[0], [0], [1], [1]], steps),
            ),
        )
        yield silent(
            "two layers are no depth",
            a_run(stuck, histograms=a_stack("gradients/layer{}", fading[[0, 3]], steps)),
        )
        yield silent(
            "a small head in the order of the alphabet",
            a_run(
                {Role.TRAIN_LOSS: flat(40, 2.3)},
                histograms={
                    f"{name}.weight.grad": {step: jitter(300, size, step) for step in steps}
                    for name, size in (("conv", 1e-2), ("head", 2e-7), ("stem", 1e-2))
                },
            ),
        )


def _ratio(sizes: Floats, low: int, high: int) -> float:
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = sizes[low] / sizes[high]
    finite = ratios[np.isfinite(ratios)]
    return median(finite) if len(finite) else 1.0
