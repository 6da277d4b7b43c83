"""INI003: weights that start at the wrong scale."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.detectors.gradients.remedies import HE, NORMALIZE
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.series import Floats
from tbdiag.naming.layers import Part, Quantity, network_order
from tbdiag.naming.words import shown
from tbdiag.signals.gains import Gain, bounded, first_gains, is_early, normalized
from tbdiag.signals.layers import Tensor
from tbdiag.signals.medians import median
from tbdiag.signals.reaction import fall_at_once
from tbdiag.signals.stated import Family
from tbdiag.synth import a_run, a_stack, decay, flat, jitter, noisy

REMEDIES = (HE, NORMALIZE)


@dataclass(frozen=True, kw_only=True)
class BadlyScaledWeights(Detector):
    """Weights start far too large or too small for the number of inputs, and signals show it.

    ## What it does

    Compares the first weights of each layer with the scale that keeps a signal as it is.

    ## Why is this bad?

    A signal is multiplied by the gain of each layer, and a gradient on its way back. Where the gain is
    four, six layers make it four thousand times as large: units saturate, gradients explode.
    Where it is a tenth nothing arrives.

    ## How it is detected

    The gain of a layer is the root mean square of its weights times the square root of its
    inputs, whose number is that of its weights over that of its biases. Rules of initialisation
    give 0.6 to 1.7. A record that may have come after the first step counts where the weights are `moved` times that step
    or more, which is the rate itself unless the optimizer is plain gradient descent. In the first record, no later than at the share `early` of the steps that were
    logged, the median over two or more layers, the last one aside, is

    - above `absurd`, unless units are known to be bounded; or, where no activations were logged, above `unseen`, or, there or where units
      are bounded, above `huge` in `layers` or more layers alike (`even`), as weights are drawn and never trained; or above `large`, and the activations of the same record change their size by
      more than `drift` over the layers, or the gradients by more than `steep` over `layers` layers
      or more, or the first loss is `calmed` times what it is after a twentieth of the run, as of outputs that are far too large;
    - below `small`, or below `weak` where the run is lost, or the squares of the gains differ by
      more than `uneven`; and signals show it likewise, unless they differ by more than the square of `uneven`; and
      more than `learned` is left to learn of the loss, and of the errors where an accuracy was logged. Above that
      square it is a note from `lagging` on.

    Where weights do not tell, the first gradient may: outputs whose squared gradient is above `reacting` times four
    losses (`tbdiag/signals/reaction.py`) have weights of no usual size before them, if the norm falls by
    `calmed` at once or breaks off; and so has what is a part of one `settled` th of that, and is `settled` times as much as in the later run. And norms take out the scale of a signal, but a layer learns the more slowly the larger its
    weights are: behind them a gain above `absurd` that is `apart` times the least one is a note where more than
    `lagging` is left, and so is an embedding of a size above `token` in any network.

    Where the number of inputs is not known, as without biases, a root mean square above `largest` is too large for
    any, if signals or gradients show it and a third of `learned` is left.

    It is an error where the run is lost: more than `stuck` is left to learn; or where more than `learned` is, and the gain
    above `absurd` or the squares differ by more than that of `uneven`.

    ## Remedy

    He's or Xavier's initialisation; normalisation makes the scale matter less.

    ## False alarms

    Networks with normalisation layers do not mind the scale, last layers and residual branches start small
    on purpose, embeddings have a scale of their own: none of them moves the median of the others.

    ## References

    He et al., "Delving deep into rectifiers" (2015). Mishkin, Matas, "All you need is a good init"
    (2016).
    """

    code, severity, since = "INI003", Severity.WARNING, "0.1.0"
    suspicion = Suspicion("badly-scaled-weights", "whose weights began at a wrong scale", REMEDIES)
    needs = ((Role.TRAIN_LOSS, Role.BATCH_LOSS),)
    points = 2
    scale_free = False  # a gradient is held against its loss
    explains = ("INI002", "GRD001", "GRD002", "GRD003", "GRD005", "OPT001", "OPT002", "OPT003",
                "OPT004", "OPT005", "OPT006", "OPT008", "OPT009", "GEN002", "GEN003")  # fmt: skip
    leads = ("NUM001", "NUM002")  # the scale was there before the first step

    early: Annotated[float, Threshold("latest share of the run for the start", at_least=0)] = 0.02
    absurd: Annotated[float, Threshold("gain that is too large in any network", above=0)] = 10.0
    moved: Annotated[
        float, Threshold("first weights over a step of Adam, to be the first", above=0)
    ] = 3.0
    unseen: Annotated[float, Threshold("the same where no activations were logged", above=0)] = 5.0
    huge: Annotated[float, Threshold("gain that is too large in all layers alike", above=0)] = 2.5
    even: Annotated[
        float, Threshold("largest gain over smallest, as one rule draws them", above=1)
    ] = 1.4
    large: Annotated[float, Threshold("gain of weights that are too large", above=0)] = 2.0
    small: Annotated[float, Threshold("gain of weights that are too small", above=0)] = 0.2
    weak: Annotated[float, Threshold("gain that is too small in a lost run", above=0)] = 0.5
    largest: Annotated[float, Threshold("size of a weight with a single input", above=0)] = 1.5
    uneven: Annotated[float, Threshold("squared gain, largest over smallest", above=1)] = 10.0
    drift: Annotated[float, Threshold("change of the activations' size", above=1)] = 10.0
    steep: Annotated[float, Threshold("change of the gradients' size", above=1)] = 70.0
    calmed: Annotated[float, Threshold("first loss over that soon after", above=1)] = 4.0
    reacting: Annotated[float, Threshold("first squared gradient over the loss", above=0)] = 1e4
    settled: Annotated[float, Threshold("the same over that of the later run", above=1)] = 100.0
    apart: Annotated[float, Threshold("gain over the least, with norms between", above=1)] = 7.0
    token: Annotated[float, Threshold("size of an embedding no rule draws", above=0)] = 3.0
    lagging: Annotated[float, Threshold("share left to learn of a slow layer", above=0)] = 0.15
    layers: Annotated[int, Threshold("layers that make a depth", at_least=2)] = 3
    learned: Annotated[float, Threshold("share left to learn of a good run", above=0)] = 0.3
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.9

    def cannot_tell(self, case: Case) -> str | None:
        if self._reacts(case):
            return None
        if self._slowed(case):
            return None
        if normalized(case.layers):
            return "the network has normalisation layers, which take out the scale of weights"
        if len(self._gains(case)) < 2 and len(self._starting(case)) < 2:
            return "no histograms of weights of two layers or more were logged at first"
        return None

    def _reacts(self, case: Case) -> bool:
        """Whether the first gradient is out of all proportion to the first loss, and was not later, or the run broke."""
        norm, first = case.curve(Role.GRAD_NORM), case.reaction or 0.0
        if norm is None or not first > self.reacting / self.settled:
            return False
        if first > self.settled * (case.later_reaction or math.inf):
            return True
        broke = len(norm.nonfinite) and norm.nonfinite.steps[-1] > norm.steps[-1]
        fell = (fall_at_once(norm.values) or 0.0) > self.calmed
        return first > self.reacting and bool(broke or fell)

    def _by_reaction(self, case: Case) -> list[Finding]:
        """What a gradient tells that no weights of a usual size make, where the weights themselves do not."""
        loss, norm = case.curve(Role.BATCH_LOSS), case.curve(Role.GRAD_NORM)
        if loss is None or norm is None or not self._reacts(case):
            return []
        step = int(norm.steps[0])
        finding = self.finding(
            f"the gradient at step {step:,} is {norm.values[0]:.2g} where the loss is {loss.values[0]:.2g}: the"
            " outputs react to the weights as those of no usual size do",
            Evidence(
                tag=norm.tag,
                span=(step, step),
                note="as it starts",
                measures=(Measure("reaction", case.reaction or 0.0, ">", self.reacting),),
            ),
            severity=Severity.ERROR if case.unlearned > self.stuck else Severity.WARNING,
            confidence=Confidence.MEDIUM,
            remedies=REMEDIES,
        )
        return [finding]

    def _slowed(self, case: Case) -> list[Finding]:
        """Weights beyond any rule behind which norms stand: their layer learns the more slowly for them."""
        if not case.unlearned > self.lagging:
            return []
        gains = self._gains(case) if normalized(case.layers) else []
        least = min((each.value for each in gains), default=0.0)
        limit = max(self.absurd, self.apart * least)
        far = [(each.tensor, Measure("gain", each.value, ">", limit)) for each in gains]
        far += [
            (each, Measure("rms", float(each.rms[0]), ">", self.token))
            for each in case.layers.of(Quantity.PARAMETER, Part.EMBEDDING)
            if self._is_early(each)
        ]
        far = [(tensor, measure) for tensor, measure in far if measure.value > (measure.limit or 0)]
        if not far:
            return []
        tensor, measure = max(far, key=lambda each: each[1].value)
        step, what = tensor.span[0], "gain" if measure.name == "gain" else "size"
        finding = self.finding(
            f"the weights of {shown(tensor.tag)} begin with a {what} of {measure.value:.2g} at step {step:,}:"
            " norms take that out of the signal, but the larger they are the more slowly they learn",
            Evidence(tag=tensor.tag, span=(step, step), note="as it starts", measures=(measure,)),
            severity=Severity.NOTE,
            confidence=Confidence.MEDIUM,
            remedies=(HE,),
        )
        return [finding]

    def check(self, case: Case) -> Iterator[Finding]:
        yield from self._by_weights(case) or self._slowed(case) or self._by_reaction(case)

    def _by_weights(self, case: Case) -> list[Finding]:
        return [] if normalized(case.layers) else list(self._signals_off(case))

    def _signals_off(self, case: Case) -> Iterator[Finding]:
        gains = self._gains(case)
        if len(gains) < 2:
            yield from self._beyond_any(case)
            return
        found = self._off(np.array([each.value for each in gains]), case.unlearned)
        if found is None:
            return
        what, measure = found
        shown = self._shown(case)
        too_large = measure.name == "gain" and measure.value > self.large
        if shown is None and too_large:
            shown = self._too_loud(case)
        doubtless = self._undrawn(measure) or (
            too_large and self._beyond_doubt(case, gains, measure.value)
        )
        if shown is None and not doubtless:
            return
        step = gains[0].tensor.span[0]
        yield self.finding(
            f"the weights {what} at step {step:,}" + (f", and {shown[0]}" if shown else ""),
            *(
                Evidence(
                    tag=each.tensor.tag,
                    span=(each.tensor.span[0], each.tensor.span[0]),
                    note="as it starts",
                    measures=(measure, Measure("own_gain", each.value)),
                )
                for each in gains
            ),
            *((shown[1],) if shown else ()),
            severity=self._severity(case, measure),
            remedies=REMEDIES,
        )

    def _beyond_doubt(self, case: Case, gains: list[Gain], usual: float) -> bool:
        """Whether weights are so large that no signal need show it: less so where none was logged, or could."""
        limited = bounded(case.layers)
        if case.layers.activations and not limited:
            return usual > self.absurd
        values = [each.value for each in gains]
        alike = len(gains) >= self.layers and max(values) < self.even * min(values)
        return (usual > self.unseen and not limited) or (alike and usual > self.huge)

    def _undrawn(self, measure: Measure) -> bool:
        """Whether layers differ by more than weights that one rule draws ever do."""
        return measure.name == "squared_gain_ratio" and measure.value > self.uneven**2

    def _severity(self, case: Case, measure: Measure) -> Severity:
        """An error in a lost run, and where no rate or order of the data could be why it is poor."""
        far = (
            measure.value > self.absurd
            if measure.name == "gain"
            else measure.value > self.uneven**2
        )
        if case.unlearned > self.stuck or (far and case.unlearned > self.learned):
            return Severity.ERROR
        if measure.name == "squared_gain_ratio" and not case.unlearned > self.learned:
            return Severity.NOTE
        return Severity.WARNING

    def _starting(self, case: Case) -> list[Tensor]:
        return [each for each in case.layers.kernels if self._is_early(each)]

    def _beyond_any(self, case: Case) -> Iterator[Finding]:
        """Weights larger than any number of inputs explains, where the number is not known."""
        far = [each for each in self._starting(case) if float(each.rms[0]) > self.largest]
        shown = self._shown(case) if far else None
        if not far or shown is None or not case.unlearned > self.learned / 3:
            return
        worst = max(far, key=lambda each: float(each.rms[0]))
        measure = Measure("rms", float(worst.rms[0]), ">", self.largest)
        yield self.finding(
            f"weights of size {float(worst.rms[0]):.2g} at step {worst.span[0]:,} are too large for any"
            f" number of inputs, and {shown[0]}",
            Evidence(
                tag=worst.tag,
                span=(worst.span[0], worst.span[0]),
                note="as it starts",
                measures=(measure,),
            ),
            shown[1],
            severity=Severity.ERROR if case.unlearned > self.stuck else Severity.WARNING,
            remedies=REMEDIES,
        )

    def _off(self, gains: Floats, left: float) -> tuple[str, Measure] | None:
        """What is wrong with the gains, and its measure."""
        usual, spread = median(gains), float((gains.max() / gains.min()) ** 2)
        if usual > self.large:
            limit = self.absurd if usual > self.absurd else self.large
            return f"scale a signal by {usual:.2g} a layer", Measure("gain", usual, ">", limit)
        weakest = self.weak if left > self.stuck else self.small
        if not left > self.lagging:
            return None
        learned = not left > self.learned
        if usual < weakest and not learned:
            return f"scale a signal by {usual:.2g} a layer", Measure("gain", usual, "<", weakest)
        if spread > (self.uneven**2 if learned else self.uneven):
            measure = Measure("squared_gain_ratio", spread, ">", self.uneven)
            return f"have gains that differ {math.sqrt(spread):.2g}-fold by layer", measure
        return None

    def _gains(self, case: Case) -> list[Gain]:
        """The gains of the hidden layers at the start, as far as the number of inputs is known."""
        return first_gains(case.layers, self.early, self.moved * _first_step(case))

    def _is_early(self, tensor: Tensor) -> bool:
        return is_early(tensor, self.early)

    def _shown(self, case: Case) -> tuple[str, Evidence] | None:
        """What the signals of the first record show, and the proof of it."""
        active = [each for each in case.layers.activations if self._is_early(each)]
        order = network_order([each.name.layer for each in active], [each.tag for each in active])
        if len(active) > 1 and order is not None:
            first, last = active[order[0]], active[order[-1]]
            change = float(last.rms[0] / first.rms[0]) if first.rms[0] > 0 else 0.0
            if change > 0 and max(change, 1 / change) > self.drift:
                return f"activations change {change:.2g}-fold over the layers", Evidence(
                    tag=last.tag,
                    span=(last.span[0], last.span[0]),
                    note="against the first layer",
                    measures=(Measure("activation_ratio", change),),
                )
        seen = case.layers.gradients
        if seen is None or len(seen) < self.layers or not seen.ordered:
            return None
        if not (seen.rms[:, 0] > 0).all():
            return None
        change = float(seen.rms[0, 0] / seen.rms[-1, 0])
        if max(change, 1 / change) > self.steep:
            return f"gradients change {change:.2g}-fold on their way back", Evidence(
                tag=seen.tags[0],
                span=(seen.spans[0][0], seen.spans[0][0]),
                note="against the last layer",
                measures=(Measure("gradient_ratio", change),),
            )
        return None

    def _too_loud(self, case: Case) -> tuple[str, Evidence] | None:
        """What a first loss shows that the first steps took down manifold."""
        loss = case.curve(Role.BATCH_LOSS) or case.the(Role.TRAIN_LOSS)
        fall = fall_at_once(loss.values)
        if fall is None or not fall > self.calmed:
            return None
        return f"the loss, {loss.values[0]:.3g} at first, fell {fall:.2g}-fold at once", Evidence(
            tag=loss.tag,
            span=(int(loss.steps[0]), int(loss.steps[len(loss) // 10])),
            note="came down at once",
            measures=(Measure("first_loss_ratio", fall, ">", self.calmed),),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Weights too large and too small; good ones, normalised ones and small heads as traps."""
        poor = {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 1.7), 0.01)}
        at = [0, 20, 40]
        yield fires("too large", a_run(poor, histograms=_network([0.8] * 4, 6.0, at)))
        yield fires("too small", a_run(poor, histograms=_network([0.01] * 4, 0.05, at)))
        yield fires(
            "absurd in one hidden layer", a_run(poor, histograms=_network([2.0, 2.0], 1.0, at))
        )
        yield silent(
            "too small, and learned all the same",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(40, 2.3, 0.1), 0.01)},
                histograms=_network([0.01] * 4, 0.05, at),
            ),
        )
        yield fires("uneven", a_run(poor, histograms=_network([1.2, 0.1, 0.06, 0.1], 0.1, at)))
        yield silent("He's rule", a_run(poor, histograms=_network([0.177] * 4, 1.0, at)))
        yield silent("small head", a_run(poor, histograms=_network([0.177] * 3 + [1e-3], 1.0, at)))
        yield silent(
            "normalised",
            a_run(
                poor,
                histograms={
                    **_network([0.8] * 4, 6.0, at),
                    "bn1.weight": {step: np.ones(16) for step in at},
                },
            ),
        )
        yield silent("large without harm", a_run(poor, histograms=_network([0.8] * 4, 1.2, at)))
        loud = {Role.TRAIN_LOSS: noisy(decay(60, 400.0, 1.0, 40), 0.02)}
        yield fires("huge in all layers alike", a_run(poor, histograms=_plain([0.5] * 5)))
        yield silent(
            "huge after a first step as long",
            a_run({**poor, Role.LEARNING_RATE: flat(40, 0.4)}, histograms=_plain([0.5] * 5)),
        )
        yield silent(
            "large in some layers, as trained",
            a_run(poor, histograms=_plain([0.5, 0.3, 0.4, 0.2, 0.3])),
        )
        yield fires(
            "large, and a loss that comes down at once",
            a_run(loud, histograms=_plain([0.28, 0.4, 0.3, 0.35])),
        )
        yield silent(
            "a loss that comes down at once alone", a_run(loud, histograms=_plain([0.17] * 4))
        )
        yield silent(
            "large, and a loss that falls as usual",
            a_run(
                {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.5, 3), 0.01)},
                histograms=_plain([0.28, 0.4, 0.3, 0.35]),
            ),
        )
        yield from cls._further_samples(poor, at)
        yield silent(
            "logged late",
            a_run(poor, histograms=_network([0.8] * 4, 6.0, [20, 30, 40])),
        )

    @classmethod
    def _further_samples(cls, poor: dict[Role, Floats], at: list[int]) -> Iterator[Sample]:
        """What the first gradient tells without weights; large weights behind norms, and embeddings."""
        for first, falls, sample in (
            (3e4, True, fires),
            (3e4, False, silent),  # as large later on: the loss is a sum, say
            (60.0, True, silent),
        ):
            norm = noisy(decay(200, first, 2.0, 60) if falls else flat(200, first), 0.1)
            losses = noisy(decay(200, 900.0, 1.0, 30), 0.05)
            yield sample(
                f"a first gradient of {first:g}" + ("" if falls else ", and no less later"),
                a_run({Role.BATCH_LOSS: losses, Role.GRAD_NORM: norm, **poor}),
            )
        for scale, sample in ((3.0, fires), (0.8, silent)):
            apart = {
                **_plain([scale, 0.1, 0.1, 0.1]),
                "bn1.weight": {step: np.ones(16) for step in at},
            }
            yield sample(f"norms behind weights of {scale:g}", a_run(poor, histograms=apart))
        for size, sample in ((8.0, fires), (1.0, silent)):
            tokens = {"embedding.weight": {step: jitter(400, size, 5) for step in at}}
            network = {**_plain([0.17] * 3), **tokens}
            yield sample(f"an embedding of size {size:g}", a_run(poor, histograms=network))


