"""INI001: units that start as copies of one another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.histogram import Histogram
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, SetTo
from tbdiag.model.role import Role
from tbdiag.model.series import Series
from tbdiag.naming.layers import Part, Quantity
from tbdiag.naming.words import shown
from tbdiag.signals.layers import Tensor, of_ones
from tbdiag.signals.medians import median
from tbdiag.signals.smoothing import head, tail
from tbdiag.synth import a_run, decay, flat, jitter, noisy

REMEDIES = (
    Remedy.turn(
        Knob.INIT,
        SetTo("he"),
        "Draw the weights by He's rule, or by Xavier's where units are tanh or sigmoid",
        "random weights make every unit a different one, at a scale that keeps signals alive",
    ),
    Remedy.advice(
        "Start at zero only biases and the last layer of a residual branch",
        "they have random layers beside them that break the symmetry",
    ),
)


@dataclass(frozen=True, kw_only=True)
class SymmetricInitialization(Detector):
    """Weights of a layer all start at one value, so that its units learn the same thing.

    ## What it does

    Looks at the first histogram of every weight tensor for one that has no spread, and at the
    later ones and the loss for what follows from it.

    ## Why is this bad?

    Units with equal weights get equal gradients and stay equal for ever: a layer of a thousand
    units computes what one unit could. With all weights at zero not even that one learns.

    ## How it is detected

    A weight tensor of at least `elements` numbers has, in its first record, a standard deviation of
    at most `flatness` times its level (biases, norms, LoRA and embeddings are left out by name, as
    are tensors of ones beside tensors that vary). Then its units must have stayed equal: the last
    record has `buckets` or more filled buckets, each of whose counts is a multiple of the same
    number, as it is where every value occurs once per unit, or the value of the first record is not zero, which nobody
    means, and the loss ends above the share
    `stuck` of its start. Or the last record has no spread either, and the loss ends above the share
    `frozen` of its start. Where only one record was logged, `layers` such tensors are needed.

    ## Remedy

    He's or Xavier's initialisation.

    ## False alarms

    An output layer, a residual branch or LoRA's B at zero are good practice: their weights spread
    from the first step on. Norms start at one and biases at zero.

    ## References

    Goodfellow, Bengio, Courville, "Deep Learning" (2016), section 8.4. He et al., "Delving deep into
    rectifiers" (2015).
    """

    code, severity, since = "INI001", Severity.ERROR, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 3
    explains = ("GRD001", "GRD002", "GRD003", "GRD004", "GRD005", "GRD006", "OPT001", "OPT002", "OPT004", "OPT005", "OPT006", "OPT010",
                "GEN002", "GEN003", "VAL004")  # fmt: skip

    elements: Annotated[int, Threshold("numbers in a tensor that counts", at_least=2)] = 4
    flatness: Annotated[float, Threshold("relative spread that is none", above=0)] = 1e-5
    buckets: Annotated[int, Threshold("filled buckets that show equal units", at_least=2)] = 5
    stuck: Annotated[float, Threshold("share of the loss left, units equal", above=0)] = 0.5
    frozen: Annotated[float, Threshold("share of the loss left otherwise", above=0)] = 0.9
    layers: Annotated[int, Threshold("flat tensors without further proof", at_least=1)] = 2

    def cannot_tell(self, case: Case) -> str | None:
        if not self._weights(case):
            return "no histogram of weights was logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        weights = self._weights(case)
        flat_ones = [each for each in weights if self._flat(each.record(0))]
        if len(flat_ones) < len(weights):
            flat_ones = [each for each in flat_ones if not of_ones(each.record(0))]
        loss = _loss(case)
        start, end = median(head(loss.values)), median(tail(loss.values))
        left = end / start if start > 0 else 1.0
        copies = [each for each in flat_ones if self._are_copies(each.record(-1))]
        still = [each for each in flat_ones if self._flat(each.record(-1))]
        untold = [each for each in flat_ones if len(each) == 1]
        # Zero may be meant, in an output layer or a branch; another constant never is.
        constant = [each for each in flat_ones if len(each) > 1 and each.record(0).mean != 0]
        if copies and left > self.stuck:
            found, limit = copies, self.stuck
        elif constant and left > self.stuck:
            found, limit = constant, self.stuck
        elif len(still) > len(untold) and left > self.frozen:
            found, limit = still, self.frozen
        elif len(untold) >= self.layers and left > self.frozen:
            found, limit = untold, self.frozen
        else:
            return
        first = found[0].record(0)
        step = found[0].span[0]
        yield self.finding(
            f"all {first.size:,.0f} weights of {shown(found[0].tag)} are {first.mean:.4g} at step "
            f"{step:,}, and the loss ends at {left:.0%} of its start",
            *(
                Evidence(
                    tag=each.tag,
                    span=each.span,
                    note="no spread at the start",
                    measures=(Measure("spread", each.record(0).spread),),
                )
                for each in found
            ),
            Evidence(
                tag=loss.tag,
                span=(int(loss.steps[0]), int(loss.steps[-1])),
                note="hardly falls",
                measures=(Measure("loss_left", left, ">", limit),),
            ),
            confidence=Confidence.MEDIUM if found is untold else Confidence.HIGH,
            remedies=REMEDIES,
        )

    def _weights(self, case: Case) -> list[Tensor]:
        kernels = case.layers.of(Quantity.PARAMETER, Part.KERNEL)
        return sorted(
            (each for each in kernels if each.size >= self.elements), key=lambda each: each.tag
        )

    def _flat(self, record: Histogram) -> bool:
        level = max(abs(record.mean), record.high - record.low)
        return record.spread <= self.flatness * level

    def _are_copies(self, record: Histogram) -> bool:
        filled = record.counts[record.counts > 0]
        whole = np.round(filled).astype(np.int64)
        return (
            len(filled) >= self.buckets
            and bool(np.all(whole == filled))
            and int(np.gcd.reduce(whole)) > 1
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Constant and zero layers that stay so; every tensor that may start flat as a trap."""
        stuck = {Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002), Role.VAL_LOSS: flat(40, 2.303)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        same, zero = np.full((30, 16), 0.1), np.zeros((30, 16))
        drifted = same + np.repeat(jitter(30, 0.001)[:, None], 16, axis=1)
        drawn, trained = jitter(480, 0.2, 1), jitter(480, 0.25, 2)
        yield fires(
            "constant layer",
            a_run(stuck, histograms={"weights/layer1": {1: same, 20: drifted, 40: drifted}}),
        )
        few = np.repeat([[0.08], [0.13]], 24, axis=1)
        yield fires(
            "constant, of two inputs",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(40, 0.69, 0.62, 5), 0.002)},
                histograms={"fc1.weight": {1: np.full((2, 24), 0.1), 20: few, 40: few}},
            ),
        )
        yield fires(
            "zero throughout",
            a_run(stuck, histograms={"fc1.weight": {1: zero, 20: zero, 40: zero}}),
        )
        yield fires(
            "recorded once",
            a_run(stuck, histograms={"dense/kernel_0": {1: same}, "dense_1/kernel_0": {1: zero}}),
        )
        yield silent("drawn", a_run(stuck, histograms={"weights/layer1": {1: drawn, 40: trained}}))
        yield silent(
            "zero output layer",
            a_run(
                learns,
                histograms={
                    "weights/layer1": {1: drawn, 40: trained},
                    "weights/layer2": {1: zero, 40: trained},
                },
            ),
        )
        yield silent(
            "norms, biases and LoRA",
            a_run(
                stuck,
                histograms={
                    "fc1.weight": {1: drawn, 40: trained},
                    "fc1.bias": {1: np.zeros(16), 40: np.zeros(16)},
                    "layers.1.weight": {1: np.ones(16), 40: np.ones(16)},
                    "bn1.weight": {1: np.ones(16), 40: np.ones(16)},
                    "attn.lora_B.weight": {1: zero, 40: zero},
                },
            ),
        )
        yield silent(
            "a fixed filter in a network that learns",
            a_run(
                learns,
                histograms={
                    "blur.weight": {1: same, 40: same},
                    "conv.weight": {1: drawn, 40: trained},
                },
            ),
        )


def _loss(case: Case) -> Series:
    """The training loss, or the one per batch where that has more to tell than two points."""
    loss, batch = case.curve(Role.TRAIN_LOSS), case.curve(Role.BATCH_LOSS)
    if batch is not None and (loss is None or len(loss) < SymmetricInitialization.points):
        return batch
    return case.the(Role.TRAIN_LOSS)
