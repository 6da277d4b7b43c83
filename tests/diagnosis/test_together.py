"""Runs that are examined together, and cases of one outline, for which it is settled once what is asked."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from tbdiag.case import Case
from tbdiag.detectors.registry import rules
from tbdiag.diagnosis.examine import Selection, examine, examine_all
from tbdiag.model.role import Role, RoleMap
from tbdiag.model.run import Run

ALL = Selection(detectors=tuple(rule() for rule in rules()))
RUNS = tuple(sample.run for rule in rules() for sample in rule.samples())


def in_parts(run: Run) -> Run:
    """The run with its training loss as the only one of two parts."""
    box = {Role.TRAIN_LOSS: run.roles.bound[Role.TRAIN_LOSS]}
    rest = {role: each for role, each in run.roles.bound.items() if role not in box}
    return run.with_roles(RoleMap(bound=rest, parts=(box, box)))


def test_together_they_get_the_answers_that_each_gets_alone() -> None:
    parts = tuple(in_parts(run) for run in RUNS[::9] if Role.TRAIN_LOSS in run.roles.bound)
    doubtful = tuple(
        run.with_roles(replace(run.roles, ambiguous={Role.KL: ("a", "b")})) for run in RUNS[::9]
    )
    runs = RUNS[::2] + parts + doubtful
    together = examine_all(runs, ALL, 1e9)
    for run, report in zip(runs, together, strict=True):
        alone = examine(run, Selection(detectors=ALL.detectors), 1e9)
        assert list(report.outcomes.items()) == list(alone.outcomes.items())
        assert report.findings == alone.findings


def test_what_a_rule_lacks_is_told_by_the_outline_alone() -> None:
    alike: dict[object, list[Case]] = defaultdict(list)
    for run in RUNS:
        case = Case(run)
        alike[case.outline(ALL.points)].append(case)
    assert sum(len(cases) > 1 for cases in alike.values()) > 20
    for cases in alike.values():
        for rule in ALL.detectors:
            assert len({rule.lacking(case) for case in cases}) == 1, rule.code
