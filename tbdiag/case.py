"""A run under examination: its curves by role, and signals that several rules need, once each."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np

from tbdiag.model.knob import Knob
from tbdiag.model.once import once
from tbdiag.model.role import Role
from tbdiag.model.run import Run, Scalar
from tbdiag.model.series import Floats, Ints, Series
from tbdiag.signals.cadence import in_one_go, usual_interval
from tbdiag.signals.epochs import evaluated, half_an_interval_earlier, steps_per_epoch
from tbdiag.signals.layers import Layers
from tbdiag.signals.learned import beside, first_loss, share_left
from tbdiag.signals.medians import median
from tbdiag.signals.pace import paced
from tbdiag.signals.progress import Progress
from tbdiag.signals.reaction import later_reaction, reaction
from tbdiag.signals.samples import SetSize, set_size
from tbdiag.signals.schedule import Schedule, held_since_cut, schedule
from tbdiag.signals.smoothing import thinned
from tbdiag.signals.standstill import Standstill, standstill
from tbdiag.signals.stated import (
    Family,
    stated_batch_sizes,
    stated_classes,
    stated_optimizer,
    stated_validation_size,
)
from tbdiag.signals.turning import Relapse, Turn, relapse, set_back, turn

LIVE = 7 * 86400.0  # seconds since its last point after which a run is never taken for live

_FEWEST, _MOST = 20, 120  # points of a curve that trends are judged on
_BEYOND_USE = 0.02  # weight decay that is added to the gradient, of which 0.0005 is usual
_WITHERED = 0.3  # of the size of the weights is left
_GUESSES = 0.7  # of ln C: no classifier is as good before it has learned
_FEW_CLASSES = 30  # more are not told from a first loss
_REINFORCEMENT = (Role.REWARD, Role.POLICY_LOSS, Role.VALUE_LOSS, Role.EXPLAINED_VARIANCE)
_ADVERSARIAL = (Role.D_LOSS, Role.G_LOSS)

# The roles that are bound with their points, -1 where the tag was not logged; the ambiguous with their tags.
Outline = tuple[tuple[tuple[Role, int], ...], tuple[tuple[Role, tuple[str, ...]], ...]]


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
        bound = run.roles.bound.items()
        self._curves = {role: run.series[b.tag] for role, b in bound if b.tag in run.series}
        self.lengths = {role: len(curve) for role, curve in self._curves.items()}
        self._thinned: dict[Series, Series] = {}
        self._at_points: dict[int, tuple[Ints, bool]] = {}
        self._courses: dict[Role, Series] = {}
        self._paced: dict[Role, Floats] = {}
        self._turns: dict[Role, Turn] = {}
        self._accuracies: dict[Role, Series | None] = {}
        self._sizes: dict[float, SetSize | None] = {}

    def outline(self, most: int) -> Outline:
        """Which roles the run has or may have, each with its points, of which ``most`` are counted.

        Runs of one search are alike in that, and so is all that follows from it, as the kind of a run.
        """
        roles, lengths = self.run.roles, self.lengths
        known = [(role, min(lengths.get(role, -1), most)) for role in roles.bound]
        return tuple(known), tuple(roles.ambiguous.items())

    def curve(self, role: Role) -> Series | None:
        """The curve in this role as it was logged, or None."""
        return self._curves.get(role)

    def the(self, role: Role) -> Series:
        """The curve in this role, which the rule has declared that it needs."""
        curve = self._curves.get(role)
        if curve is None:
            raise LookupError(f"the rule does not declare that it needs {role}")
        return curve

    def course(self, role: Role) -> Series:
        """The curve in this role as trends are judged on it: about a hundred points, warmed up."""
        if role not in self._courses:
            self._courses[role] = self._calm(self._warmed_up(self._whole(role)))
        return self._courses[role]

    def thinned(self, curve: Series) -> Series:
        """A curve of the run in about a hundred points."""
        if curve not in self._thinned:
            self._thinned[curve] = thinned(curve)
        return self._thinned[curve]

    def _whole(self, role: Role) -> Series:
        return self.training if role is Role.TRAIN_LOSS else self.the(role)

    def turn(self, role: Role) -> Turn:
        """Where the curve in this role, which the run has, was best, and what came after."""
        if role not in self._turns:
            self._turns[role] = turn(self.the(role), self.run.roles.bound[role].better)
        return self._turns[role]

    @once
    def kind(self) -> Kind:
        """How the run learns, told by the roles that it logged."""
        bound = self.run.roles.bound
        if any(role in bound for role in _REINFORCEMENT):
            return Kind.REINFORCEMENT
        if all(role in bound for role in _ADVERSARIAL):
            return Kind.ADVERSARIAL
        return Kind.SUPERVISED

    @once
    def pulse(self) -> Series | None:
        """The curve with the most points, by which the pace of the run is told; None without any."""
        longest = max(self.run.series.values(), key=len, default=None)
        return longest if longest is not None and len(longest) else None

    @once
    def pace(self) -> float:
        """The usual time between two points of the pulse, in seconds; 0 where it is not told."""
        return usual_interval(self.pulse.wall_times) if self.pulse is not None else 0.0

    @once
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

    @once
    def in_one_go(self) -> Series | None:
        """The pulse since the run was last begun or resumed; None where time goes back in it."""
        return None if self.pulse is None else in_one_go(self.pulse, self.resumes)

    @once
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

    @once
    def optimizer(self) -> Family | None:
        """The kind of optimizer, by the hyperparameters; None where they do not tell."""
        return stated_optimizer(self.knobs.get(Knob.OPTIMIZER), self.number(Knob.MOMENTUM))

    @once
    def schedule(self) -> Schedule | None:
        """What the learning rate does, None where it was not logged."""
        rate = self.curve(Role.LEARNING_RATE)
        return None if rate is None else schedule(rate)

    @once
    def epoch_steps(self) -> float | None:
        """The length of an epoch in steps, None where the run does not tell.

        By a curve that counts epochs; else by the evaluations, where there are as many as epochs.
        """
        epoch = self.curve(Role.EPOCH)
        if epoch is not None:
            return steps_per_epoch(epoch)
        val, epochs = (
            self.curve(Role.VAL_LOSS) or self.curve(Role.VAL_METRIC),
            self.number(Knob.EPOCHS),
        )
        if val is None or len(val) < 2 or len(val) != epochs:
            return None
        return median(np.diff(val.steps))

    def further(self, curve: Series, share: float) -> str:
        """``share`` of the length of ``curve`` in words: ``15 more epochs``, or steps where epochs
        are not known.
        """
        steps = share * float(curve.steps[-1] - curve.steps[0])
        if self.epoch_steps:
            count, unit = max(1, round(steps / self.epoch_steps)), "epoch"
        else:
            count, unit = max(1, round(steps)), "step"
        return f"{count:,} more {unit}{'' if count == 1 else 's'}"

    @once
    def training(self) -> Series:
        """The training loss that trends are judged on: without penalties where that was logged.

        Needs a training loss. The loss on the data alone counts where it is logged as densely.
        """
        whole, data = self.the(Role.TRAIN_LOSS), self.curve(Role.DATA_LOSS)
        return data if data is not None and 2 * len(data) > len(whole) else whole

    def _calm(self, curve: Series) -> Series:
        """The curve at about a hundred points; a loss per batch at one for each epoch, if known.

        Trends are told from the noise of single points, and that of batches is not that of epochs.
        """
        batch = self.curve(Role.BATCH_LOSS)
        if batch is None or batch.tag != curve.tag or not self.epoch_steps or len(curve) < 2:
            return self.thinned(curve)
        epochs = float(curve.steps[-1] - curve.steps[0]) / self.epoch_steps
        return thinned(curve, min(max(_FEWEST, round(epochs)), _MOST))

    def _warmed_up(self, curve: Series) -> Series:
        """The curve without the rise of the rate, where that is known; half of the points stay.

        Where the rate was not logged nothing goes: the rules judge trends on later parts anyway.
        """
        if self.schedule is None:
            return curve
        skip = min(int(np.searchsorted(curve.steps, self.schedule.warm_up_end)), len(curve) // 2)
        return curve if skip == 0 else curve.between(curve.steps[skip], curve.steps[-1])

    @once
    def initial_loss(self) -> float | None:
        """The training loss before anything was learned, as near to it as was logged.

        The median of the first three batches where losses per batch were logged on the same scale,
        else the first point, which may already be the mean of a whole epoch. None without a loss.
        """
        train = None if self.curve(Role.TRAIN_LOSS) is None else self.training
        return first_loss(train, self.curve(Role.BATCH_LOSS))

    def paced(self, role: Role) -> Floats:
        """The curve in this role, thinned, at equal parts of the way that the rate allowed.

        The same as thinned by steps where the rate was not logged beside it.
        """
        if role not in self._paced:
            curve = self._calm(self._whole(role))
            rate = self.curve(Role.LEARNING_RATE)
            even = paced(curve, rate) if rate is not None and len(rate) else None
            self._paced[role] = self.course(role).values if even is None else even
        return self._paced[role]

    def last_stretch(self, role: Role) -> Series | None:
        """The curve in this role, thinned, since the rate was last cut at once and then held.

        None where the rate was not, or is not known. The first tenth, the fall that the cut itself
        brings, is left out.
        """
        rate, course = self.curve(Role.LEARNING_RATE), self.schedule
        if rate is None or course is None or not held_since_cut(rate, course):
            return None
        curve = self.thinned(self._whole(role))
        since = curve.between(course.changes[-1], float(curve.steps[-1]))
        skip = len(since) // 10
        return since.between(since.steps[skip], since.steps[-1]) if len(since) else None

    @once
    def headway(self) -> Progress:
        """The `progress` of the training loss by the way that the rate allowed, not by steps."""
        even = self.paced(Role.TRAIN_LOSS)
        course = self.course(Role.TRAIN_LOSS).values
        return self.progress if even is course else Progress(even, self.initial_loss)

    @once
    def progress(self) -> Progress:
        """How far the training loss has come; needs at least four points of it."""
        return Progress(self.course(Role.TRAIN_LOSS).values, self.initial_loss)

    @once
    def unlearned(self) -> float:
        """The share of the first loss that is left at the end, NaN where that is unknown.

        Where an accuracy was logged, the share of its first errors counts if that is less: the
        loss of a pretrained network, or one with a penalty, has not far to fall. It counts alone
        where it is poor and never got better, as where a loss only came down from an explosion.
        """
        loss = self.curve(Role.TRAIN_LOSS) or self.curve(Role.BATCH_LOSS)
        metrics = (self.accuracy(role) for role in (Role.TRAIN_METRIC, Role.VAL_METRIC))
        return share_left(loss, self.initial_loss, metrics)

    @once
    def classes(self) -> int | None:
        """The number of classes: what was stated, or the outputs of a network with an accuracy.

        One output tells two classes apart. None where neither is known, or where the first loss is far
        below that of guessing among so many: several labels a sample, or a network that was trained before.
        """
        stated = stated_classes(self.run.hparams)
        if stated is not None or not self.run.histograms:
            return stated
        if self.accuracy(Role.TRAIN_METRIC) is None and self.accuracy(Role.VAL_METRIC) is None:
            return None
        last, first = self.layers.last, self.initial_loss
        if last is None or first is None:
            return None
        classes = max(last[1], 2)
        return classes if first > _GUESSES * math.log(classes) else None

    @once
    def bottleneck(self) -> tuple[int, int] | None:
        """The width of a network and its number of classes, where that is more than twice the width.

        The classes are stated, or those among which the first loss is that of guessing. None where
        either is not known, or the network is wide enough.
        """
        width, first = self.number(Knob.WIDTH), self.initial_loss
        classes = self.classes
        if classes is None and first is not None and 0 < first < math.log(_FEW_CLASSES):
            classes = round(math.exp(first))
        if width is None or classes is None or not 0 < width < classes / 2:
            return None
        return int(width), classes

    @once
    def withered(self) -> bool:
        """Whether a weight decay beyond use took the weights away, as histograms show.

        Units that give nothing and steps that are large beside their weights are its work then.
        """
        decay = self.number(Knob.WEIGHT_DECAY)
        apart = "adamw" in str(self.knobs.get(Knob.OPTIMIZER, "")).lower()
        if decay is None or apart or decay < _BEYOND_USE or not self.run.histograms:
            return False
        return self.layers.kept < _WITHERED

    @once
    def reaction(self) -> float | None:
        """How strongly the outputs react to the weights at the first step; None where that is unknown."""
        return reaction(self.curve(Role.BATCH_LOSS), self.curve(Role.GRAD_NORM))

    @once
    def later_reaction(self) -> float | None:
        """The same of the later run."""
        return later_reaction(self.curve(Role.BATCH_LOSS), self.curve(Role.GRAD_NORM))

    @once
    def layers(self) -> Layers:
        """The tensors of each layer, as far as histograms of them were logged."""
        return Layers(self.run)

    def accuracy(self, role: Role) -> Series | None:
        """The metric in this role if it is an accuracy, as shares from 0 to 1; else None."""
        if role not in self._accuracies:
            self._accuracies[role] = self._accuracy(role)
        return self._accuracies[role]

    def _accuracy(self, role: Role) -> Series | None:
        curve, binding = self.curve(role), self.run.roles.bound.get(role)
        if curve is None or binding is None or binding.quantity != "accuracy" or not len(curve):
            return None
        top = float(curve.values.max())
        if top > 100 or float(curve.values.min()) < 0:
            return None
        return curve if top <= 1 else curve.with_values(curve.values / 100)

    def validation_size(self, chance: float = 1e-3) -> SetSize | None:
        """How many validation samples there are, stated or read off the accuracies; None where untold.

        ``chance`` is that of a wrong size, as for `set_size`.
        """
        if chance not in self._sizes:
            self._sizes[chance] = self._validation_size(chance)
        return self._sizes[chance]

    def _validation_size(self, chance: float) -> SetSize | None:
        stated = stated_validation_size(self.run.hparams)
        if stated is not None:
            return SetSize(stated, stated)
        accuracy = self.accuracy(Role.VAL_METRIC)
        if accuracy is None:
            return None
        batches = stated_batch_sizes(self.run.hparams)
        return set_size(accuracy.values, batches=batches, chance=chance)

    @property
    def accuracies(self) -> Iterator[tuple[Role, Series]]:
        """The accuracies of training and validation that were logged at eight points or more."""
        for role in (Role.TRAIN_METRIC, Role.VAL_METRIC):
            accuracy = self.accuracy(role)
            if accuracy is not None and len(accuracy) >= 8:
                yield role, accuracy

    @once
    def relapse(self) -> Relapse | None:
        """What became of the accuracy that the run had early on, of training or else of validation."""
        return next((relapse(curve, role) for role, curve in self.accuracies), None)

    @once
    def set_back(self) -> Relapse | None:
        """How far the first half stayed behind its own start, in the accuracy where it did the most."""
        found = (set_back(curve, role) for role, curve in self.accuracies)
        return max(found, key=lambda each: each.then - each.now, default=None)

    @once
    def train_at_validation(self) -> Floats:
        """The training loss where validation was measured, shape of the validation loss.

        Along the steps where the two axes overlap by half; else, as with batches on one axis and
        epochs on the other, along the share of the run. Needs both losses.
        """
        return beside(self.thinned(self.training), self.the(Role.VAL_LOSS))

    @once
    def standstill(self) -> Standstill | None:
        """How far both losses still moved late, and the gap between them; None without both or of too few points."""
        val, train = self.curve(Role.VAL_LOSS), self.curve(Role.TRAIN_LOSS)
        if not val or not train:
            return None
        calm = self.thinned(val)
        return standstill(beside(self.course(Role.TRAIN_LOSS), calm), calm.values)

    @once
    def train_level_at_validation(self) -> Floats:
        """As `train_at_validation`, but fit to be compared with the validation loss point by point.

        A mean over an epoch lags by half of it, so it is moved there.
        """
        return self._unlagged(self.training, self.train_at_validation)

    def unlagged_metric(self, train: Series) -> Series:
        """A training metric at the ends of its epochs, where it was logged as means over them."""
        return train.with_values(self._unlagged(train, train.values))

    def _evaluated(self, logged: Series) -> bool:
        """Whether a curve of the run was measured at points in time; told by its steps alone."""
        place = id(logged.steps)  # curves of one round share them
        if place not in self._at_points:
            self._at_points[place] = logged.steps, evaluated(logged)
        return self._at_points[place][1]

    def _unlagged(self, logged: Series, values: Floats) -> Floats:
        val = self.curve(Role.VAL_LOSS) or self.curve(Role.VAL_METRIC)
        if val is None or len(logged) > 1.5 * len(val) or self._evaluated(logged):
            return values
        return half_an_interval_earlier(values)
