"""What every rule promises: one clause each, which yields what is wrong with a rule."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import PurePosixPath

from tbdiag.case import Case
from tbdiag.detectors import base, registry
from tbdiag.detectors.base import SECTIONS, Detector, Sample, explanation, rule_name, thresholds
from tbdiag.diagnosis.examine import Selection, examine
from tbdiag.model.finding import Evidence, Finding
from tbdiag.model.remedy import Advice, Safety
from tbdiag.model.report import Crashed, Fired, NotApplicable, Outcome, RunReport
from tbdiag.model.run import Run
from tests.detectors.changes import changes, until, without
from tools.new_rule import PREFIXES

Rule = type[Detector]
AnyRule = type[base.Rule]
AnySample = Sample | base.SearchSample

# Codes that stand for a defect already, whether or not a rule looks for it yet.
RESERVED = frozenset(
    f"{prefix}{number:03}"
    for prefix, last in {
        "NUM": 5,
        "OPT": 12,
        "INI": 3,
        "GEN": 5,
        "VAL": 6,
        "GRD": 6,
        "LOG": 5,
        "SYS": 2,
        "RLX": 4,
        "GAN": 1,
        "SET": 3,
    }.items()
    for number in range(1, last + 1)
)

# What a rule looks for may be the very thing that a change brings about.
EXEMPT = {("NUM001", "with scattered NaNs"): "NaNs are what it looks for"}


def report(rule: Rule, run: Run) -> RunReport:
    """What the rule says of a run with its default thresholds: alone, or beside those it needs."""
    beside = [each for each in registry.rules() if each.code in rule.amid]
    return examine(run, Selection(detectors=tuple(each() for each in (rule, *beside))))


def answer(rule: Rule, run: Run) -> Outcome:
    """The rule's outcome with its default thresholds."""
    return report(rule, run).outcomes[rule.code]


def findings(rule: Rule) -> Iterator[tuple[Sample, Finding]]:
    """Every finding on every sample that fires."""
    for sample in rule.samples():
        outcome = answer(rule, sample.run)
        if isinstance(outcome, Fired):
            yield from ((sample, finding) for finding in outcome.findings)


def fires_on_exactly_its_samples(rule: Rule) -> Iterator[str]:
    samples = list(rule.samples())
    if {sample.fires for sample in samples} != {True, False}:
        yield "needs a sample that fires and one that must not"
    if len({sample.name for sample in samples}) < len(samples):
        yield "two samples have one name"
    for sample in samples:
        yield from _mismatch(rule, sample, sample.run, "")


def verdict_survives_what_means_nothing(rule: Rule) -> Iterator[str]:
    for phrase, change in changes(rule.scale_free):
        if (rule.code, phrase) not in EXEMPT:
            for sample in rule.samples():
                yield from _mismatch(rule, sample, change(sample.run), f" {phrase}")


