"""The charts of a run: curves in few points with the places that findings speak of, drawn and as data."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.role import Role
from tbdiag.model.run import Run
from tbdiag.views import charts as layout
from tbdiag.views.curves import Frame, drawn
from tbdiag.views.jsontext import line
from tbdiag.views.page.picture import Picture, Stroke, drawing
from tbdiag.views.text import LONGEST, count, printable

COLUMNS = 90  # of each up to four points are kept: 360 a curve
_CHARTS = 8  # of a run, beside those that it always has
_CURVES = 6  # of a chart
_DWARFED = 1e4  # by so much others must be exceeded for a logarithmic axis

_ALWAYS = (
    *(Role.TRAIN_LOSS, Role.VAL_LOSS, Role.TRAIN_METRIC, Role.VAL_METRIC),
    *(Role.REWARD, Role.VAL_REWARD, Role.D_LOSS, Role.G_LOSS),
)
_SECOND = (Role.VAL_LOSS, Role.VAL_METRIC, Role.VAL_REWARD, Role.G_LOSS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """A chart of a run: its ``picture``, and the ``data`` from which a browser draws it, as JSON."""

    anchor: str
    title: str
    tags: tuple[str, ...]
    findings: tuple[int, ...]
    picture: Picture
    data: str


def charts(run: Run, findings: Sequence[Finding], anchor: str) -> list[Chart]:
    """Those that findings speak of, then loss and metric of training beside validation.

    Findings are known by their place in ``findings``. Raises OSError and ReadError where the curves
    cannot be read.
    """
    evidence = [
        {
            "tag": each.tag,
            "span": each.span,
            "run": each.run or run.id,
            "note": each.note,
            "finding": at,
            "code": finding.code,
            "severity": finding.severity.value,
            "folded": finding.suppressed_by is not None,
        }
        for at, finding in enumerate(findings)
        for each in finding.evidence
    ]
    told = [
        {"evidence": [each for each in evidence if each["finding"] == at]}
        for at in range(len(findings))
    ]
    roles = {binding.tag: role for role, binding in run.roles.bound.items()}
    found: list[Chart] = []
    concerned = 0
    for each in layout.charts(run, told):
        tags = [curve["tag"] for curve in each["curves"]][:_CURVES]
        concerned += bool(each["findings"])
        if each["findings"] and concerned > _CHARTS:
            continue
        if not each["findings"] and not any(roles.get(tag) in _ALWAYS for tag in tags):
            continue
        here = [e for e in evidence if e["tag"] in tags and e["run"] == run.id]
        name = f"{anchor}-c{len(found)}"
        histogram = each["curves"][0]["kind"] == "histogram"
        title = f"{each['title']}: spread of its values" if histogram else str(each["title"])
        chart = _chart(run, title, tags, roles, here, name, tuple(each["findings"]))
        if chart is not None:
            found.append(chart)
    return found


def _chart(
    run: Run,
    title: str,
    tags: Sequence[str],
    roles: Mapping[str, Role],
    evidence: Sequence[Mapping[str, Any]],
    anchor: str,
    findings: tuple[int, ...],
) -> Chart | None:
    told = drawn(run, tags, Frame(columns=COLUMNS), evidence)
    curves = [each for each in told["curves"] if each["x"]]
    if not curves:
        return None
    log = wants_log([value for each in curves for value in each["y"] if value is not None])
    labels = [printable(each["part"] or each["tag"])[:LONGEST] for each in curves]
    colors = [
        3 + at if each["part"] else 1 if roles.get(each["tag"]) in _SECOND else 0 if at == 0 else at
        for at, each in enumerate(curves)
    ]
    bands = _bands(evidence, told["spans"])
    strokes = tuple(
        Stroke(
            label=label,
            color=color,
            x=each["x"],
            y=each["y"],
            bad=tuple(place for place, _, _ in each["nonfinite"]),
            points=each["points"],
            unfit=each["bad"],
        )
        for each, label, color in zip(curves, labels, colors, strict=True)
    )
    data = {
        "log": log,
        "title": printable(title),
        "lines": [
            {
                "label": label,
                "color": color,
                "points": each["points"],
                "x": _steps(each["x"]),
                "y": [None if value is None else float(f"{value:.5g}") for value in each["y"]],
                "bad": [[int(place), kind] for place, kind, _ in each["nonfinite"]],
                "unfit": each["bad"],
            }
            for each, label, color in zip(curves, labels, colors, strict=True)
        ],
        "bands": bands,
    }
    return Chart(
        anchor=anchor,
        title=title,
        tags=tuple(tags),
        findings=findings,
        picture=drawing(strokes, bands, log=log),
        data=inert(line(data)),
    )


def inert(text: str) -> str:
    """JSON in ASCII as it may stand within a script of a page, whatever its strings hold."""
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


def wants_log(values: Sequence[float]) -> bool:
    """Whether values are better seen on a logarithmic axis: positive, and some dwarf most others.

    A rate that falls to nothing at its end does not count. As in the tab.
    """
    ordered = sorted(values)
    if not ordered or ordered[0] <= 0:
        return False

    def at(share: float) -> float:
        return ordered[math.floor(share * (len(ordered) - 1))]

    return at(1) > _DWARFED * at(0.5) or at(0.95) > _DWARFED * at(0.05)


def _steps(places: Sequence[float]) -> list[int]:
    """The first step, then by how many each is behind the one before: shorter to write."""
    steps = [int(each) for each in places]
    return [*steps[:1], *(after - before for before, after in pairwise(steps))]


def _bands(
    evidence: Sequence[Mapping[str, Any]], spans: Sequence[Sequence[float]]
) -> list[dict[str, Any]]:
    """Each place of a finding once: evidence on several curves of a chart often has the same.

    Places of consequences are ``folded``: labelled, but not shaded.
    """
    found: dict[tuple[int, int, int], dict[str, Any]] = {}
    for each, (first, last) in zip(evidence, spans, strict=True):
        key = (each["finding"], int(first), int(last))
        note = printable(each["note"])
        if key not in found:
            found[key] = {
                "finding": each["finding"],
                "code": printable(each["code"]),
                "severity": each["severity"],
                "x": [int(first), int(last)],
                "folded": each["folded"],
                "note": note,
            }
        elif note and note not in found[key]["note"]:
            found[key]["note"] = "; ".join(filter(None, (found[key]["note"], note)))
    return sorted(
        found.values(), key=lambda each: (each["folded"], Severity(each["severity"]).rank)
    )


def said(title: str, picture: Picture, run: str) -> str:
    """A chart in words, for who cannot see it."""
    lines = ", ".join(f"{each.label} from {each.first} to {each.last}" for each in picture.lines)
    unfit = sum(each.unfit for each in picture.lines)
    marks = ", ".join(f"{band.code} at {band.where}" for band in picture.bands)
    words = f"{title} of {run}: {lines}"
    words += f"; marked: {marks}" if marks else ""
    return words + (f"; {count(unfit, 'point')} not finite" if unfit else "")
