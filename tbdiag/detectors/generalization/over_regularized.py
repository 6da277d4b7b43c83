"""GEN003: the penalties outweigh the data."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Suspicion, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Remedy, Scale
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import tail
from tbdiag.signals.stated import Family
from tbdiag.synth import a_run, a_stack, decay, flat, noisy

REMEDIES = (
    Remedy.turn(
        Knob.WEIGHT_DECAY,
        Scale(0.1),
        "Divide weight decay by 10",
        "the penalty holds the weights back more than the data pulls them",
    ),
    Remedy.turn(
        Knob.DROPOUT,
        Scale(0.5),
        "Halve dropout",
        "the network trains with too few of its units to fit the data",
    ),
)


@dataclass(frozen=True, slots=True)
class _Sign:
    text: str
    measure: Measure


@dataclass(frozen=True, kw_only=True)
class OverRegularized(Detector):
    """Regularisation holds the training result back more than it helps validation.

    ## What it does

    Looks for regularisation that costs more than it brings: training stays worse than validation
    at a poor level, the weights shrink towards zero, or the penalty is larger than the loss.

    ## Why is this bad?

    The network spends its capacity on obeying the penalty. Both losses end higher than they need to.

    ## How it is detected

    With `left` of the first loss left at the end, any of these. The training loss of the last
    tenth, moved back by the half epoch that its mean lags, is above the validation loss by the
    share `worse` and by three noise deviations, and the run is known to use dropout of `dropout`,
    weight decay of `decay` (`decoupled` for AdamW), or label smoothing of `smoothing` or more. The norm of the weights
    ends below `shrunk` of where it began; or, by histograms, the size of the median layer below `faded`, where the decay is `decay` or more, or not
    known and the run not lost, and the loss was never above `thrown` times its first value nor lost `regained` of its fall, as a rate makes it. The logged penalty is larger than the loss on the data.
    Dropout is `dropped` or more, or plain gradient descent, with momentum or without, decays weights by
    `coupled` or more, where 0.0005 is usual, while the training loss, or that of validation where training was logged by the batch or drops many units, bounces by
    less than `calm`, has not lost `regained` of its fall again, and validation ends at most `ahead` above training. It
    is an error where more than `stuck` is left to learn, and a note where all there is is a training loss above that of
    validation under a dropout that is below `dropped`.

    ## Remedy

    A tenth of the weight decay, half the dropout.

    ## False alarms

    Dropout and augmentation always put the training loss above the validation loss; only strong
    ones at a poor level count. In contrastive and variational models the two losses differ by
    design.

    ## References

    Goodfellow, Bengio, Courville, "Deep learning" (2016), §7.
    """

    code, severity, since = "GEN003", Severity.WARNING, "0.1.0"
    suspicion = Suspicion("over-regularized", "that too much regularisation held back", REMEDIES)
    needs = (Role.TRAIN_LOSS,)
    points = 8
    explains = ("OPT001", "OPT004", "OPT006", "GEN002", "VAL003")
    leads = ("GRD005",)  # of weights that shrink towards nothing every step is a large share

    left: Annotated[float, Threshold("last loss over first", above=0)] = 0.2
    worse: Annotated[float, Threshold("training above validation, as a share", above=0)] = 0.2
    dropout: Annotated[float, Threshold("strong dropout", above=0, at_most=1)] = 0.5
    decay: Annotated[float, Threshold("strong weight decay", above=0)] = 0.01
    decoupled: Annotated[float, Threshold("strong weight decay of AdamW", above=0)] = 0.3
    smoothing: Annotated[float, Threshold("strong label smoothing", above=0, at_most=1)] = 0.2
    coupled: Annotated[float, Threshold("weight decay beyond use without Adam", above=0)] = 0.02
    dropped: Annotated[float, Threshold("dropout beyond use", above=0, at_most=1)] = 0.8
    ahead: Annotated[
        float, Threshold("lead of training, as a share, that it would earn", above=0)
    ] = 0.25
    calm: Annotated[float, Threshold("relative noise of a loss that a penalty holds", above=0)] = (
        0.015
    )
    regained: Annotated[float, Threshold("share of the fall lost again", above=0)] = 0.02
    stuck: Annotated[float, Threshold("share left to learn of a lost run", above=0)] = 0.95
    faded: Annotated[float, Threshold("last size of the median layer over the first", above=0)] = (
        0.5
    )
    thrown: Annotated[float, Threshold("highest loss over the first, of a rate", above=1)] = 1.5
    shrunk: Annotated[float, Threshold("last norm of the weights over the first", above=0)] = 0.3

    def cannot_tell(self, case: Case) -> str | None:
        """Without validation, norms and penalties there is nothing to compare with."""
        others = (Role.VAL_LOSS, Role.WEIGHT_NORM, Role.REGULARIZATION_LOSS)
        if all(case.curve(role) is None for role in others) and not case.layers.kernels:
            return "neither a validation loss nor a weight norm nor a penalty was logged"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        """One finding where the penalties win."""
        seen, curve = case.progress, case.the(Role.TRAIN_LOSS)
        if not seen.left > self.left:
            return
        signs = [
            sign
            for sign in (
                self._behind(case),
                self._shrinking(case),
                self._penalty(case),
                self._beyond_use(case),
            )
            if sign is not None
        ]
        if not signs:
            return
        settings = self._strong(case)
        known = f" under {settings}" if settings else ""
        yield self.finding(
            f"regularisation is too strong{known}: {' and '.join(sign.text for sign in signs)}",
            Evidence(
                tag=curve.tag,
                span=(int(curve.steps[len(curve) // 2]), int(curve.steps[-1])),
                note="held back",
                measures=tuple(sign.measure for sign in signs),
            ),
            severity=self._severity(case, signs),
            confidence=Confidence.HIGH if len(signs) > 1 else Confidence.MEDIUM,
            remedies=REMEDIES,
        )

    def _severity(self, case: Case, signs: list[_Sign]) -> Severity:
        """A note where training is behind, as under any dropout, and nothing else is strong."""
        dropout, decay = case.number(Knob.DROPOUT), case.number(Knob.WEIGHT_DECAY)
        usual = dropout is not None and self.dropout <= dropout < self.dropped
        alone = [sign.measure.name for sign in signs] == ["worse"] and (decay or 0) < self.decay
        if usual and alone and not case.unlearned > self.stuck:
            return Severity.NOTE
        return Severity.ERROR if case.unlearned > self.stuck else Severity.WARNING

    def _behind(self, case: Case) -> _Sign | None:
        val = case.curve(Role.VAL_LOSS)
        if val is None or len(val) < self.points or not self._strong(case):
            return None
        train = case.train_level_at_validation
        theirs, ours = tail(val.values), tail(train)
        mean = float(np.mean(theirs))
        lead = float(np.mean(ours)) - mean
        if mean <= 0 or lead <= max(self.worse * mean, 3 * noise(val.values)):
            return None
        ratio = lead / mean
        text = f"the training loss stays {ratio:.0%} above the validation loss"
        return _Sign(text, Measure("worse", ratio, ">", self.worse))

    def _beyond_use(self, case: Case) -> _Sign | None:
        """A setting that is strong in any network, where it did not keep validation from rising."""
        family = case.optimizer
        plain = family if family in (Family.SGD, Family.MOMENTUM) else None
        decay, dropout = case.number(Knob.WEIGHT_DECAY), case.number(Knob.DROPOUT)
        if plain is not None and decay is not None and decay >= self.coupled:
            value, limit, text = (
                decay,
                self.coupled,
                f"{plain.phrase} adds {decay:g} of every weight to its gradient",
            )
        elif dropout is not None and dropout >= self.dropped:
            value, limit, text = (
                dropout,
                self.dropped,
                f"only {1 - dropout:.0%} of the units are kept",
            )
        else:
            return None
        val = case.curve(Role.VAL_LOSS)
        if val is None or len(val) < self.points or not self._settled(case, val):
            return None
        ours, theirs = tail(case.train_level_at_validation), tail(val.values)
        if median(theirs) > (1 + self.ahead) * median(ours):
            return None
        left = case.progress.left
        return _Sign(
            f"{text}, and {left:.0%} of the first loss is left",
            Measure("setting", value, ">=", limit),
        )

    def _settled(self, case: Case, val: Series) -> bool:
        """Whether the loss neither bounces nor climbs, which is the work of a rate.

        Where training scatters by its batches, or by its dropped units, validation tells.
        """
        if not case.progress.regained < self.regained:
            return False
        if case.progress.noise < self.calm:
            return True
        batch, late = case.curve(Role.BATCH_LOSS), val.values[len(val) // 2 :]
        scatters = batch is not None and batch.tag == case.the(Role.TRAIN_LOSS).tag
        scatters = scatters or (case.number(Knob.DROPOUT) or 0.0) >= self.dropout
        return scatters and noise(late) < self.calm * abs(median(late))

    def _shrinking(self, case: Case) -> _Sign | None:
        norm = case.curve(Role.WEIGHT_NORM)
        if norm is not None and len(norm) >= self.points and norm.values[0] > 0:
            kept, limit = float(median(tail(norm.values)) / norm.values[0]), self.shrunk
        else:
            kept, limit = self._kept(case), self.faded
        if not kept < limit:
            return None
        return _Sign(
            f"the weights shrank to {kept:.0%} of their norm",
            Measure("shrunk", kept, "<", limit),
        )

    def _kept(self, case: Case) -> float:
        """What is left of the weights by histograms; NaN where something else lets them shrink.

        A rate that is too high throws the loss up first; where nothing arrives any decay takes all.
        """
        decay = case.number(Knob.WEIGHT_DECAY)
        if not case.run.histograms or (decay is not None and decay < self.decay):
            return math.nan
        if decay is None and case.unlearned > self.stuck:
            return math.nan
        loss = case.curve(Role.BATCH_LOSS) or case.the(Role.TRAIN_LOSS)
        first, regained = case.initial_loss or 0.0, case.progress.regained
        if float(loss.values.max()) > self.thrown * first or not regained < self.regained:
            return math.nan
        return case.layers.kept

    def _penalty(self, case: Case) -> _Sign | None:
        penalty, data = case.curve(Role.REGULARIZATION_LOSS), case.curve(Role.DATA_LOSS)
        data = data if data is not None else case.curve(Role.TRAIN_LOSS)
        if penalty is None or data is None or not len(penalty) or not len(data):
            return None
        share = median(tail(penalty.values)) / max(median(tail(data.values)), 1e-300)
        if share <= 1:
            return None
        return _Sign(
            f"the penalty is {share:.1f} times the loss on the data",
            Measure("penalty", share, ">", 1.0),
        )

    def _strong(self, case: Case) -> str:
        """The known settings that are strong, in words; empty where none is."""
        # AdamW takes the decay times the rate off the weights, of which .01 is what it is by default.
        apart = "adamw" in str(case.knobs.get(Knob.OPTIMIZER, "")).lower()
        limits = (
            (Knob.DROPOUT, self.dropout, "dropout"),
            (Knob.WEIGHT_DECAY, self.decoupled if apart else self.decay, "weight decay"),
            (Knob.LABEL_SMOOTHING, self.smoothing, "label smoothing"),
        )
        found = [(word, case.number(knob), limit) for knob, limit, word in limits]
        return " and ".join(
            f"{word} {value:g}"
            for word, value, limit in found
            if value is not None and value >= limit
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Held-back training; ordinary dropout and lag as traps."""
        train, val = noisy(decay(60, 2.3, 1.2, 8), 0.01), noisy(decay(60, 2.3, 0.8, 8), 0.01, 1)
        both = {Role.TRAIN_LOSS: train, Role.VAL_LOSS: val}
        yield fires("strong dropout", a_run(both, hparams={"dropout": 0.7}))
        yield fires(
            "shrinking weights",
            a_run(
                {
                    Role.TRAIN_LOSS: noisy(decay(60, 2.3, 1.6, 8), 0.01),
                    Role.WEIGHT_NORM: _norm(decay(60, 10, 0.5, 8)),
                }
            ),
        )
        slow = {Role.TRAIN_LOSS: noisy(decay(60, 2.3, 1.2, 8), 0.01)}
        for left, settings, sample in (
            (0.3, {}, fires),
            (0.3, {"weight_decay": 1e-4}, silent),
            (0.8, {}, silent),
        ):
            sizes = np.outer(np.ones(3), 0.2 * np.linspace(1, left, 6))
            yield sample(
                f"layers of which {left} is left, {settings or 'nothing'} known",
                a_run(
                    slow,
                    histograms=a_stack("fc{}.weight", sizes, [1, 12, 24, 36, 48, 60]),
                    hparams=settings,
                ),
            )
        thrown = np.concatenate([[2.3, 9.0, 6.0], slow[Role.TRAIN_LOSS][3:]])
        sizes = np.outer(np.ones(3), 0.2 * np.linspace(1, 0.3, 6))
        yield silent(
            "a loss that was thrown up",
            a_run(
                {Role.TRAIN_LOSS: thrown},
                histograms=a_stack("fc{}.weight", sizes, [1, 12, 24, 36, 48, 60]),
            ),
        )
        level = noisy(decay(60, 2.3, 0.8, 40), 0.002)
        calm = {Role.TRAIN_LOSS: level, Role.VAL_LOSS: level * 1.1}
        coupled: dict[str, str | float] = {
            "optimizer": "sgd",
            "momentum": 0.9,
            "weight_decay": 0.1,
        }
        yield fires("a decay beyond use", a_run(calm, hparams=coupled))
        yield fires("nine tenths dropped", a_run(calm, hparams={"dropout": 0.9}))
        yield silent("the same, decoupled", a_run(calm, hparams={**coupled, "optimizer": "adamw"}))
        over = {Role.TRAIN_LOSS: level, Role.VAL_LOSS: level * 1.5}
        yield silent("a decay that an overfit network needs", a_run(over, hparams=coupled))
        bouncing = {Role.TRAIN_LOSS: noisy(level, 0.05), Role.VAL_LOSS: level * 1.1}
        yield silent("a loss that bounces", a_run(bouncing, hparams=coupled))
        shaken = {"dropout": 0.9}
        yield fires("training that scatters by its dropped units", a_run(bouncing, hparams=shaken))
        both_bounce = {Role.TRAIN_LOSS: noisy(level, 0.05), Role.VAL_LOSS: noisy(level, 0.05, 1)}
        yield silent("both losses bounce", a_run(both_bounce, hparams=shaken))
        yield silent("augmentation, no strong setting", a_run(both, hparams={"dropout": 0.1}))
        yield silent("no setting known", a_run(both))
        good = {
            Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.3, 8), 0.01),
            Role.VAL_LOSS: noisy(decay(60, 2.3, 0.2, 8), 0.01, 1),
        }
        yield silent("dropout that works", a_run(good, hparams={"dropout": 0.5}))
        yield silent(
            "steady weights",
            a_run({Role.TRAIN_LOSS: train, Role.WEIGHT_NORM: _norm(flat(60, 10))}),
        )


def _norm(values: Floats) -> Series:
    return Series.of("weight_norm", np.arange(1, len(values) + 1), values)
