"""Event files to runs: columns joined over files, hyperparameters, roles, and where all came from."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain
from pathlib import PurePath

import numpy as np

from tbdiag.errors import ReadError
from tbdiag.model.histogram import Histograms
from tbdiag.model.place import Place, UrlPath
from tbdiag.model.role import Override, Role, RoleMap
from tbdiag.model.run import Damage, HParam, Mixture, Provenance, Restart, Run
from tbdiag.model.series import Series
from tbdiag.reading import stored
from tbdiag.reading.columns import Columns, Points
from tbdiag.reading.discover import Discovery, EventFile, RunFiles
from tbdiag.reading.histograms import DecodedHistograms
from tbdiag.reading.later import Later, LaterSequence
from tbdiag.reading.layout import TRAINING, VALIDATION
from tbdiag.reading.listing import printable
from tbdiag.reading.restarts import Joined, join_all, restarts_of, without_void
from tbdiag.reading.sessions import labels, sessions_of, side_by_side
from tbdiag.reading.stored import Stored
from tbdiag.reading.writers import Part, mixtures_of, mixtures_within, part_of

_Read = tuple[EventFile, Columns]

_SHORT = 1 << 14  # points of a curve that is looked at together with others


def load(
    files: RunFiles,
    overrides: Mapping[Role, Override] | None = None,
    read: Callable[[EventFile], Columns] | None = None,
) -> tuple[Run, ...]:
    """The run that ``files`` hold, read whole; several where trainings share one folder.

    A file that cannot be read to its end, or at all, is told in the provenance; never raises for it.
    ``overrides`` names the tags of roles that are not to be bound automatically. ``read`` gives the
    columns of a file, or raises ReadError.
    """
    read = read or _read
    files, parts = _settled(files, [(file, _columns(file, read)) for file in files.files])
    sessions = _sessions(parts)
    if len(sessions) == 1:
        return (_run(files, files.id, sessions[0], (), (), overrides),)
    names = labels([session[0][0].path.name for session in sessions])
    note = f"{len(sessions)} trainings were logged into this folder: each is a run of its own"
    beside = mixtures_of(list(_parts(files, sessions)))
    return tuple(
        _run(files, f"{files.id} [{printable(name)}]", session, (note,), beside, overrides)
        for name, session in zip(names, sessions, strict=True)
    )


def read_all(
    discovery: Discovery, overrides: Mapping[Role, Override] | None = None
) -> Iterator[tuple[RunFiles, tuple[Run, ...]]]:
    """Each of the found runs with what was read from its files, in order and one at a time."""
    for files in discovery.runs:
        yield files, load(files, overrides)


def _read(file: EventFile) -> Columns:
    from tbdiag.reading import records

    return records.read(file.path)


def _columns(file: EventFile, read: Callable[[EventFile], Columns]) -> Columns:
    try:
        columns = read(file)
    except ReadError as error:
        reason = f"cannot be read: {str(error).rpartition(': ')[2]}"
        size = _size(file.path)
        return Columns(damage=Damage(file=str(file.path), offset=0, lost=size, reason=reason))
    if file.hparams_only:
        return Columns(hparams=columns.hparams, started=columns.started, damage=columns.damage)
    return columns


def _size(path: Place) -> int:
    if isinstance(path, UrlPath):
        from tbdiag.reading import remote

        return remote.size_of(path)
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _settled(files: RunFiles, parts: list[_Read]) -> tuple[RunFiles, list[_Read]]:
    """The run without the prefix of its only folder, where the tags tell the split themselves.

    A run of Ultralytics in a folder ``train`` logs both ``train/box_loss`` and ``val/box_loss``.
    """
    prefixes = {file.prefix for file in files.files}
    only = next(iter(prefixes)) if len(prefixes) == 1 else ""
    if not only:
        return files, parts
    firsts = {tag.split("/")[0].lower() for _, columns in parts for tag in columns.scalars}
    if not (firsts & TRAINING and firsts & VALIDATION):
        return files, parts
    folder = f"{files.folder}{os.sep}{only[:-1]}"
    own = files._replace(id=f"{files.id}/{printable(only[:-1])}", folder=folder)
    return own, [(file._replace(prefix=""), columns) for file, columns in parts]


def _sessions(parts: Sequence[_Read]) -> list[list[_Read]]:
    """The files of each training, those of one folder void where a later one says so."""
    if len(parts) == 1:
        return [list(parts)]
    folders: dict[PurePath, list[_Read]] = {}
    for file, columns in parts:
        folders.setdefault(file.path.parent, []).append((file, columns))
    split: list[list[list[_Read]]] = []
    for members in folders.values():
        groups = sessions_of([columns for _, columns in members])
        split.append([[members[index] for index in group] for group in groups])
    columns_of = [[[columns for _, columns in session] for session in folder] for folder in split]
    return [
        list(chain.from_iterable(split[f][s] for f, chosen in enumerate(row) for s in chosen))
        for row in side_by_side(columns_of)
    ]


def _run(
    files: RunFiles,
    name: str,
    parts: Sequence[_Read],
    notes: tuple[str, ...],
    beside: Sequence[Mixture],
    overrides: Mapping[Role, Override] | None,
) -> Run:
    parts, purges = _without_void(parts)
    parts = _without_summaries(parts)
    scalars: dict[str, list[tuple[int, Points]]] = {}
    texts: dict[str, str] = {}
    for index, (file, columns) in enumerate(parts):
        for tag, points in columns.scalars.items():
            scalars.setdefault(_tag(file, tag), []).append((index, points))
        texts |= {_tag(file, tag): text for tag, text in columns.texts.items()}
    joined = join_all(scalars)
    series = _series(joined)
    logged = [columns.hparams for _, columns in parts]
    names = [printable(files.id), *dict.fromkeys(printable(file.path.name) for file, _ in parts)]

    def settings() -> Mapping[str, HParam]:
        from tbdiag.reading.hparams import hparams_of

        return hparams_of(logged, texts, files.path, files.root, names)

    hparams = Later(settings)
    return Run(
        id=name,
        path=files.path,
        series=series,
        histograms=_histograms(parts),
        texts=texts,
        hparams=hparams,
        roles=_roles(series, overrides, hparams),
        provenance=_provenance(files, parts, joined, purges, notes, beside),
    )


def _roles(
    series: Mapping[str, Series],
    overrides: Mapping[Role, Override] | None,
    hparams: Mapping[str, HParam],
) -> RoleMap:
    """The roles, bound when first asked for: who wants the curves alone does not wait for them."""

    @cache
    def bound() -> RoleMap:
        from tbdiag.naming.knobs import stated_epochs
        from tbdiag.naming.roles import bind

        return bind(series, overrides, lambda: stated_epochs(hparams))

    return RoleMap(
        bound=Later(lambda: bound().bound),
        ambiguous=Later(lambda: bound().ambiguous),
        parts=LaterSequence(lambda: bound().parts),
    )


def _parts(files: RunFiles, sessions: Sequence[Sequence[_Read]]) -> Iterator[Part]:
    """The files of each session that hold scalars, with who wrote them."""
    for number, session in enumerate(sessions):
        for file, columns in session:
            scalars = {_tag(file, tag): points for tag, points in columns.scalars.items()}
            part = part_of(_name(files, file.path), scalars, number)
            if part is not None:
                yield part


def _name(files: RunFiles, path: Place) -> str:
    whole = str(path)
    inside = whole.removeprefix(f"{files.path}{os.sep}")
    if inside == whole:  # a folder beside it
        inside = os.path.relpath(whole, str(files.path))
    return printable(inside.replace(os.sep, "/"))


def _tag(file: EventFile, tag: str) -> str:
    return f"{file.prefix}{tag}/{file.key}" if file.key else file.prefix + tag


def _series(joined: Mapping[str, Joined]) -> dict[str, Series]:
    """The curves, of the very arrays that were read where all of their values are finite."""
    short = [r.points.values for r in joined.values() if len(r.points) <= _SHORT]
    all_finite = bool(np.isfinite(np.concatenate(short)).all()) if short else True
    series = {}
    for tag, result in joined.items():
        steps, values, walls = result.points.steps, result.points.values, result.points.wall_times
        finite = all_finite if len(values) <= _SHORT else bool(np.isfinite(values).all())
        made = Series.adopting if finite else Series.of
        series[tag] = made(tag, steps, values, walls)
    return series


def _without_void(parts: Sequence[_Read]) -> tuple[list[_Read], list[Restart]]:
    if all(columns.voids is None and not columns.purges for _, columns in parts):
        return list(parts), []
    folders: dict[PurePath, list[int]] = {}
    for index, (file, _) in enumerate(parts):
        folders.setdefault(file.path.parent, []).append(index)
    kept, restarts = list(parts), []
    for members in folders.values():
        columns, told = without_void([parts[index][1] for index in members])
        restarts += told
        for index, valid in zip(members, columns, strict=True):
            kept[index] = (parts[index][0], valid)
    return kept, restarts


def _without_summaries(parts: Sequence[_Read]) -> list[_Read]:
    """The files, without single points beside hyperparameters of curves that stand in another file.

    Such points are the results of the whole run, which ``add_hparams`` logs at step 0.
    """
    if not any(columns.hparams for _, columns in parts):
        return list(parts)
    curves = {
        _tag(file, tag)
        for file, columns in parts
        for tag, points in columns.scalars.items()
        if len(points) > 1
    }
    kept = []
    for file, columns in parts:
        if columns.hparams and all(len(points) == 1 for points in columns.scalars.values()):
            scalars = {t: p for t, p in columns.scalars.items() if _tag(file, t) not in curves}
            columns = replace(columns, scalars=scalars)
        kept.append((file, columns))
    return kept


def _histograms(parts: Sequence[_Read]) -> dict[str, Histograms]:
    pieces: dict[str, list[tuple[int, Points]]] = {}
    records: dict[str, list[Stored]] = {}
    counts: dict[str, int] = {}
    for index, (file, columns) in enumerate(parts):
        for name, raw in columns.histograms.items():
            tag = _tag(file, name)
            known = counts.get(tag, 0)
            counts[tag] = known + len(raw)
            points = Points.of(raw.steps, np.arange(known, counts[tag]), raw.wall_times)
            pieces.setdefault(tag, []).append((index, points))
            records.setdefault(tag, []).append(raw.records)
    histograms = {}
    for tag, result in join_all(pieces).items():
        chosen = stored.joined(records[tag]).take(result.points.values.astype(np.int64))
        histograms[tag] = Histograms(tag, result.points.steps, DecodedHistograms(chosen))
    return histograms


def _provenance(
    files: RunFiles,
    parts: Sequence[_Read],
    joined: Mapping[str, Joined],
    purges: Sequence[Restart],
    notes: tuple[str, ...],
    beside: Sequence[Mixture],
) -> Provenance:
    restarts = restarts_of(chain.from_iterable(result.rewinds for result in joined.values()))
    odd = tuple(
        f"{tag} has a point at step {step} out of order: left out"
        for tag, result in joined.items()
        for _, step in result.strays
    )
    told = tuple(result.note for result in joined.values() if result.note)
    written = list(_parts(files, [parts]))
    names = tuple(_name(files, file.path) for file, _ in parts)
    return Provenance(
        files=names,
        points=sum(len(result.points) for result in joined.values()),
        duplicates=sum(result.duplicates for result in joined.values()),
        restarts=tuple(sorted((*purges, *restarts), key=lambda restart: restart.wall_time)),
        damages=tuple(
            replace(columns.damage, file=name)
            for name, (_, columns) in zip(names, parts, strict=True)
            if columns.damage is not None
        ),
        notes=notes + told + odd,
        writings=tuple(part.writing for part in written),
        mixtures=(
            *mixtures_within(written, names, joined),
            *(each for each in beside if each.apart and not set(names).isdisjoint(each.files)),
        ),
    )
