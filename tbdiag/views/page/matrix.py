"""Runs and rules as a matrix: one row a run, the worst first, one letter for each answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tbdiag.model.finding import Finding, Severity
from tbdiag.model.report import Outcome, RunReport
from tbdiag.reading.listing import natural
from tbdiag.views.jsontext import line
from tbdiag.views.page.charts import inert
from tbdiag.views.text import cells, printable, shorten

DRAWN = 150  # rows that stand in the page as they are; a browser makes those behind them when asked
_NAME = 200  # columns of a name
_LETTER, _LEAST, _MOST = 8.2, 120, 310  # pixels of a letter, of the column of names
_SHORT = 32  # of one in the matrix: both of its ends tell runs apart

# What is written for an answer without a finding; findings are drawn.
GLYPHS = {"p": "✓", "u": "–", "i": "⊘", "s": "·", "x": "!"}

# A letter for each answer: capital where a finding stands for itself, small where another explains it.
LETTERS = {
    "E": "error",
    "W": "warning",
    "N": "note",
    "e": "error, a consequence of another finding",
    "w": "warning, a consequence of another finding",
    "n": "note, a consequence of another finding",
    "p": "passed",
    "u": "could not tell",
    "i": "found something that is ignored",
    "s": "skipped",
    "x": "failed: a defect of tbdiag",
}
_KINDS = {
    "passed": "p",
    "not-applicable": "u",
    "ignored": "i",
    "skipped": "s",
    "crashed": "x",
    "fired": "N",
}
_SEVERITIES = {Severity.ERROR: "E", Severity.WARNING: "W", Severity.NOTE: "N"}
SEVERITIES = tuple(sorted(Severity, key=lambda each: each.rank))


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A run: ``place`` in the report, ``counts`` of root findings by severity, the worst first.

    ``letters`` are its answers by rule, ``steps`` the first step of each finding.
    """

    place: int
    name: str
    counts: tuple[int, ...]
    letters: Mapping[str, str]
    steps: Mapping[str, int]

    @property
    def short(self) -> str:
        """The name as the matrix has room for it."""
        return shorten(self.name, _SHORT)

    @property
    def badness(self) -> tuple[object, ...]:
        """A sort key: the worst run first, then by name."""
        return (*(-n for n in self.counts), natural(self.name))

    @property
    def worst(self) -> str:
        """Its worst severity, ``ok`` without findings, ``blind`` where no rule could tell."""
        for n, severity in zip(self.counts, SEVERITIES, strict=True):
            if n:
                return severity.value
        return "ok" if "p" in self.letters.values() else "blind"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A rule: in how many runs it ``fired``."""

    code: str
    name: str
    summary: str
    fired: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What a row says in a column."""

    letter: str
    code: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matrix:
    """The rows that are drawn, ``later`` ones as JSON, and the rules that answered nowhere.

    ``blind`` are (code, name, the most frequent reason).
    """

    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    later: str
    hidden: int
    blind: tuple[tuple[str, str, str], ...]

    @property
    def width(self) -> int:
        """Pixels that the names of runs need."""
        longest = max((cells(row.short) for row in self.rows), default=0)
        return min(max(_LEAST, round(52 + _LETTER * longest)), _MOST)

    def cells(self, row: Row) -> list[Cell]:
        """The row's cells, one a column."""
        found = []
        for column in self.columns:
            letter = row.letters.get(column.code, "s")
            if letter not in "EWNewn":
                found.append(Cell(letter=letter))
                continue
            step = row.steps.get(column.code)
            where = "" if step is None else f", first at step {step:,}"
            title = f"{column.code} {column.name}: {LETTERS[letter]}{where}"
            found.append(Cell(letter=letter, code=column.code, title=title))
        return found


def row(report: RunReport, place: int) -> Row:
    """What a run was answered, in letters."""
    letters = {code: _KINDS[outcome.kind] for code, outcome in report.outcomes.items()}
    steps: dict[str, int] = {}
    graver: dict[str, tuple[bool, int]] = {}
    for finding in report.findings:
        key = (finding.suppressed_by is not None, finding.severity.rank)
        if finding.code not in graver or key < graver[finding.code]:
            graver[finding.code] = key
            letters[finding.code] = _letter(finding)
        if finding.evidence:
            first = min(finding.evidence[0].span)
            steps[finding.code] = min(first, steps.get(finding.code, first))
    counts = tuple(report.count(severity) for severity in SEVERITIES)
    name = shorten(printable(report.run.id), _NAME)
    return Row(place=place, name=name, counts=counts, letters=letters, steps=steps)


def matrix(
    rows: Sequence[Row],
    rules: Mapping[str, tuple[str, str]],
    reasons: Mapping[str, Counter[str]],
    pictured: int,
) -> Matrix:
    """The ``rows``, which are in order, and the rules, those that found something first.

    ``rules`` tell (name, summary) by code, ``reasons`` why one could not tell. The first ``pictured`` rows
    have a section of their own in the page.
    """
    counts: dict[str, Counter[str]] = {}
    for each in rows:
        for code, letter in each.letters.items():
            counts.setdefault(code, Counter())[letter] += 1
    columns, blind = [], []
    for code in sorted(counts):
        name, summary = rules.get(code, (code, ""))
        if set(counts[code]) <= {"u", "s"}:
            why = reasons.get(code, Counter()).most_common(1)
            blind.append((code, name, why[0][0] if why else "it was not asked"))
            continue
        fired = sum(n for letter, n in counts[code].items() if letter in "EWNewn")
        columns.append(Column(code=code, name=name, summary=summary, fired=fired))
    columns.sort(key=lambda each: (not each.fired, each.code))
    later = [
        [
            each.name,
            at if at < pictured else -1,
            *each.counts,
            "".join(each.letters.get(column.code, "s") for column in columns),
        ]
        for at, each in enumerate(rows[DRAWN:], start=DRAWN)
    ]
    return Matrix(
        columns=tuple(columns),
        rows=tuple(rows[:DRAWN]),
        later=inert(line(later)),
        hidden=len(later),
        blind=tuple(blind),
    )


def unsure(outcomes: Mapping[str, Outcome]) -> Iterable[tuple[str, str]]:
    """(code, reason) of the rules that could not tell, or were not asked."""
    for code, outcome in outcomes.items():
        if reason := getattr(outcome, "reason", ""):
            yield code, reason


def _letter(finding: Finding) -> str:
    letter = _SEVERITIES[finding.severity]
    return letter if finding.suppressed_by is None else letter.lower()
