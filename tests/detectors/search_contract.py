"""What every rule about several runs promises, beside what every rule does."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from tbdiag.detectors.base import SearchDetector, SearchSample
from tbdiag.diagnosis.examine import SearchSelection, examine_search
from tbdiag.model.finding import Finding
from tbdiag.model.report import Crashed, Fired, NotApplicable, Outcome
from tbdiag.model.role import RoleMap
from tbdiag.model.run import HParam, Run
from tbdiag.search import Search
from tbdiag.synth import a_search
from tests.detectors.changes import (
    in_float32,
    under_names_of,
    with_loss_times_1000,
    with_scattered_nans,
    with_steps_times_100,
)
from tests.detectors.contract import (
    digest,
    documentation_is_whole,
    explains_other_rules,
    ill_advised,
    ill_measured,
    ill_said,
    place_and_names_agree,
    steps_of,
    thresholds_are_explained,
    words,
)

Rule = type[SearchDetector]

CHANGES: Mapping[str, Callable[[Run], Run]] = {
    "with scattered NaNs": with_scattered_nans,
    "with 100 times the steps": with_steps_times_100,
    "in float32": in_float32,
    "with 1000 times the loss": with_loss_times_1000,
    "under Lightning's names": lambda run: under_names_of(run, "Lightning's"),
    "as text": lambda run: _settings(run, str),
    "with an output folder": lambda run: _more(run, output_dir=f"out/{run.id}"),
    "elsewhere": lambda run: replace(run, path=PurePosixPath("/else/where", *run.path.parts)),
}


def answer(rule: Rule, runs: Sequence[Run]) -> tuple[Outcome, tuple[Finding, ...]]:
    """The rule's outcome for these runs with its default thresholds, and its findings."""
    outcomes, found = examine_search(Search(runs), SearchSelection(detectors=(rule(),)))
    return outcomes[rule.code], found


def findings(rule: Rule) -> Iterator[tuple[SearchSample, Finding]]:
    """Every finding on every sample that fires."""
    for sample in rule.samples():
        yield from ((sample, finding) for finding in answer(rule, sample.runs)[1])


def fires_on_exactly_its_samples(rule: Rule) -> Iterator[str]:
    samples = list(rule.samples())
    if {sample.fires for sample in samples} != {True, False}:
        yield "needs a sample that fires and one that must not"
    if len({sample.name for sample in samples}) < len(samples):
        yield "two samples have one name"
    for sample in samples:
        yield from _mismatch(rule, sample, sample.runs, "")


