"""NUM003: the training loss climbs away from its best and does not come back."""

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
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.medians import median, medians
from tbdiag.signals.noise import noise
from tbdiag.signals.smoothing import tail
from tbdiag.synth import a_run, cosine, decay, flat, noisy, u_turn


@dataclass(frozen=True, kw_only=True)
class LateDivergence(Detector):
    """The training loss climbs away from its best and does not come back.

    ## What it does

    Looks for a training loss that had learned something and has lost it again for good.

    ## Why is this bad?

    The optimizer has left the region that it had found. The rest of the run is wasted, and the last
    checkpoint is worse than an earlier one, on the training data as well.

    ## How it is detected

    The curve is cut into `windows` windows, and the median taken in each. The last `last` of them
    all stand above the lowest by the share `rise` of it, by `deviations` times the noise of
    successive differences (before the lowest, where that is `calm` points or more), and by the share `regained` of what the loss had fallen. It had fallen
    by the share `fall` of its first value, and by `deviations` times the noise. The end keeps at
    least the share `kept` of the climb from the lowest window to the highest one after it, as far as
    that stays below where the loss began, and no
    learning rate rose to `restart` times its lowest value meanwhile.

    ## Remedy

    Go back to the best checkpoint with a tenth of the learning rate; warm-up and clipping next.

    ## False alarms

    A spike that recovers, or a loss that comes down again after a change of the data. A learning
    rate that restarts after its warm-up lifts the loss on purpose, as long as it stays below its
    first value. Where the validation loss still stands at
    its best, within the share `rise`, the training data became harder, not the network worse. The
    jitter of a loss that is all but zero is a tiny share of what it had fallen. A curve that only
    ever rose had nothing to lose: no learning, or an accuracy under the name of a loss.

    ## References

    Cohen et al., "Adaptive gradient methods at the edge of stability" (2022); measured on 540 runs
    of a learning-rate sweep (Schneider, Balles and Hennig, "DeepOBS", 2019).
    """

    code, severity, since = "NUM003", Severity.ERROR, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    points = 20
    explains = (
        *("GRD001", "GRD002", "GRD003", "GRD004", "GRD005"),
        *("NUM004", "OPT001", "OPT003", "OPT004", "OPT005", "OPT006", "OPT008", "OPT010"),
        *("GEN002", "GEN004", "GEN005", "VAL002"),
    )

    windows: Annotated[int, Threshold("windows over the curve", at_least=8)] = 20
    last: Annotated[int, Threshold("windows at the end that stay up", at_least=1)] = 3
    rise: Annotated[float, Threshold("climb above the best, as a share of it", above=0)] = 0.2
    deviations: Annotated[float, Threshold("climb in units of the noise", at_least=0)] = 5.0
    regained: Annotated[
        float, Threshold("climb as a share of the fall before", at_least=0, at_most=1)
    ] = 0.1
    fall: Annotated[float, Threshold("fall before the best, as a share", at_least=0)] = 0.02
    kept: Annotated[
        float, Threshold("share of the highest climb left at the end", at_least=0, at_most=1)
    ] = 0.5
    restart: Annotated[float, Threshold("rise of the rate that is a restart", above=1)] = 2.0
    calm: Annotated[int, Threshold("points before the best that tell the noise", at_least=3)] = 8

    def check(self, case: Case) -> Iterator[Finding]:
        loss = case.thinned(case.training)  # levels, not a trend: the warm-up counts
        levels, ends = _windows(loss, self.windows)
        best = int(levels.argmin())
        low, end = float(levels[best]), float(levels[-1])
        # The mean of a first epoch that blew up is no level that was ever learned from.
        first = min(float(loss.values[0]), case.initial_loss or float("inf"))
        least = low + max(self.rise * abs(low), self.regained * (first - low))
        if float(levels[-self.last :].min()) <= least:
            return  # whatever the noise, which is not told then
        # What came after is as wild as it is because it diverged.
        before = loss.values[: int(np.searchsorted(loss.steps, ends[best], side="right"))]
        calm = noise(before) if len(before) >= self.calm else noise(loss.values)
        jitter = self.deviations * min(calm, noise(loss.values))
        limit = low + max(self.rise * abs(low), jitter, self.regained * (first - low))
        since = levels[best:]
        if (
            float(levels[-self.last :].min()) <= limit
            or end - low < self.kept * (min(float(since.max()), max(first, limit)) - low)
            or first - low <= max(self.fall * abs(first), jitter)
            or (end <= first and self._restarted(case, int(ends[best])))
            or self._validation_held(case)
        ):
            return
        above = int(np.flatnonzero(since <= limit)[-1]) + best + 1
        turn, onset = int(ends[best]), int(ends[above - 1]) + 1
        at = int(loss.steps[np.searchsorted(loss.steps, onset)])
        rise = (end - low) / abs(low) if low else float("inf")
        yield self.finding(
            f"training loss climbed from {low:.3g} at step {turn:,} to {end:.3g} and stays there",
            Evidence(
                tag=loss.tag,
                span=(turn, int(loss.steps[-1])),
                note="diverging",
                measures=(
                    Measure("rise", rise, ">", self.rise),
                    Measure("best_step", turn),
                    Measure("onset_step", at),
                    Measure("best_value", low),
                ),
            ),
            confidence=Confidence.HIGH if rise > 2 * self.rise else Confidence.MEDIUM,
            remedies=calming(case, until=at, divisor=10),
        )

    def _restarted(self, case: Case, best_step: int) -> bool:
        """Whether the learning rate rose again after the best window, having fallen before."""
        rate, schedule = case.curve(Role.LEARNING_RATE), case.schedule
        if rate is None or schedule is None:
            return False
        after = rate.between(schedule.warm_up_end, float(rate.steps[-1]))
        lowest = np.minimum.accumulate(after.values)
        up = (after.values >= self.restart * lowest) & (after.steps >= best_step)
        return bool(up.any())

    def _validation_held(self, case: Case) -> bool:
        val = case.curve(Role.VAL_LOSS)
        if val is None or len(val) < 2 * self.last:
            return False
        best = float(val.values.min())
        return median(tail(val.values)) <= best + self.rise * abs(best)

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """Climbs that last, of positive and negative losses; recoveries and restarts as traps."""
        up = noisy(u_turn(100, 4.4, 1.3, 2.6, 0.4), 0.01)
        yield fires("climbs to the end", a_run({Role.TRAIN_LOSS: up}), onset=41)
        jump = np.concatenate([decay(50, 2.3, 0.1), flat(30, 2.3)])
        yield fires("dies at two thirds", a_run({Role.TRAIN_LOSS: noisy(jump, 0.02)}), onset=51)
        yield fires("negative loss", a_run({Role.TRAIN_LOSS: up - 5}), onset=41)
        yield fires(
            "every batch logged",
            a_run({Role.TRAIN_LOSS: noisy(u_turn(4000, 2.3, 0.3, 1.5, 0.5), 0.2)}),
        )
        yield fires(
            "both losses climb",
            a_run({Role.TRAIN_LOSS: up, Role.VAL_LOSS: up + 0.1}),
        )
        yield silent("descent", a_run({Role.TRAIN_LOSS: noisy(decay(100, 2.3, 0.1), 0.05)}))
        spike = decay(100, 2.3, 0.3) + 3 * np.exp(-((np.arange(100) - 70.0) ** 2) / 20)
        yield silent("spike that recovers", a_run({Role.TRAIN_LOSS: noisy(spike, 0.02)}))
        learned = decay(100, 2.3, 0) + noisy(flat(100, 1e-5), 0.5)
        learned[80:] *= 3
        yield silent("all but zero", a_run({Role.TRAIN_LOSS: learned}))
        harder = np.concatenate([decay(60, 2.3, 0.4), decay(40, 1.4, 0.8)])
        yield silent(
            "harder data from step 61 on",
            a_run({Role.TRAIN_LOSS: harder, Role.VAL_LOSS: noisy(decay(100, 2.4, 0.5), 0.01)}),
        )
        rates = np.concatenate([cosine(80, 0.1, 1e-4), cosine(40, 0.1, 1e-4)[:20]])
        lifted = np.concatenate([decay(80, 2.3, 0.2), flat(20, 0.5)])
        yield silent(
            "rate restarts",
            a_run({Role.TRAIN_LOSS: noisy(lifted, 0.02), Role.LEARNING_RATE: rates}),
        )
        rising = 0.06 + 0.8 * (1 - np.exp(-np.linspace(0, 3, 40)))
        yield silent(
            "accuracy under a wrong name",
            a_run({Role.TRAIN_LOSS: noisy(rising, 0.05), Role.VAL_LOSS: noisy(rising, 0.1, 1)}),
        )


def _windows(loss: Series, count: int) -> tuple[Floats, Ints]:
    """The medians of ``count`` windows or some more, and the last step in each.

    Windows are of equal length and end with the curve; what is left over at the start is left out.
    """
    length = max(1, len(loss) // count)
    start = len(loss) % length
    levels = medians(loss.values[start:].reshape(-1, length))
    return levels, loss.steps[start + length - 1 :: length]
