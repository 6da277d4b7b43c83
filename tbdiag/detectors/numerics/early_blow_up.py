"""NUM002: the loss shoots up within the first batches and does not come back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.detectors.numerics import calming
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.role import Role
from tbdiag.model.series import Floats, Series
from tbdiag.signals.medians import median
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import tail
from tbdiag.synth import a_run, decay, flat, jitter, noisy


@dataclass(frozen=True, kw_only=True)
class EarlyBlowUp(Detector):
    """The loss shoots up within the first batches and does not come back.

    ## What it does

    Looks at the loss per batch at the start of a run: does it leap to a multiple of where it began,
    and stay there?

    ## Why is this bad?

    The first updates threw the weights away. What is left is a network with huge or dead units,
    worse than the one that was initialised, and it seldom recovers.

    ## How it is detected

    The largest of the first `window` losses is above `times` the median of the first `opening`
    ones, or, as the loss often leaps at the second batch, above `leap` times the very first. On a
    log scale it is also `deviations` times the noise of the loss above it. The median of the last
    tenth of the curve is still up there or, more than `patience` batches after the peak, has not
    fallen to the share `recovered` of where the loss began. A training loss will do where it holds
    `denser` times as many points as the validation loss, that is, where it is not the loss per
    epoch. Where the first `even` points rise evenly, the rule cannot tell.

    ## Remedy

    A tenth of the learning rate; then a warm-up, and clipping at the usual gradient norm.

    ## False alarms

    A first batch that was easy by chance is not a low start: only a tenfold leap counts against a
    single batch. Noise that reaches far up is judged by its own size. A blow-up that comes back,
    as that of every fiftieth healthy run does, is none of this rule's. Where losses become zero or
    negative a multiple means nothing. The running sum of an epoch, or a counter of batches in place
    of the loss, rises from the first batch on, but evenly. Policy and adversarial losses may rise.

    ## References

    Measured on 540 runs of a learning-rate sweep (Schneider, Balles and Hennig, "DeepOBS", 2019).
    """

    code, severity, since = "NUM002", Severity.ERROR, "0.1.0"
    needs = ((Role.BATCH_LOSS, Role.TRAIN_LOSS),)
    points = 20
    explains = (
        *("GRD001", "GRD002", "GRD003", "GRD004", "GRD005", "GRD006"),
        *("NUM003", "NUM004", "OPT001", "OPT003", "OPT004", "OPT005", "OPT006"),
        *("OPT008", "OPT009", "OPT010", "GEN002", "GEN003", "VAL002"),
    )

    window: Annotated[int, Threshold("batches that count as the start", at_least=5)] = 200
    opening: Annotated[int, Threshold("batches whose median is where it began", at_least=1)] = 3
    even: Annotated[int, Threshold("first points that tell a running sum", at_least=5)] = 20
    times: Annotated[float, Threshold("rise above the opening, as a multiple", above=1)] = 3.0
    leap: Annotated[float, Threshold("rise above the first batch, as a multiple", above=1)] = 10.0
    deviations: Annotated[
        float, Threshold("rise in units of the noise of the log loss", at_least=0)
    ] = 8.0
    recovered: Annotated[
        float, Threshold("end as a share of the start, at which all is well", above=0)
    ] = 0.9
    patience: Annotated[int, Threshold("batches that a recovery may take", at_least=1)] = 50
    denser: Annotated[float, Threshold("points per point of the validation loss", at_least=1)] = 2.0

    def cannot_tell(self, case: Case) -> str | None:
        curve = self._curve(case)
        if curve is None:
            return "the loss was logged once per epoch; log it per batch"
        if _rises_evenly(curve.values[: self.even]):
            return (
                "the loss rises evenly from the first batch on, as a running sum or a counter does"
            )
        if curve.values.min() <= 0:
            return "the loss reaches zero or less, and a multiple of it means nothing"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        curve = self._curve(case)
        assert curve is not None
        values = curve.values
        peak = int(values[: self.window].argmax())
        top, end = float(values[peak]), median(tail(values))
        opening = median(values[: self.opening])
        for start, limit in ((opening, self.times), (float(values[0]), self.leap)):
            if self._blew_up(values, start, limit):
                break
        else:
            return
        onset = int(np.argmax(values > limit * start))
        first, last = int(curve.steps[onset]), int(curve.steps[-1])
        yield self.finding(
            f"the loss rose to {_multiple(top / start)} times its start at step {curve.steps[peak]:,}"
            f" and still stands at {_multiple(end / start)} times it",
            Evidence(
                tag=curve.tag,
                span=(first, last),
                note="blown up",
                measures=(
                    Measure("rise", top / start, ">", limit),
                    Measure("end_ratio", end / start, ">", self.recovered),
                    Measure("onset_step", first),
                ),
            ),
            confidence=Confidence.HIGH if end > self.times * start else Confidence.MEDIUM,
            remedies=calming(case, until=first, divisor=10),
        )

    def _blew_up(self, values: Floats, start: float, limit: float) -> bool:
        rise = float(values[: self.window].max()) / start
        end, later = (
            median(tail(values)),
            len(values) - int(values[: self.window].argmax()),
        )
        stays = end > limit * start or (end > self.recovered * start and later > self.patience)
        return rise > limit and stays and np.log(rise) > self.deviations * noise(np.log(values))

    def _curve(self, case: Case) -> Series | None:
        """The loss per batch, or a training loss that is no loss per epoch."""
        batch, train = case.curve(Role.BATCH_LOSS), case.curve(Role.TRAIN_LOSS)
        if batch is not None and len(batch) >= self.points:
            return batch
        val = case.curve(Role.VAL_LOSS)
        if train is None or (val is not None and len(train) < self.denser * len(val)):
            return None
        return train

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Blow-ups that stay, at the second batch and later; recoveries and noise as traps."""
        calm = noisy(flat(30, 2.4), 0.03)
        yield fires(
            "blow-up that stays",
            a_run({Role.BATCH_LOSS: np.concatenate([calm, noisy(decay(270, 900, 40), 0.2, 1)])}),
            onset=31,
        )
        yield fires(
            "leap at the second batch",
            a_run({Role.BATCH_LOSS: np.concatenate([[2.3], noisy(decay(299, 5e4, 2.6), 0.1, 1)])}),
            onset=2,
        )
        yield fires(
            "logged as a training loss only",
            a_run(
                {
                    Role.TRAIN_LOSS: np.concatenate([calm, noisy(flat(270, 60), 0.5, 1)]),
                    Role.VAL_LOSS: flat(6, 60),
                }
            ),
        )
        yield silent("descent", a_run({Role.BATCH_LOSS: noisy(decay(300, 2.4, 0.3), 0.1)}))
        bump = decay(300, 2.4, 0.4) + 20 * np.exp(-((np.arange(300) - 40.0) ** 2) / 60)
        yield silent("comes back", a_run({Role.BATCH_LOSS: noisy(bump, 0.1)}))
        easy = np.concatenate([[0.3], noisy(decay(299, 2.4, 0.5), 0.1)])
        yield silent("easy first batch", a_run({Role.BATCH_LOSS: easy}))
        yield silent("batches of one sample", a_run({Role.BATCH_LOSS: noisy(flat(400, 1), 0.9, 3)}))
        elbo = jitter(300, 30.0) + decay(300, 60, -80)
        yield silent("crosses zero", a_run({Role.BATCH_LOSS: elbo}))
        sums = np.cumsum(noisy(decay(150, 2.4, 1.5), 0.2))
        yield silent("running sum", a_run({Role.BATCH_LOSS: np.concatenate([sums, sums, sums])}))
        yield silent(
            "adversarial",
            a_run(
                {
                    Role.BATCH_LOSS: np.concatenate([calm, flat(100, 60)]),
                    Role.D_LOSS: Series.of("loss_d", np.arange(1, 131), flat(130, 0.1)),
                    Role.G_LOSS: Series.of("loss_g", np.arange(1, 131), flat(130, 60)),
                }
            ),
        )


def _rises_evenly(values: Floats) -> bool:
    """Whether each value is above the one before, and half the way not much below half the rise."""
    half = float(values[len(values) // 2] - values[0])
    return bool(np.all(np.diff(values) > 0)) and half > (values[-1] - values[0]) / 4


def _multiple(ratio: float) -> str:
    return f"{ratio:.1f}" if ratio < 10 else f"{ratio:,.0f}" if ratio < 1e6 else f"{ratio:.1e}"
