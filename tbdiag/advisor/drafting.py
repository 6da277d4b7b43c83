"""The first configuration of a project, out of a script's flags and what its runs logged."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tbdiag.advisor.completion import logged
from tbdiag.advisor.flags import HYDRA, PARAMS, Flag, Flags, Kind
from tbdiag.advisor.space import Axis, Space, inferred, is_number, same, seen
from tbdiag.config.command import Slot, placeholders, spelled
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role
from tbdiag.model.run import HParam, Run, Scalar
from tbdiag.naming.knobs import knob as knob_of
from tbdiag.naming.settings import About, about
from tbdiag.naming.words import split

# What scripts call the folder of their logs, the surest first.
_LOGDIRS = (
    "logdir", "log dir", "tensorboard dir", "tensorboard logdir", "tb dir", "tb log dir",
    "tensorboard log dir", "tensorboard log", "logging dir", "summary dir", "logs", "log path",
    "log folder", "run dir", "default root dir", "trainer default root dir", "save dir",
    "output dir", "out dir", "output", "outdir", "out", "exp dir", "experiment dir", "work dir",
    "workdir", "results dir", "result dir",
)  # fmt: skip
_MANY = 40  # flags, of which a command with all would not be readable
_HYDRA_WORDS = ("hydra.run.dir={logdir}", "{overrides}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One parameter as it was understood; ``axis`` is None where it stays as in the run answered."""

    name: str
    option: str
    default: str
    axis: Axis | None
    knob: Knob | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What was understood: the words of the command, its parameters, and what to judge runs by.

    ``notes`` are sentences on what could not be understood or is left out.
    """

    command: tuple[str, ...]
    space: Space
    rows: tuple[Row, ...]
    objective: str
    budget: str | None
    notes: tuple[str, ...]


def draft(start: Sequence[str], flags: Flags, runs: Sequence[Run]) -> Draft:
    """The configuration of the script that the words ``start`` run, which takes ``flags``."""
    notes = [flags.why] if flags.why else []
    exposed = [flag for flag in flags.flags.values() if _is_exposed(flag)]
    if len(exposed) > _MANY:
        exposed = [flag for flag in exposed if _matters(flag, runs)]
        notes.append(
            f"{flags.script} has {len(flags.flags)} flags: of those that are neither settings known to "
            "tbdiag nor about the data, only what runs have changed has a place in the command"
        )
    if flags.how in (PARAMS, HYDRA):
        command = (*start, *(_HYDRA_WORDS if flags.how == HYDRA else ()))
    else:
        command, said = _with_flags(start, flags, exposed, runs)
        notes += said
    space = inferred(command, flags, runs)
    rows = []
    for flag in exposed:
        axis = space.axes.get(flag.name)
        if axis is None and not (_in(command, flag) or space.bulk):
            continue
        default = "not known" if not flag.known else "-" if flag.default is None else ""
        rows.append(
            Row(
                name=flag.name,
                option=flag.option or flag.name,
                default=default or spelled(flag.default),
                axis=axis,
                knob=knob_of(flag.name),
            )
        )
    objective, said = _objective(runs)
    budgets = [space.axis(knob) for knob in (Knob.EPOCHS, Knob.MAX_STEPS)]
    return Draft(
        command=command,
        space=space,
        rows=tuple(rows),
        objective=objective,
        budget=next((axis.name for axis in budgets if axis), None),
        notes=tuple(notes + said),
    )


def _is_exposed(flag: Flag) -> bool:
    return knob_of(flag.name) is not None or (
        about(flag.name) is not About.BOOKKEEPING and _logdir_rank(flag) is None
    )


def _matters(flag: Flag, runs: Sequence[Run]) -> bool:
    """Whether a flag is a knob or about the data, or a run had another value than the default."""
    if knob_of(flag.name) is not None or about(flag.name) is About.DATA:
        return True
    values = seen(Slot(flag.name, flag.option), flag, runs)
    return flag.known and any(not same(each, flag.default) for each in values)


def _in(command: Sequence[str], flag: Flag) -> bool:
    return any(_place(flag)[-1:] == (word,) for word in command) and bool(_place(flag))


def _with_flags(
    start: Sequence[str], flags: Flags, exposed: Iterable[Flag], runs: Sequence[Run]
) -> tuple[tuple[str, ...], list[str]]:
    """The words with a place for each flag, and what is left out."""
    words, notes = list(start), []
    folders = [flag for flag in flags.flags.values() if flag.options and not flag.several]
    ranked = [(rank, flag) for flag in folders if (rank := _logdir_rank(flag)) is not None]
    if ranked:
        _, folder = min(ranked, key=lambda pair: pair[0])
        words += [folder.option, "{logdir}"]
    else:
        notes.append(
            "no flag for the folder of the logs was found: put {logdir} into the command, "
            "or let the script log to the folder in the environment variable TBDIAG_LOGDIR"
        )
    for flag in exposed:
        if place := _place(flag):
            words += place
            continue
        values = seen(Slot(flag.name), flag, runs)
        fixed = _fixed(flag, values)
        if fixed is not None:
            words += fixed
        elif len(values) > 1:
            notes.append(
                f"{flag.option or flag.off or flag.name} differs between runs and has no place in "
                "the command: it takes no single value"
            )
    required = [
        flag
        for flag in flags.flags.values()
        if flag.required and not _is_exposed(flag) and "{logdir}" not in words[-2:]
    ]
    notes += [f"{flag.option or flag.name} is needed; add it to the command" for flag in required
              if flag.option not in words]  # fmt: skip
    return tuple(words), notes


def _place(flag: Flag) -> tuple[str, ...]:
    """The words with which a flag stands in the command, none where it cannot have one value."""
    if flag.several:
        return ()
    if flag.kind is Kind.SWITCH:
        if not flag.options:
            return ()
        word = f"{{{flag.option}/{flag.off}}}" if flag.off else f"{{{flag.option}}}"
        return (word,) if _named(word, flag) else ()
    word = f"{{{flag.name}}}"
    if not _named(word, flag):
        return ()
    return (flag.option, word) if flag.options else (word,)


def _named(word: str, flag: Flag) -> bool:
    """Whether the word can be a placeholder for the flag."""
    try:
        return len(placeholders(word)) == 1 and (flag.kind is Kind.SWITCH or word[1] not in "{-")
    except ValueError:
        return False


def _fixed(flag: Flag, values: Sequence[Scalar]) -> list[str] | None:
    """The words for a value in which all runs agree against the default; None where they do not."""
    runs = values[1:] if flag.known else values
    if len(runs) != 1 or (flag.known and same(runs[0], flag.default)):
        return None
    if flag.kind is Kind.SWITCH:
        return [flag.off] if runs[0] is False and flag.off else None
    if not flag.several or not flag.options or "Append" in flag.help:
        return None
    items = [item.strip() for item in spelled(runs[0]).strip("[]()").split(",") if item.strip()]
    plain = all(item[:1] != "-" and "{" not in item and "}" not in item for item in items)
    return [flag.option, *items] if items and plain else None


def _logdir_rank(flag: Flag) -> int | None:
    """How surely a flag names the folder of the logs, 0 the surest; None where it does not."""
    if flag.kind is Kind.SWITCH or is_number(flag.default):
        return None
    for name in (flag.name, *flag.options):
        words = " ".join(split(name))
        if words in _LOGDIRS:
            return _LOGDIRS.index(words)
    return None


def _objective(runs: Sequence[Run]) -> tuple[str, list[str]]:
    """The role that most runs have a curve for, validation first."""
    if not runs:
        return Role.VAL_LOSS.value, []
    for role in (Role.VAL_LOSS, Role.VAL_METRIC):
        if 2 * sum(run.curve(role) is not None for run in runs) >= len(runs):
            return role.value, []
    if any(run.curve(Role.TRAIN_LOSS) is not None for run in runs):
        note = "no validation curve was found: runs are judged by the training loss"
        return Role.TRAIN_LOSS.value, [note]
    note = "no loss was found in the logs: name the tag to judge runs by as the objective"
    return Role.VAL_LOSS.value, [note]


def unlogged(draft: Draft, flags: Flags, runs: Sequence[Run]) -> tuple[str, ...]:
    """The parameters with a default that no run has logged: past runs are taken to have had it."""
    names = []
    for row in draft.rows:
        flag = flags.flags[row.name]
        found = (logged(run, draft.space.slot(row.name), flag) for run in runs)
        if flag.default is not None and not any(isinstance(each, HParam) for each in found):
            names.append(row.name)
    return tuple(names)
