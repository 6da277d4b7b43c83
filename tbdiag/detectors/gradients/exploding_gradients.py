"""GRD002: gradients grow without bound, along the run or through the layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.gradients.remedies import CLIP, HE
from tbdiag.detectors.optimization.remedies import RATE_TENTH
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.naming.words import shown
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import running_median, tail
from tbdiag.synth import a_run, a_stack, decay, flat, jitter, noisy

REMEDIES = (CLIP, RATE_TENTH, HE)


@dataclass(frozen=True, kw_only=True)
class ExplodingGradients(Detector):
    """Gradients grow manifold, over the run, from the last layer to the first, or in bursts.

    ## What it does

    Follows the norm of the gradient over the run, and its size over the layers.

    ## Why is this bad?

    A step is as long as the gradient: one that is a hundred times too long undoes what thousands of
    others did, and the next gradient, far from any minimum, may be larger still.

    ## How it is detected

    The run learns poorly (loss, and errors where an accuracy was logged, end above the share `poor`
    of their start, or the loss lost the share `regained` of its fall again), and the median
    norm at the end is above `growth` times that of the first part, `settled` to `early` of the run,
    or `records` records or more show the gradient of the first of `layers` or more layers above
    `ratio` times that of the last, by root mean square and by norm. Or in a
    network of `deep` or more layers the first norms are `at_first` times those between a twentieth and a
    fourth of the run, and the first losses `loss` times. Or, however it learns, the
    norm stands `bursts` times or more above `height` times its median over `window` points and that
    of the first part; what lies before `settled` does not count. Bursts are a note, for a rate that
    is too high makes them too; the others are an error where more than `stuck` is left to learn.

    ## Remedy

    Clip the gradient, a tenth of the rate, the right scale of initialisation.

    ## False alarms

    Norms grow slowly in many runs that converge, tenfold at times, and their absolute size says
    nothing. The first batches of a run have large gradients. A converged run has tiny ones, and
    tall ones among them for the few samples that are still wrong.

    ## References

    Pascanu, Mikolov, Bengio, "On the difficulty of training recurrent neural networks" (2013).
    """

    code, severity, since = "GRD002", Severity.WARNING, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 4
    explains = ("GRD003", "GRD004", "OPT001", "OPT003", "OPT004", "OPT005", "OPT006", "OPT009",
                "OPT011", "GEN002", "GEN003", "VAL002")  # fmt: skip

    poor: Annotated[float, Threshold("share left to learn of a poor run", above=0)] = 0.5
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9
    regained: Annotated[float, Threshold("share of the loss's fall that was lost", above=0)] = 0.2
    growth: Annotated[float, Threshold("norm at the end over that at the start", above=1)] = 10.0
    settled: Annotated[float, Threshold("share of the run that is left out", at_least=0)] = 0.02
    early: Annotated[float, Threshold("share of the run that is the start", above=0)] = 0.15
    ratio: Annotated[float, Threshold("gradient of the first layer over the last", above=1)] = 70.0
    layers: Annotated[int, Threshold("layers that make a depth", at_least=2)] = 3
    deep: Annotated[int, Threshold("layers of a deep network", at_least=2)] = 5
    at_first: Annotated[float, Threshold("first norms over those soon after", above=1)] = 15.0
    loss: Annotated[float, Threshold("first losses over those soon after", above=1)] = 50.0
    records: Annotated[int, Threshold("records that show it", at_least=1)] = 3
    bursts: Annotated[int, Threshold("norms that tower over the others", at_least=2)] = 5
    height: Annotated[float, Threshold("norm of a burst over the median", above=1)] = 10.0
    window: Annotated[int, Threshold("points that a burst is held against", at_least=5)] = 51

    def cannot_tell(self, case: Case) -> str | None:
        norm = case.curve(Role.GRAD_NORM)
        if (norm is None or not len(norm)) and case.layers.gradients is None:
            return "neither the norm of the gradient nor gradients of layers were logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        poorly = case.unlearned > self.poor or _regained(case) > self.regained
        norm = _norm(case)
        found = self._rising(norm) if poorly and norm is not None else None
        if found is None and poorly:
            found = self._through_layers(case)
        if found is None and norm is not None:
            found = self._at_first(case, norm)
        bursts = found is None
        if found is None and norm is not None:
            found = self._bursts(norm)
        if found is None:
            return
        message, evidence, confidence = found
        lost = case.unlearned > self.stuck
        yield self.finding(
            message,
            evidence,
            severity=_severity(lost=lost, bursts=bursts),
            confidence=confidence,
            remedies=REMEDIES,
        )

    def _rising(self, norm: Series) -> tuple[str, Evidence, Confidence] | None:
        n = len(norm)
        first = round(self.settled * n)
        start = norm.values[first : max(round(self.early * n), first + 2)]
        if n < 2 * len(start):
            return None
        before, after = median(start), median(tail(norm.values, least=2))
        if not (before > 0 and after > self.growth * before):
            return None
        span = (int(norm.steps[first]), int(norm.steps[-1]))
        return (
            f"the norm of the gradient grew {after / before:,.0f}-fold, from {before:.3g} to "
            f"{after:.3g} at step {span[1]:,}",
            Evidence(
                tag=norm.tag,
                span=span,
                note="grows",
                measures=(Measure("growth", after / before, ">", self.growth),),
            ),
            Confidence.HIGH if n > self.window else Confidence.MEDIUM,
        )

    def _through_layers(self, case: Case) -> tuple[str, Evidence, Confidence] | None:
        seen = case.layers.gradients
        if seen is None or not seen.ordered or len(seen) < self.layers:
            return None
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios = np.fmin(seen.rms[0] / seen.rms[-1], seen.norms[0] / seen.norms[-1])
        large = np.isfinite(ratios) & (ratios > self.ratio)
        if large.sum() < min(self.records, len(ratios)):
            return None
        ratio = median(ratios[large])
        return (
            f"the gradient grows {ratio:,.0f}-fold from {shown(seen.tags[-1])} back to "
            f"{shown(seen.tags[0])}",
            Evidence(
                tag=seen.tags[0],
                span=seen.spans[0],
                note="larger by far than in the last layer",
                measures=(
                    Measure("gradient_ratio", ratio, ">", self.ratio),
                    Measure("records", int(large.sum())),
                ),
            ),
            Confidence.MEDIUM,
        )

    def _at_first(self, case: Case, norm: Series) -> tuple[str, Evidence, Confidence] | None:
        """A deep network whose first gradients and first loss are out of all proportion."""
        batch, layers = case.curve(Role.BATCH_LOSS), case.layers.gradients
        if layers is None or len(layers) < self.deep or batch is None:
            return None
        if min(len(norm), len(batch)) < self.window:
            return None
        times, losses = (_fall(each.values) for each in (norm, batch))
        if not (times > self.at_first and losses > self.loss):
            return None
        first = int(norm.steps[0])
        return (
            f"the gradient through {len(layers)} layers is {times:,.0f} times as large at step {first:,}"
            f" as soon after, and the loss {losses:,.0f} times",
            Evidence(
                tag=norm.tag,
                span=(first, int(norm.steps[len(norm) // 4])),
                note="out of proportion at first",
                measures=(
                    Measure("fall_of_the_norm", times, ">", self.at_first),
                    Measure("fall_of_the_loss", losses, ">", self.loss),
                ),
            ),
            Confidence.MEDIUM,
        )

    def _bursts(self, norm: Series) -> tuple[str, Evidence, Confidence] | None:
        if len(norm) <= 2 * self.window:
            return None
        first, early = (round(share * len(norm)) for share in (self.settled, self.early))
        positive = np.maximum(norm.values, np.finfo(np.float32).tiny)
        start = median(positive[first:early])
        if np.count_nonzero(positive[first:] > self.height * start) < self.bursts:
            return None  # before the running median, which takes a millisecond
        over = positive / np.maximum(running_median(positive, self.window), start)
        over[:first] = 1
        places = np.flatnonzero(over > self.height)
        if len(places) < self.bursts:
            return None
        worst = int(places[over[places].argmax()])
        return (
            f"the norm of the gradient bursts {len(places)} times, at worst to {over[worst]:,.0f} "
            f"times its usual size at step {int(norm.steps[worst]):,}",
            Evidence(
                tag=norm.tag,
                span=(int(norm.steps[places[0]]), int(norm.steps[places[-1]])),
                note="towers over its median time and again",
                measures=(
                    Measure("bursts", len(places), ">=", self.bursts),
                    Measure("height", float(over[worst]), ">", self.height),
                ),
            ),
            Confidence.MEDIUM,
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Growth over time and over depth, bursts; slow growth and large first norms as traps."""
        poor = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.9), 0.02)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        rises = noisy(np.geomspace(1, 80, 200), 0.3)
        wild = noisy(flat(400, 1.0), 0.3)
        towers = wild.copy()
        towers[[60, 130, 190, 270, 330, 370]] *= 60
        steps = [1, 14, 27, 40]
        growing = np.outer([30, 3, 0.3, 0.03], np.ones(4))
        yield fires("grows over the run", a_run({**poor, Role.GRAD_NORM: rises}))
        yield fires(
            "grows through the layers",
            a_run(poor, histograms=a_stack("gradients/layer{}", growing, steps)),
        )
        even = np.outer(np.ones(6), np.ones(4))
        burst = {
            **learns,
            Role.BATCH_LOSS: noisy(decay(200, 5000, 1.0, 400), 0.1),
            Role.GRAD_NORM: noisy(decay(200, 900, 2.0, 400), 0.1),
        }
        deep = a_stack("gradients/layer{}", even, steps)
        yield fires("out of proportion at first, and deep", a_run(burst, histograms=deep))
        shallow = a_stack("gradients/layer{}", even[:3], steps)
        yield silent("the same of three layers", a_run(burst, histograms=shallow))
        yield fires("bursts", a_run({**learns, Role.GRAD_NORM: towers}))
        yield silent("grows while the loss falls", a_run({**learns, Role.GRAD_NORM: rises}))
        settled = wild * decay(400, 10, 0.1, 9)
        settled[[160, 230, 290, 330, 350, 370]] *= 30
        yield silent("converged, with hard samples", a_run({**learns, Role.GRAD_NORM: settled}))
        yield silent("noise", a_run({**poor, Role.GRAD_NORM: wild}))
        yield silent(
            "large at first",
            a_run({**poor, Role.GRAD_NORM: noisy(decay(300, 90, 1.0, 90), 0.3)}),
        )
        yield silent(
            "two layers are no depth",
            a_run(poor, histograms=a_stack("gradients/layer{}", growing[[0, 3]], steps)),
        )
        yield silent(
            "a steep network that learns",
            a_run(learns, histograms=a_stack("gradients/layer{}", growing, steps)),
        )
        yield silent(
            "two outliers",
            a_run({**poor, Role.GRAD_NORM: np.where(np.arange(400) % 190 == 100, 30, wild)}),
        )
        yield silent("tiny", a_run({**poor, Role.GRAD_NORM: 1e-6 * (1 + jitter(200, 0.2) ** 2)}))


def _fall(values: Floats) -> float:
    """The first three over the median from a twentieth to a fourth of the values (n ≥ 40,)."""
    n = len(values)
    return median(values[:3]) / max(median(values[n // 20 : n // 4]), 1e-300)


def _severity(*, lost: bool, bursts: bool) -> Severity:
    """Bursts come with rates that are too high as well, and with recurrent networks that are well."""
    if bursts:
        return Severity.NOTE
    return Severity.ERROR if lost else Severity.WARNING


def _regained(case: Case) -> float:
    loss = case.curve(Role.TRAIN_LOSS)
    return 0.0 if loss is None or len(loss) < ExplodingGradients.points else case.progress.regained


def _norm(case: Case) -> Series | None:
    """The norm of the whole gradient as logged, or that of the weights' gradients together."""
    norm, seen = case.curve(Role.GRAD_NORM), case.layers.gradients
    if norm is not None and len(norm):
        return norm
    if seen is None or len(seen.steps) < ExplodingGradients.records:
        return None
    whole: Floats = np.sqrt((seen.norms**2).sum(axis=0))
    return Series.of(seen.tags[0], seen.steps, whole)
