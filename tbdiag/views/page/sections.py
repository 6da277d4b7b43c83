"""One run in full: what was found, on which evidence, what to change, and with which settings it ran."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tbdiag.errors import ReadError
from tbdiag.model.finding import Evidence, Finding
from tbdiag.model.report import RunReport
from tbdiag.model.run import HParam, Provenance, Run, Scalar
from tbdiag.naming.knobs import knob
from tbdiag.search.entrant import entrant
from tbdiag.views.exhibit import measures, steps
from tbdiag.views.page.charts import Chart, charts
from tbdiag.views.page.matrix import Row
from tbdiag.views.tally import answers, coverage
from tbdiag.views.text import count, printable, result, shorten
from tbdiag.views.turned import turned

_FINDINGS = 40  # of a run that are told
_SETTINGS = 120
_DAMAGES = 6
_VALUE = 160  # columns of a setting's value


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """Evidence: ``where`` on which ``tag``, and the anchor of the chart that shows it, if one does."""

    tag: str
    run: str
    where: str
    note: str
    measures: str
    chart: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something to do: with the ``change`` of a setting where it is known."""

    title: str
    change: str
    because: str
    safety: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Card:
    """A finding, and those that it explains; ``number`` is its place in the run's findings."""

    anchor: str
    number: int
    code: str
    name: str
    severity: str
    confidence: str
    message: str
    summary: str
    proofs: tuple[Proof, ...]
    steps: tuple[Step, ...]
    consequences: tuple[Any, ...] = ()  # of cards


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """A hyperparameter: where it was found, and what other places say."""

    name: str
    value: str
    source: str
    also: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A run in full."""

    anchor: str
    name: str
    path: str
    worst: str
    counts: tuple[int, ...]
    facts: tuple[str, ...]
    cards: tuple[Card, ...]
    untold: int
    charts: tuple[Chart, ...]
    problem: str
    settings: tuple[Setting, ...]
    unset: int
    damages: tuple[str, ...]
    notes: tuple[str, ...]
    coverage: str
    answers: tuple[tuple[str, str, str], ...]


def section(
    report: RunReport,
    row: Row,
    anchor: str,
    rules: Mapping[str, tuple[str, str]],
    *,
    whole: bool = False,
) -> Section:
    """The run in full; that its curves cannot be read is said in it.

    Its path is told where its name does not tell it, or always where it is wanted ``whole``.
    """
    run = report.run
    told = report.findings[:_FINDINGS]
    problem, drawn = "", []
    try:
        drawn = charts(run, told, anchor)
        best = _best(run)
    except (OSError, ReadError) as error:
        problem, best = f"the curves cannot be drawn: {error}", ""
    path = run.path.as_posix()
    return Section(
        anchor=anchor,
        name=run.id,
        path=path if whole or not path.endswith(run.id) else "",
        worst=row.worst,
        counts=row.counts,
        facts=tuple(filter(None, (best, *_facts(run.provenance)))),
        cards=_cards(run, told, anchor, rules, drawn),
        untold=len(report.findings) - len(told),
        charts=tuple(drawn),
        problem=problem,
        settings=_settings(run),
        unset=max(len(run.hparams) - _SETTINGS, 0),
        damages=_damages(run.provenance),
        notes=_notes(run),
        coverage=coverage(report),
        answers=tuple(
            (kind, reason, " ".join(codes)) for kind, reason, codes in answers(report.outcomes)
        ),
    )


def card(
    finding: Finding,
    number: int,
    anchor: str,
    rules: Mapping[str, tuple[str, str]],
    run: Run | None = None,
    drawn: Sequence[Chart] = (),
    consequences: tuple[Card, ...] = (),
    *,
    folded: bool = False,
) -> Card:
    """A finding of a ``run``, or of several runs together.

    One that is ``folded`` under its root asks for no step of its own.
    """
    own = None if run is None else run.id
    return Card(
        anchor=f"{anchor}-{number}",
        number=number,
        code=finding.code,
        name=finding.name.replace("-", " "),
        severity=finding.severity.value,
        confidence=finding.confidence.value,
        message=finding.message,
        summary=rules.get(finding.code, ("", ""))[1],
        proofs=tuple(_proof(each, own, drawn) for each in finding.evidence),
        steps=tuple(
            Step(
                title=each.title,
                change="" if run is None else turned(run, each),
                because=each.because,
                safety=each.safety.value,
            )
            for each in finding.remedies
            if not folded
        ),
        consequences=consequences,
    )


def _cards(
    run: Run,
    findings: Sequence[Finding],
    anchor: str,
    rules: Mapping[str, tuple[str, str]],
    drawn: Sequence[Chart],
) -> tuple[Card, ...]:
    """Root findings with their consequences; one whose root is not told stands for itself."""
    roots = {
        each.code: at for at, each in reversed([*enumerate(findings)]) if not each.suppressed_by
    }
    below: dict[int, list[Card]] = {}
    for at, each in enumerate(findings):
        if each.suppressed_by in roots:
            made = card(each, at, anchor, rules, run, drawn, folded=True)
            below.setdefault(roots[each.suppressed_by], []).append(made)
    return tuple(
        card(each, at, anchor, rules, run, drawn, tuple(below.get(at, ())))
        for at, each in enumerate(findings)
        if each.suppressed_by not in roots
    )


def _proof(evidence: Evidence, own: str | None, drawn: Sequence[Chart]) -> Proof:
    elsewhere = bool(evidence.run) and evidence.run != own
    shown = [each.anchor for each in drawn if evidence.tag in each.tags and not elsewhere]
    is_curve = bool(shown) or own is None
    return Proof(
        tag=evidence.tag,
        run=evidence.run if elsewhere else "",
        where=steps(*evidence.span) if is_curve else "",
        note=evidence.note,
        measures=measures(evidence.measures).replace("_", " "),
        chart=shown[0] if shown else "",
    )


def _best(run: Run) -> str:
    """``validation accuracy 0.9674 at step 480``: what the run reached; empty where that is not known."""
    ranked = entrant(run)
    if ranked is None or ranked.level is None:
        return ""
    level = ranked.level
    return f"best {ranked.objective.phrase} {result(level.best)} at step {level.step:,}"


def _facts(source: Provenance) -> list[str]:
    told = [f"{source.points:,} point{'' if source.points == 1 else 's'} logged"]
    if len(source.files) > 1:
        told.append(count(len(source.files), "event file"))
    if source.restarts:
        told.append(count(len(source.restarts), "restart"))
    return told


def _damages(source: Provenance) -> tuple[str, ...]:
    """What of the files could not be read."""
    told = [
        f"{each.file} {'ends in the middle of a record' if each.torn else 'is damaged'}: "
        f"{each.reason} at byte {each.offset:,}, {each.lost:,} bytes lost"
        for each in source.damages[:_DAMAGES]
    ]
    if (left := len(source.damages) - _DAMAGES) > 0:
        told.append(f"{count(left, 'more place')} where files are damaged")
    return tuple(told)


def _notes(run: Run) -> tuple[str, ...]:
    """How the points were logged, and what of the curves could not be understood."""
    source = run.provenance
    told = [
        f"resumed at step {each.step:,}, after step {each.reached:,}: "
        f"{count(each.dropped, 'point')} superseded"
        for each in source.restarts[:_DAMAGES]
    ]
    if source.duplicates:
        told.append(f"{count(source.duplicates, 'point')} logged twice")
    told += [
        f"{each.writers} writers logged the same {count(each.tags, 'curve')} at the same time"
        for each in source.mixtures
    ]
    told += source.notes
    told += [
        f"the {role.phrase} could be {', '.join(tags[:_DAMAGES])}: name it under [roles] in tbdiag.toml"
        for role, tags in sorted(run.roles.ambiguous.items())
    ]
    return tuple(told)


def _settings(run: Run) -> tuple[Setting, ...]:
    return tuple(
        Setting(
            name=name,
            value=_value(each.value),
            source=each.source,
            also=tuple(f"{_value(value)} in {source}" for source, value in each.also),
        )
        for name, each in sorted(run.hparams.items(), key=_known_first)[:_SETTINGS]
    )


def _known_first(item: tuple[str, HParam]) -> tuple[bool, str]:
    return knob(item[0]) is None, item[0]


def _value(value: Scalar) -> str:
    return shorten(printable("unset" if value is None else str(value)), _VALUE)