def _first_step(case: Case) -> float:
    """How far the first step moves each weight, as optimizers do that divide by the gradient's size; else 0."""
    if case.optimizer in (Family.SGD, Family.MOMENTUM):
        return 0.0
    rate = case.curve(Role.LEARNING_RATE)
    if rate is not None and len(rate):
        return float(rate.values[0])
    return case.number(Knob.LR) or 0.0 if case.optimizer is Family.ADAM else 0.0


def _plain(scales: list[float]) -> dict[str, dict[int, Floats]]:
    """The same without activations."""
    network = _network(scales, 1.0, [0, 20, 40])
    return {tag: values for tag, values in network.items() if not tag.startswith("activations")}


def _network(scales: list[float], gain: float, steps: list[int]) -> dict[str, dict[int, Floats]]:
    """Layers of 16 units with 64 inputs each, and activations that change by ``gain`` a layer."""
    rows = np.ones(len(steps))
    table = np.outer(scales, rows)
    sizes = np.outer([gain**layer for layer in range(len(scales) - 1)], rows)
    return {
        **a_stack("weights/layer{}", table, steps, numbers=1024),
        **a_stack("biases/layer{}", np.full_like(table, 1e-3), steps, numbers=16),
        **a_stack("activations/layer{}", sizes, steps),
        "loss_of_examples": {step: jitter(30, 1.0) for step in steps},
    }
