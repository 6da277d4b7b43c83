"""GRD006: weights that never change."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.naming.layers import Part, Quantity
from tbdiag.signals.layers import Tensor
from tbdiag.signals.tensors import uniform
from tbdiag.synth import a_run, cosine, decay, jitter, noisy

REMEDIES = (
    Remedy.advice(
        "See that the optimizer was given these parameters and that its step is called",
        "an optimizer built before the model was replaced or moved steps another copy of it",
    ),
    Remedy.advice(
        "See that they need a gradient, and that nothing detaches the loss from them",
        "a flag, a no-grad block or a conversion to NumPy cuts them off in silence",
    ),
)


# How near the ends of the weights come to their bound, and their size to that of even ones.
_BARELY, _NEARLY, _CLOSE = 1.0001, 0.85, 0.12

# What settings call layers that are frozen on purpose, or that were trained before.
_ON_PURPOSE = ("freeze", "freezing", "frozen", "pretrain", "finetun", "fine_tun", "fine-tun", "backbone", "lora",
               "adapter", "probe", "trainable", "checkpoint", "resume", "from_")  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class FrozenWeights(Detector):
    """Weights are the same from the first record to the last: nothing trains them.

    ## What it does

    Compares the histograms of each weight tensor with one another.

    ## Why is this bad?

    The run costs what training costs and trains nothing, or all but the layers that matter.

    ## How it is detected

    The histograms of a tensor are identical, to the last bit of the counts, limits and sums, over
    `records` records or more, while the learning rate, where it was logged, is above zero.
    Where all weights are, the run must learn poorly, so that loss, and errors where an
    accuracy was logged, end above the share `poor` of their start; it is an error above `stuck`.
    Where only some are, they must never have been trained at all, as biases show that are zero
    throughout, and more than `untrained` is left to learn; or more than `flat` is left, which is said with
    low confidence. Else it is a note, where biases do not show that the layers were trained before, and
    no setting says that something is frozen or pretrained. The weights of networks with adapters are
    frozen on purpose.

    ## Remedy

    Advice: give the optimizer the right parameters, look for what cuts off the gradient.

    ## False alarms

    Fine-tuning freezes layers on purpose, and then the loss falls all the same. Fixed filters and
    position codes are no weights to train.

    ## References

    Humbatova et al., "Taxonomy of real faults in deep learning systems" (2020).
    """

    code, severity, since = "GRD006", Severity.WARNING, "0.1.0"
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 4
    explains = ("GRD002", "GRD005", "OPT001", "OPT002", "OPT003", "OPT004", "OPT005", "OPT006", "OPT008",
                "OPT010", "GEN002", "GEN003", "VAL004")  # fmt: skip
    leads = ("NUM004",)  # a spike that healed is the lesser note

    records: Annotated[int, Threshold("records that are the same", at_least=2)] = 3
    poor: Annotated[float, Threshold("share left to learn of a poor run", above=0)] = 0.5
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9
    flat: Annotated[float, Threshold("share left where only some layers are frozen", above=0)] = (
        0.98
    )
    untrained: Annotated[float, Threshold("share left where random ones are frozen", above=0)] = (
        0.05
    )

    def cannot_tell(self, case: Case) -> str | None:
        if not self._watched(case):
            return f"no weights were logged as histograms at {self.records} steps or more"
        return None

    def undecided(self, case: Case) -> str | None:
        """Layers that never changed in a run that learned, where nothing says why."""
        watched = self._watched(case)
        frozen = [each for each in watched if each.frozen]
        if not 0 < len(frozen) < len(watched) or _adapted(case) or case.run.hparams:
            return None
        if _is_still(case) or any(_is_trained(case, each) for each in frozen):
            return None
        return (
            f"{len(frozen)} of {len(watched)} weight tensors never changed, and neither settings nor biases"
            " tell whether they were meant to: log the hyperparameters"
        )

    def check(self, case: Case) -> Iterator[Finding]:
        left, watched = case.unlearned, self._watched(case)
        if math.isnan(left) or _is_still(case):
            return
        frozen = [each for each in watched if each.frozen]
        whole = bool(frozen) and len(frozen) == len(watched)
        raw = [] if whole else [each for each in frozen if _is_raw(case, each)]
        if not frozen or (not whole and _adapted(case)):
            return
        unsaid, spared = False, bool(raw) and left <= self.untrained
        if whole and not left > self.poor:
            return
        if raw:
            frozen = raw
        elif not left > (self.poor if whole else self.flat):
            frozen = [each for each in frozen if not _is_trained(case, each)]
            unsaid = not whole and bool(frozen) and not _is_said(case)
            if not unsaid or not left > self.untrained:
                return
        first, last = frozen[0].span
        which = f"all {len(watched)}" if whole else f"{len(frozen)} of {len(watched)}"
        yield self.finding(
            f"{which} weight tensors are the same at step {last:,} as at step {first:,}"
            + (", and no setting says that they are frozen" if unsaid and case.run.hparams else "")
            + (
                ", and no settings were logged that would say why"
                if unsaid and not case.run.hparams
                else ""
            ),
            *(
                Evidence(
                    tag=each.tag,
                    span=each.span,
                    note="never changes",
                    measures=(Measure("equal_records", len(each), ">=", self.records),),
                )
                for each in frozen
            ),
            severity=self._gravity(whole=whole, mild=unsaid or spared, left=left),
            confidence=self._sureness(whole=whole, raw=bool(raw) or unsaid, left=left),
            remedies=REMEDIES,
        )

    def _gravity(self, *, whole: bool, mild: bool, left: float) -> Severity:
        if mild:
            return Severity.NOTE
        return Severity.ERROR if whole and left > self.stuck else Severity.WARNING

    def _sureness(self, *, whole: bool, raw: bool, left: float) -> Confidence:
        if whole and left > self.stuck:
            return Confidence.HIGH
        return Confidence.MEDIUM if whole or raw else Confidence.LOW

    def _watched(self, case: Case) -> list[Tensor]:
        return [each for each in case.layers.kernels if len(each) >= self.records]

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Nothing steps; frozen backbones, adapters and a rate of zero as traps."""
        stuck = {Role.TRAIN_LOSS: 2.303 + jitter(40, 0.002)}
        learns = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)}
        steps = [1, 14, 27, 40]
        fixed = {step: jitter(600, 0.1) for step in steps}
        moving = {step: jitter(600, 0.1) * (1 + step / 100) for step in steps}
        yield fires("nothing steps", a_run(stuck, histograms={"fc1.weight": fixed}))
        yield fires(
            "the first layers are cut off",
            a_run(stuck, histograms={"fc1.weight": fixed, "fc2.weight": moving}),
        )
        yield silent(
            "frozen backbone",
            a_run(learns, histograms={"conv1.weight": fixed, "head.weight": moving}),
        )
        poor = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.0), 0.01)}
        zero = {step: np.zeros(16) for step in steps}
        yield fires(
            "random layers are frozen",
            a_run(
                poor,
                histograms={"fc1.weight": fixed, "fc1.bias": zero, "head.weight": moving},
            ),
        )
        drawn = {step: np.random.default_rng(4).uniform(-0.1, 0.1, 600) for step in steps}
        yield fires(
            "spread evenly, as drawn",
            a_run(poor, histograms={"fc1.weight": drawn, "head.weight": moving}),
        )
        one = {"fc1.weight": fixed, "head.weight": moving}
        yield fires("nothing says why", a_run(poor, histograms=one, hparams={"lr": 0.1}))
        yield silent(
            "frozen as a setting says",
            a_run(poor, histograms=one, hparams={"lr": 0.1, "freeze_backbone": True}),
        )
        yield silent(
            "pretrained layers of a run that ends early",
            a_run(
                poor,
                histograms={
                    "fc1.weight": fixed,
                    "fc1.bias": {step: jitter(16, 0.1) for step in steps},
                    "head.weight": moving,
                },
            ),
        )
        yield silent(
            "adapters",
            a_run(stuck, histograms={"q.weight": fixed, "q.lora_A.weight": moving,
                                     "v.weight": moving}),
        )  # fmt: skip
        yield silent("moves", a_run(stuck, histograms={"fc1.weight": moving}))
        yield silent(
            "a rate of zero, to measure",
            a_run({**stuck, Role.LEARNING_RATE: 0 * cosine(40, 1.0)}, histograms={"w1": fixed}),
        )
        yield silent(
            "norms and biases alone",
            a_run(
                stuck,
                histograms={
                    "bn1.weight": {step: np.ones(16) for step in steps},
                    "fc1.bias": {step: np.zeros(16) for step in steps},
                    "fc1.weight": moving,
                },
            ),
        )