def silent_before_the_onset(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        if sample.onset is not None:
            outcome = answer(rule, until(sample.run, sample.onset))
            if isinstance(outcome, Fired | Crashed):
                yield f"{sample.name!r} before step {sample.onset}: {words(outcome)}"


def documentation_is_whole(rule: AnyRule) -> Iterator[str]:
    told = explanation(rule)
    if not re.fullmatch(r"[A-Z`].{15,}\.", told.summary):
        yield f"the docstring's first line is no sentence: {told.summary!r}"
    if tuple(told.sections) != SECTIONS:
        yield f"the sections are {', '.join(told.sections)}; they must be {', '.join(SECTIONS)}"
    for title, text in told.sections.items():
        if len(text) < 15:
            yield f"the section {title!r} says nothing"
    if not re.fullmatch(r"\d+\.\d+\.\d+", rule.since):
        yield f"since {rule.since!r} is no version"


def thresholds_are_explained(rule: AnyRule) -> Iterator[str]:
    how = explanation(rule).sections.get("How it is detected", "")
    for name, (kind, default, threshold) in thresholds(rule).items():
        if f"`{name}`" not in how:
            yield f"{name} is not named where the detection is explained"
        if len(threshold.meaning) < 5:
            yield f"{name} is not explained"
        if not isinstance(default, int | float if kind is float else kind):
            yield f"{name} = {default!r} is no {kind.__name__}"
        elif isinstance(default, int | float) and not isinstance(default, bool):
            problem = threshold.problem(default)
            if problem is not None:
                yield f"{name} = {default} {problem}"
            if (threshold.above, threshold.at_least, threshold.at_most) == (None, None, None):
                yield f"{name} has no bounds"


def place_and_names_agree(rule: AnyRule) -> Iterator[str]:
    family, file = rule.__module__.split(".")[-2:]
    if not re.fullmatch(rf"{PREFIXES.get(family, 'of no family')}\d{{3}}", rule.code):
        yield f"the code {rule.code} does not belong into the folder {family}"
    if file != rule_name(rule).replace("-", "_"):
        yield f"{rule.__name__} stands in {file}.py"


def explains_other_rules(rule: AnyRule) -> Iterator[str]:
    known = RESERVED | {each.code for each in registry.every_rule()}
    for code in rule.explains:
        if code == rule.code:
            yield "explains itself"
        elif code not in known:
            yield f"explains {code}, which does not exist"


def leads_other_rules(rule: Rule) -> Iterator[str]:
    known = RESERVED | {each.code for each in registry.every_rule()}
    for code in rule.leads:
        if code == rule.code:
            yield "leads itself"
        elif code not in known:
            yield f"leads {code}, which does not exist"
        elif code in rule.explains:
            yield f"leads {code}, which it explains"


def speaks_only_amid_other_rules(rule: Rule) -> Iterator[str]:
    alone = {each.code: each for each in registry.rules() if not each.amid}
    for code in rule.amid:
        if code not in alone or code == rule.code:
            yield f"speaks amid {code}, which is no other rule that stands by itself"
    for sample in rule.samples() if rule.amid else ():
        outcome = examine(sample.run, Selection(detectors=(rule(),))).outcomes[rule.code]
        if not isinstance(outcome, NotApplicable):
            yield f"{sample.name!r} without the rules it speaks amid: {words(outcome)}"


def never_changes_the_case(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        case, before = Case(sample.run), digest(sample.run)
        detector = rule()
        if detector.blocked(case) is not None:
            continue
        first, second = list(detector.check(case)), list(detector.check(case))
        if digest(sample.run) != before:
            yield f"changes the run {sample.name!r}"
        if first != second:
            yield f"answers differently when asked about {sample.name!r} again"


def tells_what_is_missing(rule: Rule) -> Iterator[str]:
    def never(self: Detector, case: Case) -> Iterator[Finding]:
        raise AssertionError("checked without what the rule needs")

    watched = type(rule.__name__, (rule,), {"check": never})
    for sample in rule.samples():
        for need in rule.needs if sample.fires else ():
            roles = need if isinstance(need, tuple) else (need,)
            outcome = answer(watched, without(sample.run, roles))
            if not isinstance(outcome, NotApplicable) or roles[0].phrase not in outcome.reason:
                yield f"{sample.name!r} without {roles[0].phrase}: {words(outcome)}"
    nothing = answer(rule, Run(id="empty", path=PurePosixPath("empty")))
    if isinstance(nothing, Crashed):
        yield f"on a run without any curve: {words(nothing)}"


def evidence_stands_in_the_logs(rule: Rule) -> Iterator[str]:
    for sample, finding in findings(rule):
        for each in finding.evidence:
            steps = steps_of(sample.run, each.tag)
            if steps is None:
                yield f"{sample.name!r}: evidence on {each.tag!r}, which was not logged"
            elif not steps[0] <= each.span[0] <= each.span[1] <= steps[1]:
                yield f"{sample.name!r}: span {each.span} is not within the steps {steps}"
            yield from ill_measured(sample.name, each)


def ill_measured(name: str, evidence: Evidence) -> Iterator[str]:
    """What is wrong with the measures of an evidence on the sample called ``name``."""
    for measure in evidence.measures:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", measure.name):
            yield f"{name!r}: {measure.name!r} is no plain name of a measure"
        if (measure.limit is None) != (measure.relation == ""):
            yield f"{name!r}: {measure.name} has a limit or a relation, not both"


def says_one_plain_sentence(rule: Rule) -> Iterator[str]:
    yield from ill_said(rule, findings(rule))


def ill_said(rule: AnyRule, found: Iterable[tuple[AnySample, Finding]]) -> Iterator[str]:
    """What is wrong with the messages of these findings."""
    for sample, finding in found:
        if (finding.code, finding.name) != (rule.code, rule_name(rule)):
            yield f"{sample.name!r}: a finding of {finding.code} {finding.name}"
        message = finding.message
        if not message.isprintable() or not 10 <= len(message) <= 200:
            yield f"{sample.name!r}: no one line of text: {message!r}"
        elif message.endswith(".") or re.search(r"[.!?] [A-Z]", message):
            yield f"{sample.name!r}: not one sentence without its full stop: {message!r}"


def remedies_can_be_followed(rule: Rule) -> Iterator[str]:
    yield from ill_advised(findings(rule))


def ill_advised(found: Iterable[tuple[AnySample, Finding]]) -> Iterator[str]:
    """What is wrong with the remedies of these findings."""
    for sample, finding in found:
        for each in finding.remedies:
            if len(each.title) < 5 or len(each.because) < 5:
                yield f"{sample.name!r}: a remedy without title or reason: {each}"
            if (each.knob is None) != isinstance(each.change, Advice):
                yield f"{sample.name!r}: {each.title!r} needs both a knob and a change, or neither"
            if each.knob is None and each.safety is not Safety.MANUAL:
                yield f"{sample.name!r}: {each.title!r} is advice and so left to a person"


CLAUSES: Mapping[str, Callable[[Rule], Iterator[str]]] = {
    clause.__name__: clause
    for clause in (
        fires_on_exactly_its_samples,
        verdict_survives_what_means_nothing,
        silent_before_the_onset,
        documentation_is_whole,
        thresholds_are_explained,
        place_and_names_agree,
        explains_other_rules,
        leads_other_rules,
        speaks_only_amid_other_rules,
        never_changes_the_case,
        tells_what_is_missing,
        evidence_stands_in_the_logs,
        says_one_plain_sentence,
        remedies_can_be_followed,
    )
}


def _mismatch(rule: Rule, sample: Sample, run: Run, how: str) -> Iterator[str]:
    outcome = answer(rule, run)
    if isinstance(outcome, Crashed) or isinstance(outcome, Fired) != sample.fires:
        wanted = "must fire" if sample.fires else "must be silent"
        yield f"{sample.name!r}{how} {wanted}: {words(outcome)}"


def words(outcome: Outcome) -> str:
    match outcome:
        case Fired(found):
            return f"fired: {found[0].message}"
        case NotApplicable(reason):
            return f"not applicable: {reason}"
        case Crashed(error):
            return f"crashed: {error}"
    return outcome.kind


def steps_of(run: Run, tag: str) -> tuple[int, int] | None:
    """The first and last step that was logged under the tag, NaN or not."""
    series, histograms = run.series.get(tag), run.histograms.get(tag)
    steps = []
    if series is not None:
        steps += [*series.steps.tolist(), *series.nonfinite.steps.tolist()]
    if histograms is not None:
        steps += histograms.steps.tolist()
    return (min(steps), max(steps)) if steps else None


def digest(run: Run) -> str:
    """A hash of everything that the run holds."""
    content = hashlib.sha256(repr((run.texts, run.hparams, run.roles, run.provenance)).encode())
    for tag, series in run.series.items():
        bad = series.nonfinite
        content.update(tag.encode())
        for column in (series.steps, series.values, series.wall_times, bad.steps, bad.values):
            content.update(column.tobytes())
    for tag, histograms in run.histograms.items():
        content.update(tag.encode() + histograms.steps.tobytes())
        for record in histograms.records:
            content.update(record.edges.tobytes() + record.counts.tobytes())
    return content.hexdigest()
