"""With which parameters a past run was trained, by the names of the command."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tbdiag.advisor.flags import HYDRA, PARAMS, Flag, Flags, Kind
from tbdiag.advisor.space import Axis, Space, is_number, same
from tbdiag.config.command import Slot, spelled
from tbdiag.config.training import Choices, Dimension, Range
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.naming.knobs import knob as knob_of
from tbdiag.naming.settings import About, about
from tbdiag.naming.words import split

LEFT = "left to the script"
_NAMED = 6  # settings in one sentence
_OVERRIDES = ".hydra/overrides.yaml"
_OFTEN_OTHERWISE = frozenset({Knob.WARMUP})  # steps, epochs or a share: only the name itself tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Completed:
    """What a run was trained with.

    ``params`` has a value for every name of the space; None means that the option is left out, so that
    the script's own default holds. ``sources`` says where each value comes from, ``unknown`` names
    those that nothing tells, ``notes`` are sentences on what a follow-up would do otherwise.
    """

    params: Mapping[str, Scalar]
    sources: Mapping[str, str]
    unknown: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(slots=True)
class _Draft:
    params: dict[str, Scalar] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    unknown: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def put(self, name: str, value: Scalar, source: str) -> None:
        self.params[name], self.sources[name] = value, source


def complete(run: Run, space: Space, flags: Flags) -> Completed:
    """The parameters of a run for every name of ``space``, each with its source.

    The hyperparameters that the run logged count first, then its curves of the learning rate and of
    the epochs, then the defaults of the script. Only values that are no axis may stay unknown without
    harm: they are left to the script.
    """
    draft = _Draft()
    for name in _names(run, space, flags):
        slot = space.slot(name)
        flag, axis = flags.of(slot), space.axes.get(name)
        found = logged(run, slot, flag)
        if isinstance(found, HParam):
            draft.put(name, fitting(found.value, flag, axis), found.source)
            draft.notes += _disagreements(name, found)
            continue
        if found:
            draft.notes.append(f"{name}: {found}")
        if (curve := _from_curves(run, name, flag)) is not None:
            draft.put(name, fitting(curve[0], flag, axis), curve[1])
        elif flag is not None and flag.known and not (flag.default is None and axis):
            value = fitting(flag.default, flag, axis)
            draft.put(name, value, f"default of {flag.option or flag.name}")
        else:
            draft.put(name, None, LEFT)
            draft.unknown.append(name)
            if flag is not None and flag.required:
                draft.notes.append(f"{name}: the script needs it, and the run did not log it")
    draft.notes += _not_passed_on(run, space, flags)
    return Completed(
        params=draft.params,
        sources=draft.sources,
        unknown=tuple(draft.unknown),
        notes=tuple(draft.notes),
    )


def logged(run: Run, slot: Slot, flag: Flag | None) -> HParam | str | None:
    """The hyperparameter of a run that a parameter of the command stands for.

    By its very name or the flag's, then by the same words, by the end of a nested name and at last by
    the knob. A sentence where several are in question and disagree, None where there is none.
    """
    own = [slot.name, slot.option.lstrip("-")] + ([flag.name] if flag else [])
    own += [name.replace("-", "_") for name in own]
    for name in own:
        if name and name in run.hparams:
            return run.hparams[name]
    spoken = {split(name) for name in own if name} - {()}
    knob = knob_of(slot.name) or (knob_of(flag.name) if flag else None)
    if knob in _OFTEN_OTHERWISE:
        knob = None
    names = list(run.hparams)
    for alike in (
        [name for name in names if split(name) in spoken],
        [name for name in names if "." in name and split(name.rpartition(".")[2]) in spoken],
        [name for name in names if knob is not None and knob_of(name) is knob],
    ):
        if alike:
            return _agreed(run, alike)
    return None


def _agreed(run: Run, names: list[str]) -> HParam | str:
    """The hyperparameter of these names, of which those that are not set say nothing."""
    told = [name for name in names if run.hparams[name].value is not None] or names
    first = run.hparams[told[0]]
    if all(same(run.hparams[name].value, first.value) for name in told):
        return first
    several = ", ".join(f"{name} = {spelled(run.hparams[name].value)}" for name in told[:4])
    return f"the run logged {several}; name the parameter as the one that is meant"


def fitting(value: Scalar, flag: Flag | None, axis: Axis | None = None) -> Scalar:
    """The value as the script takes it: whole numbers, truth values and choices as those.

    Logs may hold 64.0 for 64, 1.0 for true and ``torch.optim.AdamW`` for ``adamw``.
    """
    limits = axis.dimension if axis is not None else None
    choices = flag.choices if flag else ()
    if isinstance(limits, Choices):
        choices = (*limits.values, *choices)
    if (choice := _choice(value, choices)) is not None:
        return choice
    kind = flag.kind if flag else None
    if value in ("None", "none", "null", "") and flag is not None and flag.default is None:
        return value if value == "" and kind is Kind.STR else None
    if kind in (Kind.BOOL, Kind.SWITCH):
        return _truth(value)
    if is_number(value):
        return _number(value, kind, limits)
    return value


def _choice(value: Scalar, choices: Sequence[Scalar]) -> Scalar:
    """The choice that is meant, None where there is none."""
    for choice in choices:
        truth = isinstance(choice, bool) and isinstance(value, float | int) and choice == value
        if truth or same(choice, value):
            return choice
    last = "".join(split(value.rpartition(".")[2])) if isinstance(value, str) else ""
    words = (choice for choice in choices if isinstance(choice, str))
    return next((choice for choice in words if last and "".join(split(choice)) == last), None)


def _number(value: float, kind: Kind | None, limits: Dimension | None) -> Scalar:
    """A number as the flag takes it, else as the limits are written."""
    whole = float(value).is_integer()
    if kind is Kind.STR:
        return str(int(value)) if whole else spelled(value)
    if kind is None and isinstance(limits, Range):
        whole_range = all(isinstance(e, int) for e in (limits.low, limits.high, limits.step or 1))
        kind = Kind.INT if whole_range else Kind.FLOAT
    if kind is Kind.INT and whole:
        return int(value)
    return float(value) if kind is Kind.FLOAT else value


def _truth(value: Scalar) -> Scalar:
    if isinstance(value, bool):
        return value
    if value in (0, 1):
        return bool(value)
    word = str(value).strip().lower()
    if word in ("true", "yes", "on", "false", "no", "off"):
        return word in ("true", "yes", "on")
    return value


def _names(run: Run, space: Space, flags: Flags) -> list[str]:
    """The names of the space, and where all is handed over at once those that the run was told, too."""
    names = list(space.names)
    if space.bulk:
        told = [name for name, each in run.hparams.items() if each.source.endswith(_OVERRIDES)]
        for name, flag in flags.flags.items():
            found = run.hparams.get(name)
            other = found is not None and not same(fitting(found.value, flag), flag.default)
            if flags.how == PARAMS or (flags.how == HYDRA and other):
                told.append(name)
        names += [
            name
            for name in dict.fromkeys(told)
            if name not in names and about(name) is not About.BOOKKEEPING
        ]
    return names


def _from_curves(run: Run, name: str, flag: Flag | None) -> tuple[float, str] | None:
    """The peak of the learning rate, and how many epochs there were: curves tell what was not logged."""
    knob = knob_of(name) or (knob_of(flag.name) if flag else None)
    role = {Knob.LR: Role.LEARNING_RATE, Knob.EPOCHS: Role.EPOCH}.get(knob) if knob else None
    curve = run.curve(role) if role else None
    if curve is None or not len(curve.values):
        return None
    peak = float(curve.values.max())
    if knob is Knob.EPOCHS:
        return (float(math.ceil(peak - 1e-6)), f"last of {curve.tag}") if peak >= 1 else None
    return (peak, f"peak of {curve.tag}") if peak > 0 else None


def _disagreements(name: str, found: HParam) -> list[str]:
    return [
        f"{name}: {found.source} says {spelled(found.value)}, {source} says {spelled(value)}"
        for source, value in found.also
    ]


def _not_passed_on(run: Run, space: Space, flags: Flags) -> list[str]:
    """What the run was told and a follow-up would not be, since the command has no place for it."""
    if space.bulk:
        return []
    taken = {flag.name for slot in space.slots if (flag := flags.of(slot))}
    lost = []
    for name, flag in flags.flags.items():
        if name in taken or not flag.known or about(name) in (About.BOOKKEEPING, About.SEED):
            continue
        found = run.hparams.get(name)
        if found is None:
            continue
        value = fitting(found.value, flag)
        if not same(value, flag.default):
            lost.append(f"{flag.option or name} {spelled(value)}")
    if not lost:
        return []
    more = f" and {len(lost) - _NAMED} more" if len(lost) > _NAMED else ""
    said = ", ".join(lost[:_NAMED])
    return [f"the run was trained with {said}{more}, which the command does not pass on"]
