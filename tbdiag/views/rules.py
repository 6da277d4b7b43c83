"""The rules as text: the list of them, and one explained with pictures."""

from __future__ import annotations

import re
from collections.abc import Sequence

from tbdiag.detectors.base import (
    SECTIONS,
    Detector,
    Rule,
    Sample,
    SearchSample,
    Threshold,
    explanation,
    rule_name,
    thresholds,
)
from tbdiag.model.finding import Evidence, Finding
from tbdiag.model.series import Series
from tbdiag.views.exhibit import exhibit
from tbdiag.views.paper import Paper, Piece
from tbdiag.views.text import cells, number, wrap

AnySample = Sample | SearchSample

_MOST_LINES = 200  # of one paragraph: all of it
_CODES, _SEVERITIES = 8, 9  # columns


def render_list(
    rules: Sequence[type[Rule]],
    *,
    color: bool,
    width: int = 80,
    ascii: bool = False,  # noqa: A002 -- the word for it, and nothing here needs the builtin
) -> str:
    """A table of code, name, severity and summary, in the order given, at most ``width`` wide."""
    paper = Paper(color=color, width=width, only_ascii=ascii)
    names = max((len(rule_name(rule)) for rule in rules), default=0) + 2
    names = min(names, paper.width - _CODES - _SEVERITIES)
    indent = _CODES + names + _SEVERITIES
    for at, rule in enumerate(rules):
        if at and rule.code[:3] != rules[at - 1].code[:3]:
            paper.gap()
        severity = rule.severity.value
        head: list[Piece] = [
            (f"{rule.code:<{_CODES}}", severity),
            (f"{paper.cut(rule_name(rule), names - 2):<{names}}", "name"),
            (f"{severity:<{_SEVERITIES}}", severity),
        ]
        if indent > paper.width - 20:
            paper.line(*head)
            paper.flow(explanation(rule).summary, indent=_CODES)
            continue
        summary = wrap(paper.clean(explanation(rule).summary), paper.width - indent)
        paper.line(*head, (summary[0], ""))
        for line in summary[1:]:
            paper.line((line, ""), indent=indent)
    return paper.text()


def render_one(
    rule: type[Rule],
    pictures: Sequence[tuple[AnySample, Finding | None]] = (),
    *,
    color: bool,
    width: int = 80,
    ascii: bool = False,  # noqa: A002 -- the word for it, and nothing here needs the builtin
) -> str:
    """All about one rule: its sections, its thresholds after "How it is detected", two pictures.

    ``pictures`` are samples of the rule, each with the first finding on it or None: the first that
    has one is drawn with the span marked, and the first that has none as what the rule lets pass.
    """
    paper = Paper(color=color, width=width, only_ascii=ascii)
    severity, explained = rule.severity.value, explanation(rule)
    left = [(rule.code, severity), (" ", ""), (rule_name(rule), "name")]
    right = [(severity, severity), (f", since {rule.since}", "dim")]
    paper.ends(left, right)
    paper.flow(explained.summary, indent=0, most=_MOST_LINES)
    _pictures(paper, rule, pictures)
    for title in SECTIONS:
        if text := explained.sections.get(title):
            _heading(paper, title)
            _markdown(paper, text)
        if title == "How it is detected":
            _thresholds(paper, rule)
    return paper.text()


def _heading(paper: Paper, title: str) -> None:
    paper.gap()
    paper.line((title, "name"))


def _markdown(paper: Paper, text: str) -> None:
    """Paragraphs and list items, wrapped; what markup there is stays as it was written."""
    for at, block in enumerate(re.split(r"\n\s*\n", text)):
        if at:
            paper.gap()
        items = re.split(r"\n(?=\s*(?:[-*]|\d+\.)\s)", block)
        for item in items:
            if bullet := re.match(r"\s*([-*]|\d+\.)\s+", item):
                label: Piece = (bullet[1].replace("*", "-"), "dim")
                paper.flow(_joined(item[bullet.end() :]), indent=2, label=label, most=_MOST_LINES)
            else:
                paper.flow(_joined(item), indent=2, most=_MOST_LINES)


def _joined(text: str) -> str:
    return " ".join(text.split())


def _thresholds(paper: Paper, rule: type[Rule]) -> None:
    found = thresholds(rule)
    if not found:
        return
    _heading(paper, "Thresholds")
    names = max(cells(name) for name in found) + 2
    defaults = max(cells(_value(default)) for _, default, _ in found.values()) + 2
    for name, (_, default, threshold) in found.items():
        label = f"{name:<{names}}{_value(default):<{defaults - 1}}"
        paper.flow(f"{threshold.meaning}{_bounds(threshold)}", indent=2, label=(label, "name"))


def _value(default: object) -> str:
    if isinstance(default, int | float) and not isinstance(default, bool):
        return number(default)
    return str(default)


def _bounds(threshold: Threshold) -> str:
    words = [
        f"{word} {number(bound)}"
        for word, bound in (
            ("above", threshold.above),
            ("at least", threshold.at_least),
            ("at most", threshold.at_most),
        )
        if bound is not None
    ]
    return f" ({', '.join(words)})" if words else ""


def _pictures(
    paper: Paper, rule: type[Rule], pictures: Sequence[tuple[AnySample, Finding | None]]
) -> None:
    fired = next((each for each in pictures if each[1] is not None), None)
    passed = next((sample for sample, finding in pictures if finding is None), None)
    if fired is not None and (finding := fired[1]) is not None:
        drawn = [(e, _shown_by(e, fired[0])) for e in finding.evidence]
        evidence, curve = next(
            ((e, curve) for e, curve in drawn if curve is not None and curve.logged), (None, None)
        )
        paper.gap()
        paper.flow(fired[0].name, indent=2, label=("fires on", rule.severity.value))
        paper.flow(finding.message, indent=4)
        if evidence is not None and curve is not None:
            exhibit(paper, curve, evidence, indent=4, style=rule.severity.value)
    if passed is not None:
        paper.gap()
        paper.flow(passed.name, indent=2, label=("silent on", "ok"))
        tags = [e.tag for e in fired[1].evidence] if fired and fired[1] else []
        if (curve := _curve(rule, passed, tags)) is not None:
            exhibit(paper, curve, None, indent=4)


def _shown_by(evidence: Evidence, sample: AnySample) -> Series | None:
    """The curve that the evidence is about."""
    if isinstance(sample, Sample):
        return sample.run.series.get(evidence.tag)
    curves = (run.series.get(evidence.tag) for run in sample.runs if run.id == evidence.run)
    return next(curves, None)


def _curve(rule: type[Rule], sample: AnySample, tags: Sequence[str]) -> Series | None:
    """The curve of a silent sample that is like the one that fired, else the first the rule needs."""
    run = sample.run if isinstance(sample, Sample) else sample.runs[0]
    needs = rule.needs if issubclass(rule, Detector) else ()
    needed = [role for need in needs for role in (need if isinstance(need, tuple) else (need,))]
    candidates = [run.series.get(tag) for tag in tags] + [run.curve(role) for role in needed]
    candidates += [*run.series.values()]
    return next((each for each in candidates if each is not None and each.logged), None)
