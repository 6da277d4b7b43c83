"""A run under examination: its curves by role, and signals that several rules need, once each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from functools import cached_property

import numpy as np

from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.run import Run, Scalar
from tbdiag.model.series import Floats, Series
from tbdiag.signals.cadence import usual_interval
from tbdiag.signals.layers import Layers
from tbdiag.signals.progress import Progress, progress
from tbdiag.signals.schedule import Schedule, schedule
from tbdiag.signals.smoothing import tail, thinned

LIVE = 7 * 86400.0  # seconds since its last point after which a run is never taken for live

_REINFORCEMENT = (Role.REWARD, Role.POLICY_LOSS, Role.VALUE_LOSS, Role.EXPLAINED_VARIANCE)
_ADVERSARIAL = (Role.D_LOSS, Role.G_LOSS)
# Errors that are not those of a rare class, and errors as many as at the start.
_MOSTLY_WRONG, _NO_BETTER = 0.4, 0.97


class Kind(StrEnum):
    """How a run learns; most rules speak of supervised training only."""

    SUPERVISED = "supervised"
    REINFORCEMENT = "reinforcement learning"
    ADVERSARIAL = "adversarial"


class Case:
    """One run, with the curves prepared as the rules want them.

    Everything here is computed when first asked for, and kept; nothing changes the run. ``now`` is
    the wall time in seconds at which the run is looked at, None where that does not matter.
    """

    def __init__(self, run: Run, now: float | None = None) -> None:
        self.run = run
        self.now = now
        self._thinned: dict[Role, Series] = {}

    def curve(self, role: Role) -> Series | None:
        """The curve in this role as it was logged, or None."""
        return self.run.curve(role)

    def the(self, role: Role) -> Series:
        """The curve in this role, which the rule has declared that it needs."""
        curve = self.run.curve(role)
        if curve is None:
            raise LookupError(f"the rule does not declare that it needs {role}")
        return curve

    def course(self, role: Role) -> Series:
        """The curve in this role as trends are judged on it: about a hundred points, warmed up."""
        if role not in self._thinned:
            curve = self.training if role is Role.TRAIN_LOSS else self.the(role)
            self._thinned[role] = thinned(self._warmed_up(curve))
        return self._thinned[role]

    @cached_property
    def kind(self) -> Kind:
        """How the run learns, told by the roles that it logged."""
        bound = self.run.roles.bound
        if any(role in bound for role in _REINFORCEMENT):
            return Kind.REINFORCEMENT
        if all(role in bound for role in _ADVERSARIAL):
            return Kind.ADVERSARIAL
        return Kind.SUPERVISED

    @cached_property
    def pulse(self) -> Series | None:
        """The curve with the most points, by which the pace of the run is told; None without any."""
        longest = max(self.run.series.values(), key=len, default=None)
        return longest if longest is not None and len(longest) else None

    @cached_property
    def pace(self) -> float:
        """The usual time between two points of the pulse, in seconds; 0 where it is not told."""
        return usual_interval(self.pulse.wall_times) if self.pulse is not None else 0.0

    @cached_property
    def resumes(self) -> tuple[float, ...]:
        """The wall times at which the run was begun or resumed, in order.

        A file that is begun while another is still written (validation beside training) is none.
        """
        told = self.run.provenance
        begun = [
            each.first
            for each in told.writings
            if not any(other.first < each.first < other.last for other in told.writings)
        ]
        return tuple(sorted({*begun, *(each.wall_time for each in told.restarts)}))

    @cached_property
    def knobs(self) -> Mapping[Knob, Scalar]:
        """The logged hyperparameters by their canonical names; the rate's curve beats its setting."""
        from tbdiag.naming.knobs import knob

        found: dict[Knob, Scalar] = {}
        for name, hparam in self.run.hparams.items():
            known = knob(name)
            if known is not None:
                found.setdefault(known, hparam.value)
        if self.schedule is not None:
            found[Knob.LR] = self.schedule.peak
        return found

    def number(self, knob: Knob) -> float | None:
        """The value of a numeric hyperparameter, None where it is unknown or no number."""
        value = self.knobs.get(knob)
        if isinstance(value, bool) or value is None:
            return None
        try:
            return float(value)
        except ValueError:
            return None

    @cached_property
    def schedule(self) -> Schedule | None:
        """What the learning rate does, None where it was not logged."""
        rate = self.curve(Role.LEARNING_RATE)
        return None if rate is None else schedule(rate)

    @cached_property
    def training(self) -> Series:
        """The training loss that trends are judged on: without penalties where that was logged.

        Needs a training loss. The loss on the data alone counts where it is logged as densely.
        """
        whole, data = self.the(Role.TRAIN_LOSS), self.curve(Role.DATA_LOSS)
        return data if data is not None and 2 * len(data) > len(whole) else whole

    def _warmed_up(self, curve: Series) -> Series:
        """The curve without the rise of the rate, where that is known; half of the points stay.

        Where the rate was not logged nothing goes: the rules judge trends on later parts anyway.
        """
        if self.schedule is None:
            return curve
        skip = min(int(np.searchsorted(curve.steps, self.schedule.warm_up_end)), len(curve) // 2)
        return curve if skip == 0 else curve.between(curve.steps[skip], curve.steps[-1])

    @cached_property
    def initial_loss(self) -> float | None:
        """The training loss before anything was learned, as near to it as was logged.

        The median of the first three batches where losses per batch were logged on the same scale,
        else the first point, which may already be the mean of a whole epoch. None without a loss.
        """
        train, batch = self.curve(Role.TRAIN_LOSS), self.curve(Role.BATCH_LOSS)
        train = train if train is None else self.training
        if batch is None or len(batch) < 3:
            return float(train.values[0]) if train is not None and len(train) else None
        early = float(np.median(batch.values[:3]))
        if train is None or not len(train):
            return early
        # A sum in one curve and a mean in the other differ by far more than a factor of three.
        ends = np.median(batch.values[-max(3, len(batch) // 20) :]), np.median(train.values[-3:])
        same = ends[1] != 0 and 1 / 3 < ends[0] / ends[1] < 3
        return early if same else float(train.values[0])

    @cached_property
    def progress(self) -> Progress:
        """How far the training loss has come; needs at least four points of it."""
        return progress(self.course(Role.TRAIN_LOSS).values, self.initial_loss)

    @cached_property
    def unlearned(self) -> float:
        """The share of the first loss that is left at the end, NaN where that is unknown.

        Where an accuracy was logged, the share of its first errors counts if that is less: the
        loss of a pretrained network, or one with a penalty, has not far to fall. It counts alone
        where it is poor and never got better, as where a loss only came down from an explosion.
        """
        loss = self.curve(Role.TRAIN_LOSS) or self.curve(Role.BATCH_LOSS)
        first = self.initial_loss
        if loss is None or len(loss) < 3 or first is None or first <= 0:
            return float("nan")
        shares = [float(np.median(tail(loss.values))) / first]
        for role in (Role.TRAIN_METRIC, Role.VAL_METRIC):
            accuracy = self.accuracy(role)
            if accuracy is not None and len(accuracy) > 3 and accuracy.values[0] < 1:
                errors = 1 - accuracy.values
                wrong = float(np.median(tail(errors)))
                shares.append(wrong / float(errors[0]))
                if wrong > _MOSTLY_WRONG and shares[-1] > _NO_BETTER:
                    return shares[-1]
        return min(shares)

    @cached_property
    def layers(self) -> Layers:
        """The tensors of each layer, as far as histograms of them were logged."""
        return Layers(self.run)

    def accuracy(self, role: Role) -> Series | None:
        """The metric in this role if it is an accuracy, as shares from 0 to 1; else None."""
        curve, binding = self.curve(role), self.run.roles.bound.get(role)
        if curve is None or binding is None or binding.quantity != "accuracy" or not len(curve):
            return None
        top = float(curve.values.max())
        if top > 100 or float(curve.values.min()) < 0:
            return None
        return curve if top <= 1 else curve.with_values(curve.values / 100)

    @cached_property
    def train_at_validation(self) -> Floats:
        """The training loss where validation was measured, shape of the validation loss.

        Along the steps where the two axes overlap by half; else, as with batches on one axis and
        epochs on the other, along the share of the run. Needs both losses.
        """
        train, val = thinned(self.training), self.the(Role.VAL_LOSS)
        low, high = max(train.steps[0], val.steps[0]), min(train.steps[-1], val.steps[-1])
        widest = max(train.steps[-1] - train.steps[0], val.steps[-1] - val.steps[0], 1)
        at: Floats = val.steps.astype(np.float64)
        axis: Floats = train.steps.astype(np.float64)
        if (high - low) / widest < 0.5:
            at, axis = np.linspace(0, 1, len(val)), np.linspace(0, 1, len(train))
        return np.interp(at, axis, train.values)
