"""The matrix of runs and rules: which rows it has, in which order, and which page of them is shown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from tbdiag.errors import RequestError
from tbdiag.naming.knobs import knob
from tbdiag.naming.settings import About, about
from tbdiag.reading.listing import natural

SEVERITIES = ("error", "warning", "note")
_MOST_PER_PAGE = 500
_MOST_SETTINGS = 24  # columns
_LONGEST = 500  # characters of a pattern

Cell = tuple[int | None, str, bool]  # first step, severity, whether it is a mere consequence


@dataclass(frozen=True, slots=True)
class Row:
    """A run in the matrix: ``cells`` by rule, ``counts`` of root findings by severity."""

    run: str
    cells: Mapping[str, Cell]
    counts: Mapping[str, int]
    hparams: Mapping[str, Any]

    @property
    def rank(self) -> int:
        """0 for a run with an error, 3 for one without findings."""
        return next((at for at, each in enumerate(SEVERITIES) if self.counts.get(each)), 3)

    def plain(self, settings: Sequence[str]) -> dict[str, Any]:
        """The row as plain values, with the settings that are shown."""
        return {
            "run": self.run,
            "worst": (*SEVERITIES, "")[self.rank],
            "counts": dict(self.counts),
            "cells": {code: list(cell) for code, cell in self.cells.items()},
            "hparams": {name: self.hparams[name] for name in settings if name in self.hparams},
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which rows: runs that match ``pattern`` with a finding of ``severities`` and of ``rules``.

    No severities and no rules mean all runs. ``sort`` is ``run``, ``worst``, a rule's code, or
    ``hparam:NAME``.
    """

    pattern: str = ""
    severities: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    sort: str = "worst"
    descending: bool = False
    offset: int = 0
    limit: int = 100


def row(entry: Mapping[str, Any]) -> Row:
    """The row of a run, from what the report says about it."""
    cells: dict[str, Cell] = {}
    counts = dict.fromkeys(SEVERITIES, 0)
    for finding in entry["findings"]:
        evidence = finding["evidence"]
        consequence = finding["suppressed_by"] is not None
        step = int(evidence[0]["span"][0]) if evidence else None
        cell = (step, str(finding["severity"]), consequence)
        before = cells.get(finding["code"])
        if before is None or _graver(cell, before):
            cells[finding["code"]] = cell
        if not consequence:
            counts[cell[1]] = counts.get(cell[1], 0) + 1
    return Row(str(entry["run"]), cells, counts, entry["hparams"])


def page(rows: Sequence[Row], wanted: Wanted) -> dict[str, Any]:
    """The rows that are wanted, with the rules and settings that are columns, as plain values.

    Raises RequestError where the pattern is no regular expression.
    """
    matches = _matcher(wanted.pattern)
    found = [each for each in rows if matches(each.run) and _concerned(each, wanted)]
    settings = differing([each.hparams for each in found])
    found.sort(key=_order(wanted.sort), reverse=wanted.descending)
    if wanted.sort.startswith("hparam:"):  # what is not set comes last, whichever way
        name = wanted.sort.removeprefix("hparam:")
        found.sort(key=lambda each: each.hparams.get(name) is None)
    elif wanted.sort not in ("run", "worst"):
        found.sort(key=lambda each: wanted.sort not in each.cells)
    columns: dict[str, int] = {}
    for each in found:
        for code in each.cells:
            columns[code] = columns.get(code, 0) + 1
    start = max(wanted.offset, 0)
    stop = start + min(max(wanted.limit, 1), _MOST_PER_PAGE)
    return {
        "total": len(rows),
        "matched": len(found),
        "offset": start,
        "rules": [{"code": code, "runs": columns[code]} for code in sorted(columns)],
        "settings": settings,
        "rows": [each.plain(settings) for each in found[start:stop]],
    }


def differing(settings: Sequence[Mapping[str, Any]]) -> list[str]:
    """The names of settings whose values differ, mere bookkeeping aside: the known knobs first."""
    names = sorted(set().union(*settings), key=lambda name: (knob(name) is None, name))
    differ = (
        name for name in names if about(name) is not About.BOOKKEEPING and _varies(settings, name)
    )
    return [*islice(differ, _MOST_SETTINGS)]


def _varies(settings: Sequence[Mapping[str, Any]], name: str) -> bool:
    first = settings[0].get(name)
    return any(each.get(name) != first for each in settings)


def _graver(cell: Cell, other: Cell) -> bool:
    def key(each: Cell) -> tuple[bool, int, float]:
        rank = SEVERITIES.index(each[1]) if each[1] in SEVERITIES else len(SEVERITIES)
        return each[2], rank, float("inf") if each[0] is None else each[0]

    return key(cell) < key(other)


def _concerned(each: Row, wanted: Wanted) -> bool:
    if not wanted.severities and not wanted.rules:
        return True
    return any(
        (not wanted.rules or code in wanted.rules)
        and (not wanted.severities or severity in wanted.severities)
        and (bool(wanted.rules) or not consequence)
        for code, (_, severity, consequence) in each.cells.items()
    )


def _matcher(pattern: str) -> Callable[[str], object]:
    if len(pattern) > _LONGEST:
        raise RequestError(f"the pattern is longer than {_LONGEST} characters")
    try:
        return re.compile(pattern, re.IGNORECASE).search
    except re.error as error:
        raise RequestError(f"the pattern is no regular expression: {error}") from None


def _order(sort: str) -> Callable[[Row], tuple[Any, ...]]:
    if sort == "run":
        return lambda each: (natural(each.run),)
    if sort == "worst":
        return lambda each: (
            each.rank,
            *(-each.counts.get(severity, 0) for severity in SEVERITIES),
            natural(each.run),
        )
    if sort.startswith("hparam:"):
        name = sort.removeprefix("hparam:")
        return lambda each: _value(each.hparams.get(name))

    def by_rule(each: Row) -> tuple[Any, ...]:
        step, severity, consequence = each.cells.get(sort, (None, "", True))
        rank = SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)
        return consequence, rank, float("inf") if step is None else step

    return by_rule


def _value(value: Any) -> tuple[Any, ...]:
    """Numbers by size, then texts."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 1, 0.0, str(value)
    return (0, number, "") if number == number else (1, 0.0, "nan")
