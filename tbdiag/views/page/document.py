"""The page, piece by piece: no more than one run's curves are held at a time."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC

from tbdiag.journal.replay import History
from tbdiag.model.finding import Severity
from tbdiag.model.report import Report
from tbdiag.views.logbook import when
from tbdiag.views.page.assets import assets, environment
from tbdiag.views.page.charts import said
from tbdiag.views.page.matrix import GLYPHS, Row, matrix
from tbdiag.views.page.overview import (
    Overview,
    examples,
    explained,
    known_rules,
    overview,
)
from tbdiag.views.page.sections import Section, card, section
from tbdiag.views.page.tried import numbered, tried
from tbdiag.views.tally import crashes, worth_logging
from tbdiag.views.text import count

MOST_RUNS = 200  # that stand in the page in full, unless told otherwise
_HEADLINES = 8  # at the top; the others are folded
_CURES = 12
_UNREAD = 100  # paths that could not be examined, and are named
_WANTED = 6  # things worth logging
_PIECES = 200  # of the template that are written at once

Progress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What the page is about: the ``places`` as users name them, and the ``history`` of follow-ups.

    ``words`` are the places as a command takes them, ``far`` whether follow-ups of them cannot be started
    here. ``journals`` says why a journal that there is could not be read.
    """

    places: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    far: bool = False
    history: History | None = None
    journals: tuple[str, ...] = field(default=())


def chunks(
    report: Report,
    subject: Subject | None = None,
    *,
    max_runs: int = MOST_RUNS,
    progress: Progress | None = None,
) -> Iterator[str]:
    """The page as text, ended by a newline; the same report gives the same bytes.

    The worst ``max_runs`` runs stand in it in full, the others in the matrix only. ``progress`` is called
    with how many runs are done, and of how many; each that stands in full counts twice.
    """
    about = subject or Subject()
    pictured = min(max(max_runs, 0), len(report.runs))
    meter = _Meter(len(report.runs) + pictured, progress)
    found = overview(report, meter.tick)
    rules = known_rules()
    sections = _sections(report, found.rows[:pictured], rules, meter, len(about.places) > 1)
    stream = (
        environment()
        .get_template("page.html.j2")
        .stream(
            assets=assets(),
            version=report.version,
            title=_title(about.places),
            places=about.places,
            paths=shlex.join(about.words),
            far=about.far,
            facts=_facts(report, found),
            counts={severity.value: report.count(severity) for severity in Severity},
            verdict=_verdict(found.rows),
            headlines=found.worst_first(),
            most=_HEADLINES,
            search=[card(each, at, "several", rules) for at, each in enumerate(report.search)],
            anchors=_anchors(found.rows, pictured),
            names={each.place: each.name for each in found.rows},
            matrix=matrix(found.rows, rules, found.reasons, pictured),
            glyphs=GLYPHS,
            pictured=pictured,
            sections=sections,
            cures=found.next_steps()[:_CURES],
            more_cures=max(len(found.cures) - _CURES, 0),
            examples=examples,
            wanted=worth_logging(report)[1][:_WANTED],
            journal=None if about.history is None else tried(about.history),
            journals=about.journals,
            numbered=numbered,
            crashes=crashes(report),
            unread=report.unread[:_UNREAD],
            more_unread=max(len(report.unread) - _UNREAD, 0),
            explained=explained(_codes(report, found)),
            count=count,
            said=said,
        )
    )
    # Joined, the pieces are plain text: markup would escape what is added to it.
    stream.enable_buffering(_PIECES)
    yield from stream
    yield "\n"


def render(report: Report, subject: Subject | None = None, *, max_runs: int = MOST_RUNS) -> str:
    """The page that `chunks` gives, as a whole."""
    return "".join(chunks(report, subject, max_runs=max_runs))


class _Meter:
    """Counts runs that are done."""

    def __init__(self, of: int, progress: Progress | None) -> None:
        self._done, self._of, self._progress = 0, of, progress

    def tick(self) -> None:
        self._done += 1
        if self._progress is not None:
            self._progress(self._done, self._of)


def _sections(
    report: Report,
    rows: Sequence[Row],
    rules: Mapping[str, tuple[str, str]],
    meter: _Meter,
    several: bool,
) -> Iterator[Section]:
    for at, row in enumerate(rows):
        yield section(report.runs[row.place], row, f"r{at}", rules, whole=several)
        meter.tick()


def _anchors(rows: Sequence[Row], pictured: int) -> dict[int, str]:
    """Where the run at a place of the report stands in full; of the others nothing."""
    return {row.place: f"r{at}" for at, row in enumerate(rows[:pictured])}


def _codes(report: Report, found: Overview) -> list[str]:
    suppressed = (
        code for row in found.rows for code, letter in row.letters.items() if letter in "ewn"
    )
    return [*found.headlines, *(each.code for each in report.search), *dict.fromkeys(suppressed)]


def _title(places: Sequence[str]) -> str:
    return f"{', '.join(places[:2])}{' …' if len(places) > 2 else ''}" if places else "runs"


def _facts(report: Report, found: Overview) -> list[str]:
    told = [count(len(report.runs), "run"), f"{found.points:,} points logged"]
    if found.first is not None and found.last is not None:
        first, last = when(found.first, UTC), when(found.last, UTC)
        told.append(f"data from {first} to {last} UTC" if first != last else f"data of {last} UTC")
    if report.unread:
        told.append(f"{count(len(report.unread), 'path')} not examined")
    return told


def _verdict(rows: Sequence[Row]) -> str:
    """How many runs have which worst severity, in one sentence."""
    of = len(rows)
    worst = [row.worst for row in rows]
    parts = [
        (worst.count("error"), "an error"),
        (worst.count("warning"), "a warning at worst"),
        (worst.count("note"), "only a note"),
        (worst.count("ok"), "no finding"),
        (worst.count("blind"), "too little logged to tell"),
    ]
    known = [(n, words) for n, words in parts if n]
    if not known:
        return "There are no runs."
    if len(known) == 1:
        who = {1: "The run has", 2: "Both runs have"}.get(of, f"All {of} runs have")
        return f"{who} {known[0][1]}."
    told = [f"{n} {'has' if n == 1 else 'have'} {words}" for n, words in known]
    return f"Of {count(of, 'run')} {', '.join(told[:-1])} and {told[-1]}."