def _is_raw(case: Case, tensor: Tensor) -> bool:
    """Whether the layer was never trained.

    Its biases are zero from first to last, or its weights are spread evenly, as drawn, or of the very
    size and range that PyTorch draws for as many inputs.
    """
    biases = [
        each
        for each in case.layers.of(Quantity.PARAMETER, Part.BIAS)
        if each.name.layer == tensor.name.layer and len(each) > 1
    ]
    return uniform(tensor.record(0)) or any(
        not each.rms.any() or (each.frozen and _as_drawn(tensor, each)) for each in biases
    )


def _as_drawn(weights: Tensor, biases: Tensor) -> bool:
    """Whether both lie within the bounds of PyTorch's first weights, and the weights reach to them.

    The bound is one over the root of the inputs, whose number is that of the weights over the biases.
    """
    if not biases.size:
        return False
    bound = (biases.size / weights.size) ** 0.5
    first, least = weights.record(0), biases.record(0)
    reach = max(first.high, -first.low) / bound
    within = reach < _BARELY and max(least.high, -least.low) < _BARELY * bound
    even = abs(float(weights.rms[0]) * 3**0.5 / bound - 1) < _CLOSE
    return bool(within and reach > _NEARLY and even)


def _is_trained(case: Case, tensor: Tensor) -> bool:
    """Whether biases of the layer that never change, and are not zero, show an earlier training."""
    return any(
        each.name.layer == tensor.name.layer and each.frozen and bool(each.rms.any())
        for each in case.layers.of(Quantity.PARAMETER, Part.BIAS)
    )


def _is_said(case: Case) -> bool:
    """Whether a setting speaks of frozen or pretrained layers."""
    names = [f"{name} {each.value}".lower() for name, each in case.run.hparams.items()]
    return any(word in name for name in names for word in _ON_PURPOSE)


def _is_still(case: Case) -> bool:
    """Whether the rate was logged and is zero throughout."""
    rate = case.curve(Role.LEARNING_RATE)
    return rate is not None and len(rate) > 0 and float(rate.values.max()) <= 0


def _adapted(case: Case) -> bool:
    return bool(case.layers.of(Quantity.PARAMETER, Part.ADAPTER))
