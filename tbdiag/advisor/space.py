"""What a follow-up run may turn, and what it is told beside that."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from tbdiag.advisor.flags import Flag, Flags
from tbdiag.advisor.usual import usual
from tbdiag.config import Config, did_you_mean
from tbdiag.config.command import BULK, Slot, placeholders, slots
from tbdiag.config.training import Dimension
from tbdiag.model.knob import Knob
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.naming.knobs import knob as knob_of

CONFIGURED = "[space]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """One parameter that may be turned; ``source`` says where its limits come from."""

    name: str
    dimension: Dimension
    knob: Knob | None
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The parameters of a training command: the ``axes`` that may be turned, by name, and all ``slots``.

    ``bulk`` is true where the command takes parameters all at once, as ``{overrides}`` does, or none
    at all, so that they come through the environment.
    """

    axes: Mapping[str, Axis] = field(default_factory=dict)
    slots: tuple[Slot, ...] = ()
    bulk: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """Every parameter, in the order of the command; those that have no place in it come last."""
        return tuple(dict.fromkeys((*(slot.name for slot in self.slots), *self.axes)))

    @property
    def dimensions(self) -> Mapping[str, Dimension]:
        """The limits of each axis."""
        return {name: axis.dimension for name, axis in self.axes.items()}

    @property
    def fixed(self) -> tuple[str, ...]:
        """The parameters that stay at the parent's value."""
        return tuple(name for name in self.names if name not in self.axes)

    def slot(self, name: str) -> Slot:
        """The place of a parameter in the command; of one that has none just its name."""
        return next((each for each in self.slots if each.name == name), Slot(name))

    def axis(self, knob: Knob) -> Axis | None:
        """The parameter to turn for a knob; of several the first, None where there is none."""
        return next((each for each in self.axes.values() if each.knob is knob), None)


def configured(config: Config) -> Space:
    """The space of [train] and [space]."""
    command = config.train.command if config.train else ()
    return Space(
        axes={
            name: Axis(name=name, dimension=each, knob=knob_of(name), source=CONFIGURED)
            for name, each in config.space.items()
        },
        slots=slots(command),
        bulk=takes_all(command),
    )


def takes_all(command: Sequence[str]) -> bool:
    """Whether the parameters of a command are handed over all at once, in a file or the environment."""
    used = {name for word in command for name in placeholders(word)}
    return not used.isdisjoint(BULK) or not slots(command)


def inferred(command: Sequence[str], flags: Flags, runs: Iterable[Run] = ()) -> Space:
    """The space of a command without [space]: its parameters that are knobs, within usual limits."""
    taken = slots(command)
    if takes_all(command):
        known = {slot.name for slot in taken}
        taken += tuple(Slot(name) for name in flags.flags if name not in known)
    logged = list(runs)
    axes = {}
    for slot in taken:
        flag = flags.of(slot)
        found = knob_of(slot.name) or (knob_of(flag.name) if flag else None)
        if found is None:
            continue
        values = seen(slot, flag, logged)
        if (dimension := usual(found, values, flag.choices if flag else ())) is not None:
            limits, source = dimension
            axes[slot.name] = Axis(name=slot.name, dimension=limits, knob=found, source=source)
    return Space(axes=axes, slots=slots(command), bulk=takes_all(command))


def seen(slot: Slot, flag: Flag | None, runs: Iterable[Run]) -> list[Scalar]:
    """The default of a parameter, where it is known, and then its values in the runs, each once."""
    from tbdiag.advisor.completion import fitting, logged

    values: list[Scalar] = [flag.default] if flag and flag.known else []
    for run in runs:
        found = logged(run, slot, flag)
        if isinstance(found, HParam):
            values.append(fitting(found.value, flag))
    return list(dict.fromkeys(values))


def from_nowhere(space: Space, flags: Flags, runs: Sequence[Run]) -> list[str]:
    """A sentence for each parameter of the command that nobody knows: a slip of the pen, most likely."""
    from tbdiag.advisor.completion import logged

    if not flags.flags:
        return []
    sentences = []
    for slot in space.slots:
        flag = flags.of(slot)
        if slot.name in space.axes or flag is not None:
            continue
        if any(isinstance(logged(run, slot, None), HParam) for run in runs):
            continue
        hint = did_you_mean(slot.name, (*space.axes, *flags.flags))
        sentences.append(
            f'no value for "{{{slot.name}}}" of the command: it is not in [space], '
            f"{flags.script} has no such flag, and no run has logged it{hint}"
        )
    return sentences


def is_number(value: object) -> TypeGuard[int | float]:
    """Whether a value is a finite number, and no truth value."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def same(one: Scalar, other: Scalar) -> bool:
    """Whether two values mean the same: 1 and 1.0, ``AdamW`` and ``adamw``, but not 1 and true."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if is_number(one) and is_number(other):
        return one == other
    return str(one).strip().lower() == str(other).strip().lower()
