"""The answers of the rules about a run, kept while run, rules and thresholds stay the same."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache

from tbdiag.case import LIVE
from tbdiag.diagnosis.examine import Selection, examine_all, timely
from tbdiag.model.finding import Finding
from tbdiag.model.report import Crashed, Fired, Outcome, RunReport
from tbdiag.model.role import Override
from tbdiag.model.run import Run
from tbdiag.reading.heads import Answer
from tbdiag.reading.plain import plain, restored
from tbdiag.reading.slots import Slot
from tbdiag.search.entrant import Standing, standing


class Remembered(RunReport):
    """A run with what was answered before, told as JSON and read when somebody asks."""

    __slots__ = ("_answer", "_findings", "_outcomes")
    _answer: Answer
    _findings: tuple[Finding, ...] | None
    _outcomes: Mapping[str, Outcome] | None

    def __init__(self, run: Run, answer: Answer) -> None:
        for name, value in (("run", run), ("_answer", answer), *_UNREAD):
            object.__setattr__(self, name, value)

    @property
    def answer(self) -> Answer:
        """What was told, as it is kept."""
        return self._answer

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """The outcome of each rule."""
        outcomes = self._outcomes
        if outcomes is None:
            outcomes = outcomes_of(self._answer[0], self.findings)
            object.__setattr__(self, "_outcomes", outcomes)
        return outcomes

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings, roots first."""
        findings = self._findings
        if findings is None:
            findings = findings_of(self._answer[1])
            object.__setattr__(self, "_findings", findings)
        return findings


_UNREAD = (("_findings", None), ("_outcomes", None))


def remembered(
    taken: Sequence[tuple[Slot, int, Run]], selection: Selection, now: float | None = None
) -> list[RunReport]:
    """What `examine` answers about each run, the one of that number in its slot.

    The rules run where the slot does not keep what they answered, on all such runs together. Crashes
    are never kept. Of a run that may be live at the time ``now`` the rules whose answer depends on it are
    asked again, and where they answer otherwise all are.
    """
    found: list[RunReport | None] = [_kept(*each, selection, now) for each in taken]
    places = [place for place, report in enumerate(found) if report is None]
    fresh = [taken[place][2] for place in places]
    answers = examine_all(fresh, selection, now) if fresh else []
    for place, report in zip(places, answers, strict=True):
        found[place] = report
        slot, number, run = taken[place]
        answer = lasting(report) if slot.keeps else None
        if answer is not None:
            slot.keep_answer(question(selection, run, now), number, answer)
    return [report for report in found if report is not None]


def _kept(
    slot: Slot, number: int, run: Run, selection: Selection, now: float | None
) -> RunReport | None:
    """What was answered before, where that holds still."""
    kept = slot.answer(question(selection, run, now), number)
    if kept is None:
        return None
    report = Remembered(run, kept)
    again = timely(run, selection, now) if _is_live(run, now) else ()
    return report if all(_same(outcome, report.outcomes[code]) for code, outcome in again) else None


def question(selection: Selection, run: Run, now: float | None) -> str:
    """The name under which it is kept what a selection of rules answers about a run at that time."""
    return f"{selection.digest} live" if _is_live(run, now) else selection.digest


def placed(
    slot: Slot, number: int, run: Run, wanted: Override | None, *, make: bool
) -> Standing | None:
    """The place of a run in a search where it was told before, or with ``make`` in any case."""
    asked = placing(wanted)
    kept = slot.answer(asked, number)
    if kept is not None:
        found: Standing = restored(Standing, json.loads(kept[0]))
        return found
    if not make:
        return None
    made = standing(run, wanted)
    if slot.keeps:
        slot.keep_answer(asked, number, told_place(made))
    return made


def placing(wanted: Override | None) -> str:
    """The name under which it is kept how runs stand by what is wanted."""
    return f"standing {json.dumps(plain(wanted))}"


def told_place(found: Standing) -> Answer:
    """The place of a run as it is kept."""
    return json.dumps(plain(found)).encode(), b""


def lasting(report: RunReport) -> Answer | None:
    """What is kept of a report; None where a rule crashed, or found what cannot be kept."""
    if any(isinstance(each, Crashed) for each in report.outcomes.values()):
        return None
    with suppress(TypeError):  # a rule of another package may find anything
        return told(report)
    return None


def _is_live(run: Run, now: float | None) -> bool:
    return now is not None and any(now - each.last < LIVE for each in run.provenance.writings)


def _same(fresh: Outcome, kept: Outcome) -> bool:
    """Whether two outcomes say the same, whatever suppresses the one that was kept."""
    if isinstance(fresh, Fired) and isinstance(kept, Fired):
        return fresh.findings == tuple(replace(f, suppressed_by=None) for f in kept.findings)
    return fresh == kept


def told(report: RunReport) -> Answer:
    """The outcomes and findings of a report as JSON, without its run."""
    outcomes = [
        [code, None if isinstance(outcome, Fired) else plain(outcome)]
        for code, outcome in report.outcomes.items()
    ]
    return json.dumps(outcomes).encode(), json.dumps(plain(report.findings)).encode()


@lru_cache(maxsize=512)
def _outcomes(text: bytes) -> tuple[tuple[str, Outcome | None], ...]:
    """Each rule and its outcome, None where it fired; the same text is read once."""
    return tuple(
        (code, None if outcome is None else restored(Outcome, outcome))
        for code, outcome in json.loads(text)
    )


def outcomes_of(text: bytes, findings: tuple[Finding, ...]) -> dict[str, Outcome]:
    """The outcome of each rule out of what was `told`, where ``findings`` are those of the run."""
    return {
        code: Fired(tuple(f for f in findings if f.code == code)) if outcome is None else outcome
        for code, outcome in _outcomes(text)
    }


def findings_of(text: bytes) -> tuple[Finding, ...]:
    """The findings out of what was `told`."""
    return () if text == b"[]" else restored(tuple[Finding, ...], json.loads(text))
