"""From log folders to what follow-up runs start from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tbdiag.advisor.completion import Completed, complete
from tbdiag.advisor.defaults import read_flags
from tbdiag.advisor.flags import Flags
from tbdiag.advisor.plan import Plan, comparable, largest
from tbdiag.advisor.record import Record, best
from tbdiag.advisor.space import Axis, Space, configured, from_nowhere, inferred
from tbdiag.advisor.usual import usual
from tbdiag.api.folders import FOLLOW_UPS, scan
from tbdiag.api.intake import Progress
from tbdiag.api.settings import Place
from tbdiag.config import Config, find
from tbdiag.config.command import Slot
from tbdiag.config.training import Choices, Dimension, Range, Train
from tbdiag.diagnosis import select
from tbdiag.errors import ConfigError, RequestError
from tbdiag.journal.file import Journal
from tbdiag.journal.replay import replayed
from tbdiag.model.place import is_url
from tbdiag.model.report import RunReport
from tbdiag.model.role import Override, Role
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import entrant

Given = Mapping[str, Any]  # a space as users write it: dimensions, tables, lists, or pairs

_NAMED = 4  # runs left out that are named one by one


def nearest(path: Place | Sequence[Place] | None, config: Config | Place | None) -> Config:
    """The configuration: as given, else the nearest one upward from the first path with a [train].

    Then that from the working directory.
    """
    if isinstance(config, Config):
        return config
    if config is not None:
        return select.load(Path(config))
    first = path if path is None or isinstance(path, str | Path) else next(iter(path), None)  # type: ignore[arg-type]  # os.PathLike
    places = [Path(first).resolve()] if first is not None else []
    found = [each for each in (find(place) for place in (*places, Path.cwd())) if each is not None]
    loaded = [select.load(each) for each in dict.fromkeys(found)]
    return next((c for c in loaded if c.train is not None), loaded[0] if loaded else Config())


def planned(
    path: Place | Sequence[Place] | None,
    config: Config,
    *,
    space: Given | None = None,
    objective: str | None = None,
    cache: bool = True,
    progress: Progress | None = None,
) -> Plan:
    """What follow-up runs of the runs below ``path`` start from: the best of the largest comparable group.

    ``space`` takes the place of the configured one, ``objective`` likewise. Follow-up runs that descend
    from others below the path are known by the journal, not as past runs. Raises RequestError.
    """
    config = _with(config, space, objective)
    report = scan(path, config=config, cache=cache, progress=progress)
    logdir = _logdir(path, config, report.runs)
    wanted = config.train.objective if config.train else None
    command = config.train.command if config.train else ()
    flags = read_flags(command, config.root) if command else Flags()
    runs = [each.run for each in report.runs]
    axes = _axes(config, command, flags, report.runs)
    records, completed = [], {}
    for each in report.runs:
        name = _name(each, logdir)
        told = complete(each.run, axes, flags)
        completed[name] = told
        named = replace(each.run, id=name)
        records.append(
            Record(
                id=name,
                params=told.params,
                report=replace_run(each, named),
                entrant=entrant(named, wanted),
            )
        )
    records = _past(records, logdir)
    group = largest(records)
    judged = [each for each in group if each.entrant is not None]
    start = best(judged or group)
    group = [each for each in comparable(group, start) if each.entrant is not None or each is start]
    notes = [*completed[start.id].notes, *from_nowhere(axes, flags, runs)]
    if unknown := _unknown(completed[start.id], axes):
        notes.append(f"{', '.join(unknown)} of {start.id} cannot be told and will not be turned")
    if flags.why and command:
        notes.append(f"the defaults of the script could not be read: {flags.why}")
    others = [each for each in records if each not in group]
    return Plan(
        config=config,
        selection=select.select(config),
        space={name: axis.dimension for name, axis in axes.axes.items()},
        start=start,
        past=tuple(group),
        logdir=logdir,
        notes=tuple(dict.fromkeys(notes)),
        left_out=tuple((each.id, _why(each, start)) for each in others),
    )


def replace_run(report: RunReport, run: Any) -> RunReport:
    """The same report about the run under another name."""
    return RunReport(run=run, outcomes=report.outcomes, findings=report.findings)


def dimensions(given: Given) -> dict[str, Dimension]:
    """A space as users of the library write it: as in the file, or with pairs (low, high) for ranges.

    Raises ConfigError with all mistakes.
    """
    plain: dict[str, Any] = {}
    ready: dict[str, Dimension] = {}
    for name, each in given.items():
        if isinstance(each, Range | Choices):
            ready[name] = each
        elif isinstance(each, tuple) and len(each) == 2:
            plain[name] = {"low": each[0], "high": each[1]}
        else:
            plain[name] = dict(each) if isinstance(each, Mapping) else list(each)
    from tbdiag.config.schema import check

    table, mistakes = check({"space": plain})
    if mistakes:
        raise ConfigError([sentence for _, sentence in mistakes])
    for name, each in table.space.items():
        ready[name] = (
            Choices(tuple(each))
            if isinstance(each, list)
            else Range(low=each.low, high=each.high, log=each.log, step=each.step)
        )
    return {name: ready[name] for name in given}


def _with(config: Config, space: Given | None, objective: str | None) -> Config:
    if space is not None:
        config = replace(config, space=dimensions(space))
    if objective is not None:
        train = config.train or Train(command=(), objective=Override(objective))
        config = replace(config, train=replace(train, objective=Override(objective)))
    return config


def _axes(
    config: Config, command: tuple[str, ...], flags: Flags, runs: Sequence[RunReport]
) -> Space:
    """The configured space, else that of the command, else that of what the runs logged."""
    if config.space:
        return configured(config)
    if command:
        return inferred(command, flags, [each.run for each in runs])
    axes: dict[str, Axis] = {}
    names = dict.fromkeys(name for each in runs for name in each.run.hparams)
    for name in names:
        known = knob(name)
        seen = [each.run.hparams[name].value for each in runs if name in each.run.hparams]
        found = None if known is None else usual(known, list(dict.fromkeys(seen)))
        if known is not None and found is not None:
            axes[name] = Axis(name=name, dimension=found[0], knob=known, source=found[1])
    return Space(axes=axes, slots=tuple(Slot(name) for name in names))


def _logdir(
    path: Place | Sequence[Place] | None, config: Config, runs: Sequence[RunReport]
) -> Path:
    """Where follow-up runs go: the configured log folder if the runs lie in it, else beside them.

    Those of runs that lie far away go to ``logs`` beside the configuration.
    """
    if any(is_url(str(each.run.path)) for each in runs):
        return (config.root / FOLLOW_UPS).resolve()
    places = [Path(each.run.path).resolve() for each in runs]
    if config.logdir is not None:
        own = (config.root / config.logdir).resolve()
        if all(each.is_relative_to(own) for each in places):
            return own
    given = [] if path is None else [path] if isinstance(path, str | Path) else list(path)  # type: ignore[arg-type]  # os.PathLike
    folder = Path(given[0]).resolve() if given else places[0].parent
    if folder.is_file():
        folder = folder.parent
    return folder.parent if folder in places else folder


def _name(report: RunReport, logdir: Path) -> str:
    """The run by its folder below the log folder, which stays the same however it is asked for."""
    if is_url(str(report.run.path)):
        return report.run.id
    path = Path(report.run.path).resolve()
    if path.is_file():
        path = path.parent
    inside = path.relative_to(logdir).as_posix() if path.is_relative_to(logdir) else str(path)
    told_apart = report.run.id.partition(" [")[2]
    return f"{inside} [{told_apart}" if told_apart else inside


def _past(records: Sequence[Record], logdir: Path) -> list[Record]:
    """The records without follow-up runs that descend from others of them, or came to nothing."""
    trials = replayed(Journal.beside(logdir)).trials
    named = {each.id for each in records}
    kept = [each for each in records if each.id not in trials]
    ours = {each.id for each in kept}
    for name, trial in trials.items():
        if trial.proposal.parent in ours:
            ours.add(name)
        elif name in named:
            kept += [each for each in records if each.id == name]
            ours.add(name)
    return kept


def _unknown(told: Completed, axes: Space) -> list[str]:
    return [name for name in told.unknown if name in axes.axes]


def _why(record: Record, start: Record) -> str:
    if record.entrant is None:
        return "it logged no objective"
    return f"it was not trained on the same data as {start.id}"


def runnable(plan: Plan, *, command: bool = True) -> None:
    """Raises RequestError where no follow-up of the plan can be started or judged."""
    config = plan.config
    if command and not plan.command:
        where = config.path or "a tbdiag.toml"
        raise RequestError(
            f"no training command is configured: add [train] with a command to {where}, "
            "or let `tbdiag init` write it"
        )
    if plan.start.entrant is None:
        wanted = config.train.objective.tag if config.train else Role.VAL_LOSS.value
        raise RequestError(
            f"{plan.start.id} has no curve of the objective, {wanted}: without it no follow-up "
            "can be judged; name another objective under [train]"
        )
    if not plan.space:
        raise RequestError("no setting may be turned: name some under [space]")
