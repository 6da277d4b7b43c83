"""Settings as places: how far apart two runs are, and what is usually to be expected where."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from tbdiag.advisor.doses import Doses
from tbdiag.advisor.prescribe import BUDGET, Space, init_scales, movable
from tbdiag.advisor.rates import anchor, kind
from tbdiag.advisor.record import Record
from tbdiag.advisor.within import sizes
from tbdiag.config.training import Choices, Dimension
from tbdiag.model.knob import Knob
from tbdiag.model.proposal import Params
from tbdiag.model.run import Scalar
from tbdiag.model.series import Floats
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import numeric

_NO_DECAY = 1e-5  # less than that is as good as none
_MIDDLE_DECAY = 1e-3
_BATCH = 32.0  # usual in short runs


@dataclass(frozen=True, slots=True, kw_only=True)
class Scales:
    """Over which distance a setting loses its say: by knob, in the unit that its name tells.

    Learned on dense networks and regressions; the likelihood of their runs hardly changes with a factor
    of 1.5. ``others`` holds for a number that is no known knob, as a share of its range.
    """

    rate_decades: float = 1.0
    decay_decades: float = 0.9
    dropout: float = 0.4
    batch_octaves: float = 2.5
    width_octaves: float = 2.5
    depth_octaves: float = 1.5
    init_octaves: float = 1.5
    warmup: float = 0.4
    momentum_decades: float = 0.7  # of 1 minus the momentum, or a beta
    clip_decades: float = 1.0
    others: float = 0.5
    optimizer: float = 1.5
    scheduler: float = 3.0
    words: float = 1.5  # other settings that are words


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """What is usual: how the excess loss, in the model's units, goes with a setting.

    ``up`` and ``down`` are the squares on either side of the usual rate, in decades; the rest is per
    octave, per .2 of dropout, or a square.
    """

    rate: float = -0.48
    rate_up: float = 0.26
    rate_down: float = 0.03
    rate_of_momentum: float = 0.27  # added for SGD with momentum
    decay: tuple[float, float] = (0.03, 0.02)
    decay_decoupled: float = -0.07  # added for AdamW
    dropout: float = 0.14
    batch: tuple[float, float] = (0.08, 0.01)
    width: tuple[float, float] = (-0.06, 0.03)
    init: tuple[float, float] = (0.24, 0.11)


@dataclass(frozen=True, kw_only=True)  # no slots: what the start tells is kept once it is asked
class Chart:
    """The settings that may move around the run ``start``, and their places."""

    space: Space
    start: Record
    doses: Doses = field(default_factory=Doses)
    scales: Scales = field(default_factory=Scales)
    slopes: Slopes = field(default_factory=Slopes)

    @cached_property
    def names(self) -> list[str]:
        """The settings that have a place."""
        known = self.start.params
        return [
            n for n in movable(self.space) if knob(n) not in BUDGET and known.get(n) is not None
        ]

    def places(self, many: Sequence[Params]) -> Floats:
        """The places of n settings, (n, coordinates): those a unit apart know little of each other."""
        names = self.names
        return np.array(
            [[c for n in names for c in self._place(n, each)] for each in many]
        ).reshape(len(many), -1)

    def usual(self, many: Sequence[Params]) -> Floats:
        """What is usually to be expected at n settings, (n,), up to a constant."""
        return np.array([sum(self._slope(name, each) for name in self.names) for each in many])

    def moved(self, name: str, before: Params, after: Params) -> float | None:
        """The rate or decay ``name`` of the settings before that lies at the same place after.

        There the optimizer may be another one. None for other settings, or where its usual rate is not
        known.
        """
        number = numeric(before.get(name))
        match knob(name):
            case Knob.LR if number is not None:
                here, there = self._anchor(before), self._anchor(after)
                return None if not here or not there else number * there / here
            case Knob.WEIGHT_DECAY if number is not None:
                return number * self._decoupled(after) / self._decoupled(before)
        return None

    def _place(self, name: str, params: Params) -> Iterator[float]:
        dimension, value = self.space[name], params.get(name)
        if isinstance(dimension, Choices) and name in self._of_words:
            for each in dimension.values:
                yield float(str(each) == str(value)) / (math.sqrt(2) * self._words(name))
            return
        known = self._known(name, params)
        if known is not None:
            yield known[0] / known[1]
            return
        yield _share(dimension, numeric(value)) / self.scales.others

    def _words(self, name: str) -> float:
        if knob(name) is Knob.OPTIMIZER:
            return self.scales.optimizer
        return self.scales.scheduler if knob(name) is Knob.SCHEDULER else self.scales.words

    @cached_property
    def _of_words(self) -> frozenset[str]:
        """The settings whose choices are words."""
        return frozenset(
            name
            for name in self.names
            if isinstance(each := self.space[name], Choices)
            and any(sizes(value) is None for value in each.values)
        )

    @cached_property
    def _kept(self) -> dict[tuple[Scalar, ...], tuple[float, float] | None]:
        """What `_known` has told."""
        return {}

    def _known(self, name: str, params: Params) -> tuple[float, float] | None:
        """The number of a known knob in its unit, and the distance that counts; None for others."""
        deciding: Scalar = None
        if knob(name) is Knob.LR:
            deciding = self._kind(params)
        elif knob(name) is Knob.WEIGHT_DECAY:
            deciding = self._is_decoupled(params)
        key = (name, params.get(name), deciding)
        if key not in self._kept:
            self._kept[key] = self._told(name, params)
        return self._kept[key]

    def _told(self, name: str, params: Params) -> tuple[float, float] | None:
        value, scales = params.get(name), self.scales
        number = numeric(value)
        match knob(name):
            case Knob.WIDTH:
                return _octaves(_size(value), _size(self.start.params[name]), scales.width_octaves)
            case Knob.DEPTH:
                first = numeric(self.start.params[name])
                return _octaves(number, first, scales.depth_octaves)
            case Knob.BATCH_SIZE:
                return _octaves(number, self._batch(name), scales.batch_octaves)
            case Knob.LR if number is not None and number > 0:
                return self._decades(name, number, params), scales.rate_decades
            case Knob.WEIGHT_DECAY if number is not None and number >= 0:
                alike = number / self._decoupled(params)
                return math.log10((alike + _NO_DECAY) / _MIDDLE_DECAY), scales.decay_decades
            case Knob.DROPOUT if number is not None:
                return number, scales.dropout
            case Knob.WARMUP if number is not None and _most(self.space[name]) <= 1:
                return number, scales.warmup
            case Knob.MOMENTUM | Knob.BETA1 | Knob.BETA2 if number is not None and number < 1:
                return math.log10(1 - number), scales.momentum_decades
            case Knob.CLIP_NORM if number is not None and number > 0:
                return math.log10(number), scales.clip_decades
        if name in init_scales(self.space):
            return _octaves(number, 1.0, scales.init_octaves)
        return None

    def _batch(self, name: str) -> float | None:
        return _BATCH if self._is_short else numeric(self.start.params[name])

    @cached_property
    def _is_short(self) -> bool:
        return (self.start.seconds or 0.0) < self.doses.short

    @cached_property
    def _anchors(self) -> dict[str | None, float | None]:
        """The usual rates by kind of optimizer, as far as they were asked for."""
        return {}

    def _decades(self, name: str, rate: float, params: Params) -> float:
        """By how much the rate is above the usual one of its optimizer, else of the start."""
        usual = self._anchor(params) or numeric(self.start.params[name]) or rate
        return math.log10(rate / usual) if usual > 0 else 0.0

    def _anchor(self, params: Params) -> float | None:
        like = self._kind(params)
        if like not in self._anchors:
            self._anchors[like] = anchor(self.start, like, self.doses)
        return self._anchors[like]

    @cached_property
    def _kinds(self) -> dict[tuple[Scalar, ...], str | None]:
        """The kinds of optimizers by the settings that decide it."""
        return {}

    @cached_property
    def _deciding(self) -> list[str]:
        deciding = (Knob.OPTIMIZER, Knob.MOMENTUM)
        return [n for n in {**self.start.params, **self.space} if knob(n) in deciding]

    def _kind(self, params: Params) -> str | None:
        key = tuple(params.get(n) for n in self._deciding)
        if key not in self._kinds:
            name = next((n for n in self.space if knob(n) is Knob.OPTIMIZER), None)
            like = Record(id="", params={**self.start.params, **params})
            self._kinds[key] = kind(like, None if name is None else self.space[name])
        return self._kinds[key]

    def _slope(self, name: str, params: Params) -> float:
        known = self._known(name, params)
        if known is None:
            return 0.0
        at, usual = known[0], self.slopes
        match knob(name):
            case Knob.LR:
                bent = usual.rate_up if at > 0 else usual.rate_down
                more = usual.rate_of_momentum if self._kind(params) == "momentum" else 0.0
                return (usual.rate + more) * at + bent * at * at
            case Knob.WEIGHT_DECAY:
                more = usual.decay_decoupled if self._is_decoupled(params) else 0.0
                return _bent(at, usual.decay) + more * at
            case Knob.DROPOUT:
                return usual.dropout * at / 0.2
            case Knob.BATCH_SIZE:
                return _bent(at, usual.batch)
            case Knob.WIDTH:
                return _bent(at, usual.width)
        return _bent(at, usual.init) if name in init_scales(self.space) else 0.0

    def _decoupled(self, params: Params) -> float:
        return self.doses.decoupled if self._is_decoupled(params) else 1.0

    def _is_decoupled(self, params: Params) -> bool:
        name = next((n for n in params if knob(n) is Knob.OPTIMIZER), "")
        return "adamw" in str(params.get(name)).lower()


def _bent(at: float, slope: tuple[float, float]) -> float:
    return slope[0] * at + slope[1] * at * at


def _most(dimension: Dimension) -> float:
    if isinstance(dimension, Choices):
        return max(
            (n for each in dimension.values if (n := numeric(each)) is not None), default=0.0
        )
    return float(dimension.high)


def _octaves(
    number: float | None, around: float | None, length: float
) -> tuple[float, float] | None:
    if number is None or around is None or number <= 0 or around <= 0:
        return None
    return math.log2(number / around), length


def _size(value: Scalar) -> float | None:
    """A width, also one such as ``"64,64"``: the mean of its numbers."""
    found = sizes(value)
    return None if not found else sum(found) / len(found)


def _share(dimension: Dimension, number: float | None) -> float:
    """Where in its range a number lies, 0 to 1; the middle where it is none."""
    if isinstance(dimension, Choices):
        known = sorted(n for each in dimension.values if (n := numeric(each)) is not None)
        if number is None or len(known) < 2:
            return 0.5
        return float(np.interp(number, known, np.linspace(0, 1, len(known))))
    low, high = float(dimension.low), float(dimension.high)
    if number is None or not low < high:
        return 0.5
    number = min(max(number, low), high)
    if dimension.log:
        return math.log(number / low) / math.log(high / low)
    return (number - low) / (high - low)
