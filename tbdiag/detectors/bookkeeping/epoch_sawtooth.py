"""LOG004: the loss per step runs through the same course in every epoch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.medians import median
from tbdiag.signals.period import autocorrelation, folded, without_trend
from tbdiag.signals.schedule import Shape
from tbdiag.synth import a_run, decay, jitter

RESET = Remedy.advice(
    "Log the loss of the batch, not its mean since the epoch began",
    "a running mean that is reset with every epoch jumps there, whatever the model does",
)
SHUFFLE = Remedy.advice(
    "Shuffle the data anew for every epoch, and look whether it is sorted",
    "the same order gives the same hard batches at the same place of every epoch",
)
SEEN = Remedy.advice(
    "Compare with the validation loss: a step down at each epoch may be memory",
    "samples that are seen again are known from the first batch of the next epoch on",
)


@dataclass(frozen=True, kw_only=True)
class EpochSawtooth(Detector):
    """The loss per step runs through the same course in every epoch.

    ## What it does

    Finds a pattern in the loss per step that comes back with every epoch, and tells whether it jumps
    where the epoch begins.

    ## Why is this bad?

    The swings are not the model's: a running mean that is reset each epoch, or data in the same
    order each time. They hide spikes and trends, and unshuffled data also biases the gradients.

    ## How it is detected

    The epoch's length is known from a counter of epochs, from a loss per epoch on the same steps, or
    from validation at even distances. The logarithm of the loss is freed from its mean over one epoch around each
    point, and its first part, `settling`, is left out, where a loss may leap about; what is left agrees with itself one epoch later (autocorrelation above `agreement`), more
    than it does at half and at three quarters of an epoch (by `margin`), and its mean course over the
    epoch stands out of the noise `clear` times. It jumps where the epoch begins if the course changes `sudden` times as much there as
    anywhere else. An epoch has `dense` logged points or more, and there
    are `epochs` of them.

    ## Remedy

    Log the loss of each batch; shuffle the data.

    ## False alarms

    A learning rate that restarts with every epoch makes the same pattern, and then the rule is
    silent. A step down at each epoch's end is typical of fine-tuning for several epochs.

    ## References

    None: it follows from how the loss is averaged and the data are ordered.
    """

    code, severity, since = "LOG004", Severity.NOTE, "0.1.0"
    supervised = False
    needs = ((Role.BATCH_LOSS, Role.TRAIN_LOSS),)
    points = 30
    leads = ("NUM002", "NUM003", "OPT001", "OPT002", "OPT003")  # the order of the data bends it

    agreement: Annotated[float, Threshold("autocorrelation at an epoch", above=0, at_most=1)] = 0.35
    margin: Annotated[float, Threshold("above that at parts of an epoch", above=0)] = 0.3
    clear: Annotated[float, Threshold("the mean course over its standard error", above=0)] = 2.0
    sudden: Annotated[float, Threshold("change at the epoch's begin over any other", above=1)] = 1.5
    settling: Annotated[float, Threshold("first share that is left out", at_least=0)] = 0.33
    dense: Annotated[int, Threshold("logged points per epoch", at_least=4)] = 10
    epochs: Annotated[int, Threshold("epochs that were logged", at_least=2)] = 3

    def cannot_tell(self, case: Case) -> str | None:
        """The epoch must be known, and hold several points."""
        loss = _per_step(case)
        length = _epoch(case, loss)
        if length is None:
            return "how many steps an epoch has is not known: log the epoch beside the loss"
        per_point = median(np.diff(loss.steps))
        if length < self.dense * per_point:
            return f"an epoch holds {length / per_point:.0f} points of the loss; {self.dense} are needed"
        if loss.steps[-1] - loss.steps[0] < self.epochs * length:
            return f"the loss per step spans less than {self.epochs} epochs"
        return None

    def check(self, case: Case) -> Iterator[Finding]:
        loss = _per_step(case)
        length = _epoch(case, loss)
        if length is None or (case.schedule is not None and case.schedule.shape is Shape.CYCLIC):
            return
        lag, values = _at_even_steps(loss, length)
        rest = without_trend(np.log(values) if values.min() > 0 else values, lag)
        wild = lag * (
            round(self.settling * len(rest)) // lag
        )  # whole epochs of the first, wild part
        rest = rest[wild:] if len(rest) - wild >= self.epochs * lag else rest
        here = max(autocorrelation(rest, lag + off) for off in (-1, 0, 1))
        elsewhere = max(autocorrelation(rest, round(part * lag)) for part in (0.5, 0.75))
        if here < self.agreement or here < elsewhere + self.margin:
            return
        course, error = folded(rest, lag)
        clearness = float(np.std(course)) / error if error > 0 else np.inf
        if clearness < self.clear:
            return
        changes = np.abs(np.diff(course, append=course[:1]))
        away = (np.arange(lag) + 1 - _begins(case, loss, length, lag)) % lag
        near = np.minimum(away, lag - away) <= max(lag // 20, 1)
        jump = float(changes[near].max()) > self.sudden * float(changes[~near].max())
        swing = float(np.ptp(course)) / (abs(median(values)) or 1.0)
        text = f"the {_phrase(case, loss)} runs through the same course in every epoch of {length:,.0f} steps"
        yield self.finding(
            f"{text}, {swing:.0%} up and down"
            + (", and jumps where the epoch begins" if jump else ""),
            Evidence(
                tag=loss.tag,
                span=(int(loss.steps[0]), int(loss.steps[-1])),
                note="repeats itself",
                measures=(
                    Measure("autocorrelation", here, ">", self.agreement),
                    Measure("epoch_steps", length),
                    Measure("swing", swing),
                ),
            ),
            confidence=Confidence.MEDIUM,
            remedies=(RESET, SHUFFLE, SEEN) if jump else (SHUFFLE, RESET),
        )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        """A running mean, a fixed order, steps of memory; shuffled data and other periods as traps."""
        n, epoch = 1200, 100
        at = np.arange(n)
        base, noise = decay(n, 2.3, 0.3, 4), np.exp(jitter(n, 0.05))
        yield fires(
            "a running mean reset each epoch", _logged(_running_mean(base * noise, epoch), epoch)
        )
        order = np.exp(jitter(epoch, 0.1, 5))[at % epoch]
        yield fires("the same order each time", _logged(base * noise * order, epoch))
        stairs = (2.5 - 0.35 * np.minimum(at // 200, 5)) * noise
        yield fires("a step down at each epoch", _logged(stairs, 200))
        wild = order * np.where(at < 150, 50 * np.exp(jitter(n, 1.0, 6)), 1.0)
        yield fires("the same order after a blow-up", _logged(base * noise * wild, epoch))
        yield silent("shuffled", _logged(base * noise, epoch))
        other = base * noise * (1 + 0.1 * np.sin(2 * np.pi * at / 137))
        yield silent("another period", _logged(other, epoch))
        walk = base * np.exp(np.convolve(jitter(n + 60, 0.05, 7), np.ones(60) / 8, "valid")[:n])
        yield silent("slow wandering", _logged(walk, epoch))
        cycle = 0.1 * (1 - (at % epoch) / epoch)
        yield silent(
            "the rate restarts each epoch", _logged(base * (1 + cycle), epoch, rate=cycle + 1e-3)
        )
        yield silent("no epoch known", a_run({Role.BATCH_LOSS: base * noise * order}))


def _per_step(case: Case) -> Series:
    """The densest of the training losses."""
    curves = [case.curve(role) for role in (Role.BATCH_LOSS, Role.TRAIN_LOSS)]
    return max((curve for curve in curves if curve is not None), key=len)


def _phrase(case: Case, loss: Series) -> str:
    role = Role.BATCH_LOSS if case.curve(Role.BATCH_LOSS) is loss else Role.TRAIN_LOSS
    return role.phrase


def _epoch(case: Case, loss: Series) -> float | None:
    """How many steps an epoch has, None where that cannot be told.

    By a counter on the same steps; else by a training loss per epoch, or by validation, that was
    logged on the same steps at even distances.
    """
    if len(loss) < 2:
        return None
    counter = case.curve(Role.EPOCH)
    if counter is not None and "epoch" in counter.tag.lower() and _covers(counter, loss):
        whole = not np.any(counter.values % 1)
        turns = _turns(counter) if whole else np.arange(len(counter))
        first, last = turns[[0, -1]] if len(turns) > 1 else (0, 0)
        passed = float(counter.values[last] - counter.values[first])
        steps = float(counter.steps[last] - counter.steps[first])
        if passed >= 1 and steps > 2 * passed:
            return steps / passed
    for role in (Role.TRAIN_LOSS, Role.VAL_LOSS):
        curve = case.curve(role)
        if curve is None or curve is loss or not 3 <= len(curve) < len(loss) / 4:
            continue
        between = np.diff(curve.steps)
        usual = median(between)
        even = float(np.mean(np.abs(between - usual) <= 0.02 * usual)) > 0.8
        if even and _covers(curve, loss):
            return usual
        if even and usual == 1 and curve.steps[-1] < loss.steps[-1] / 4:
            return float(loss.steps[-1] - loss.steps[0] + 1) / len(curve)  # it counts epochs
    return None


def _turns(counter: Series) -> Ints:
    """The points at which a counter of whole epochs goes up."""
    return np.flatnonzero(np.diff(counter.values) > 0) + 1


def _covers(curve: Series, loss: Series) -> bool:
    """Whether two curves are counted in the same steps: their spans agree but for a tenth."""
    if len(curve) < 2:
        return False
    length = loss.steps[-1] - loss.steps[0]
    return bool(abs(curve.steps[-1] - loss.steps[-1]) <= 0.1 * length + np.diff(curve.steps).max())


def _at_even_steps(loss: Series, length: float) -> tuple[int, Floats]:
    """The loss at even distances, so many of which make an epoch, by interpolation; and their number."""
    per_point = median(np.diff(loss.steps))
    lag = max(round(length / per_point), 2)
    grid = np.arange(loss.steps[0], loss.steps[-1] + 1e-9, length / lag)
    return lag, np.interp(grid, loss.steps, loss.values)


def _begins(case: Case, loss: Series, length: float, lag: int) -> int:
    """The place within the folded course at which an epoch begins; steps count from 0 if unknown."""
    counter = case.curve(Role.EPOCH)
    start = 0.0
    if counter is not None and not np.any(counter.values % 1):
        turns = _turns(counter)
        start = float(counter.steps[turns[0]]) if len(turns) else 0.0
    return (round((start - float(loss.steps[0])) % length / length * lag) - lag // 2) % lag


def _running_mean(values: Floats, epoch: int) -> Floats:
    parts = [values[i : i + epoch] for i in range(0, len(values), epoch)]
    return np.concatenate([np.cumsum(part) / np.arange(1, len(part) + 1) for part in parts])


def _logged(values: Floats, epoch: int, rate: Floats | None = None) -> Run:
    """A run that logged these losses per batch, from step 0 on, and the epoch beside them."""
    steps = np.arange(len(values))
    curves = {
        Role.BATCH_LOSS: Series.of("batch/loss", steps, values),
        Role.EPOCH: Series.of("epoch", steps, steps // epoch),
    }
    if rate is not None:
        curves[Role.LEARNING_RATE] = Series.of("lr", steps, rate)
    return a_run(curves)