def verdict_survives_what_means_nothing(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        for phrase, change in CHANGES.items():
            yield from _mismatch(rule, sample, [change(run) for run in sample.runs], f" {phrase}")


def order_means_nothing(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        for runs in (sample.runs[::-1], sample.runs[1:] + sample.runs[:1]):
            if answer(rule, runs) != answer(rule, sample.runs):
                yield f"{sample.name!r} in another order is answered differently"


def strangers_mean_nothing(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        yield from _mismatch(rule, sample, (*sample.runs, *strangers()), " among strangers")
    outcome, _ = answer(rule, list(strangers()))
    if not isinstance(outcome, NotApplicable):
        yield f"on runs that have nothing in common: {words(outcome)}"


def strangers() -> Iterator[Run]:
    """Runs of other tasks, of which no two can be compared."""
    for at in range(12):
        (run,) = a_search([{"lr": 10.0**-at, f"own{at}": 1, f"other{at}": 2}], [0.3], seed=at)
        yield replace(run, id=f"task{at}", path=PurePosixPath(f"logs/task{at}"))
    (bare,) = a_search([{}], [0.4])
    yield replace(bare, id="bare")
    yield replace(bare, id="blind", roles=RoleMap())
    (other,) = a_search([{"lr": 1e-4}], [0.4], accuracies=[0.9])
    yield replace(other, id="other")


def too_few_runs_tell_nothing(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        for n in range(min(rule.runs, len(sample.runs) + 1)):
            outcome, _ = answer(rule, sample.runs[:n])
            if not isinstance(outcome, NotApplicable) or len(outcome.reason) < 15:
                yield f"{sample.name!r} with {n} runs: {words(outcome)}"


def runs_that_fail_break_nothing(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        for blank in (lambda series: series.between(1, 0), lambda series: _all_nan(series)):
            failed = [
                replace(run, series={tag: blank(each) for tag, each in run.series.items()})
                for run in sample.runs
            ]
            for runs in (failed, [*failed[:1], *sample.runs[1:]]):
                outcome, _ = answer(rule, runs)
                if isinstance(outcome, Crashed):
                    yield f"{sample.name!r} with runs that failed: {words(outcome)}"


def never_changes_a_run(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        before = [digest(run) for run in sample.runs]
        first, second = answer(rule, sample.runs), answer(rule, sample.runs)
        if [digest(run) for run in sample.runs] != before:
            yield f"changes a run of {sample.name!r}"
        if first != second:
            yield f"answers differently when asked about {sample.name!r} again"


def evidence_stands_in_the_logs(rule: Rule) -> Iterator[str]:
    for sample, finding in findings(rule):
        runs = {run.id: run for run in sample.runs}
        if not finding.evidence:
            yield f"{sample.name!r}: no evidence"
        for each in finding.evidence:
            if each.run not in runs:
                yield f"{sample.name!r}: evidence of {each.run!r}, which is no run"
                continue
            steps = steps_of(runs[each.run], each.tag)
            if steps is None or not steps[0] <= each.span[0] <= each.span[1] <= steps[1]:
                yield f"{sample.name!r}: evidence on {each.tag} {each.span}, not within {steps}"
            yield from ill_measured(sample.name, each)


def findings_can_be_told_apart(rule: Rule) -> Iterator[str]:
    for sample in rule.samples():
        prints = [finding.fingerprint for finding in answer(rule, sample.runs)[1]]
        if len(set(prints)) < len(prints):
            yield f"{sample.name!r}: two findings have one fingerprint"


def says_one_plain_sentence(rule: Rule) -> Iterator[str]:
    yield from ill_said(rule, findings(rule))


def remedies_can_be_followed(rule: Rule) -> Iterator[str]:
    yield from ill_advised(findings(rule))


CLAUSES: Mapping[str, Callable[[Rule], Iterator[str]]] = {
    clause.__name__: clause
    for clause in (
        fires_on_exactly_its_samples,
        verdict_survives_what_means_nothing,
        order_means_nothing,
        strangers_mean_nothing,
        too_few_runs_tell_nothing,
        runs_that_fail_break_nothing,
        documentation_is_whole,
        thresholds_are_explained,
        place_and_names_agree,
        explains_other_rules,
        never_changes_a_run,
        evidence_stands_in_the_logs,
        findings_can_be_told_apart,
        says_one_plain_sentence,
        remedies_can_be_followed,
    )
}


def _mismatch(rule: Rule, sample: SearchSample, runs: Sequence[Run], how: str) -> Iterator[str]:
    outcome, _ = answer(rule, runs)
    if isinstance(outcome, Crashed) or isinstance(outcome, Fired) != sample.fires:
        wanted = "must fire" if sample.fires else "must be silent"
        yield f"{sample.name!r}{how} {wanted}: {words(outcome)}"


def _settings(run: Run, change: Callable[[object], str]) -> Run:
    return replace(
        run,
        hparams={
            name: HParam(each.value if each.value is None else change(each.value), each.source)
            for name, each in run.hparams.items()
        },
    )


def _more(run: Run, **settings: str) -> Run:
    new = {name: HParam(value, "sample") for name, value in settings.items()}
    return replace(run, hparams={**run.hparams, **new})


def _all_nan(series):
    values = [float("nan")] * len(series)
    return type(series).of(series.tag, series.steps, values, series.wall_times)
