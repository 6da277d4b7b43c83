"""The contract of the rules about several runs: every clause holds, and every clause can fail."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest

from tbdiag.detectors import registry
from tests.detectors.search_contract import CLAUSES, Rule

RULES = registry.search_rules()

TOY = '''
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

from tbdiag.detectors.base import (
    SearchDetector, SearchSample, Threshold, search_fires, search_silent
)
from tbdiag.model.finding import Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.search import Family
from tbdiag.synth import a_search


@dataclass(frozen=True, kw_only=True)
class BestIsBad(SearchDetector):
    """The best of the runs is no good.

    ## What it does
    Looks at the best run.

    ## Why is this bad?
    A better one is wanted.

    ## How it is detected
    The best loss is above `share` of the worst one.

    ## Remedy
    Search on, elsewhere.

    ## False alarms
    A task that is hard.

    ## References
    None but common sense.
    """

    code, severity, since = "SET099", Severity.NOTE, "0.1.0"
    runs = 3

    share: Annotated[float, Threshold("best loss over the worst", above=0)] = 0.5

    def check(self, family: Family) -> Iterator[Finding]:
        ranked = family.ranked
        best, worst = ranked[0], ranked[-1]
        if best.value > self.share * worst.value:
            steps = best.curve.steps
            yield self.finding(
                f"the best of {len(ranked)} runs is {best.run.id}, hardly better than the worst",
                Evidence(
                    tag=best.curve.tag,
                    span=(int(steps[0]), int(steps[-1])),
                    measures=(Measure("ratio", best.value / worst.value, ">", self.share),),
                    run=best.run.id,
                ),
                subject=family.project,
                remedies=(Remedy.advice("Search on", "this is not enough"),),
            )

    @classmethod
    def samples(cls) -> Iterator[SearchSample]:
        rates = [{"lr": rate} for rate in (1e-4, 1e-3, 1e-2)]
        yield search_fires("all alike", a_search(rates, [0.4, 0.41, 0.42]))
        yield search_silent("one is good", a_search(rates, [0.4, 0.1, 0.42]))
'''

# A rule that takes all runs for comparable.
EVERYBODY = """
    def asked(self, search):
        some = search.entrants
        family = Family(objective=some[0].objective, project="", entrants=some) if some else None
        return ((family,) if family else ()), "nobody is there"
"""

DEFECTS = {
    "fires_on_exactly_its_samples": [
        ("= 0.5\n", "= 5.0\n"),
        ('search_silent("one', 'search_fires("one'),
        ('"one is good"', '"all alike"'),
    ],
    "verdict_survives_what_means_nothing": [
        ("> self.share * worst.value", "> self.share * worst.value and best.value < 10"),
        (
            "> self.share",
            "> self.share * (best.curve.steps[-1] < 9000) + 9 * (best.curve.steps[-1] >= 9000) * 99 + self.share",
        ),
        ("if best.value", 'if best.curve.tag == "loss/val" and best.value'),
        ("if best.value", 'if not isinstance(best.settings["lr"], str) and best.value'),
        ("if best.value", "if not len(best.curve.nonfinite) and best.value"),
    ],
    "order_means_nothing": [
        ("{len(ranked)} runs", "{__import__('time').perf_counter_ns()} runs"),
    ],
    "strangers_mean_nothing": [
        ("runs = 3\n", f"runs = 1\n{EVERYBODY}"),
    ],
    "too_few_runs_tell_nothing": [
        ("runs = 3\n", "runs = 3\n    def asked(self, search): return search.families, ''\n")
    ],
    "runs_that_fail_break_nothing": [
        ("ranked[0], ranked[-1]", "ranked[0], ranked[-1]; best.level.best")
    ],
    "documentation_is_whole": [("The best of the runs is no good.", "Bad")],
    "thresholds_are_explained": [("above `share` of", "above")],
    "place_and_names_agree": [('"SET099"', '"OPT099"')],
    "explains_other_rules": [("runs = 3\n", 'runs = 3\n    explains = ("XYZ001",)\n')],
    "never_changes_a_run": [
        ("ranked = family.ranked", 'ranked = family.ranked; ranked[0].run.texts["new"] = "x"'),
        ("{len(ranked)} runs", "{__import__('time').perf_counter_ns()} runs"),
    ],
    "evidence_stands_in_the_logs": [
        ("run=best.run.id", 'run="nobody"'),
        ("tag=best.curve.tag", 'tag="nowhere"'),
        ("int(steps[-1])", "int(steps[-1]) + 1"),
        ('Measure("ratio"', 'Measure("The ratio"'),
    ],
    "findings_can_be_told_apart": [
        (
            "            steps = ",
            "            yield self.finding('the first of two', subject=family.project, *[Evidence(tag=best.curve.tag, span=(25, 25), run=best.run.id)])\n            steps = ",
        )
    ],
    "says_one_plain_sentence": [("than the worst", "than the worst.")],
    "remedies_can_be_followed": [('"Search on"', '""')],
}


def a_toy(old: str = "", new: str = "") -> Rule:
    """The toy rule, with one piece of its source replaced."""
    assert old in TOY
    module = ModuleType("toys.search.best_is_bad")
    sys.modules[module.__name__] = module  # where dataclasses and type hints look names up
    exec(compile(TOY.replace(old, new, 1), module.__name__, "exec"), module.__dict__)
    return module.__dict__["BestIsBad"]


@pytest.mark.parametrize("clause", CLAUSES)
@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.code)
def test_rule_keeps(rule: Rule, clause: str) -> None:
    assert list(CLAUSES[clause](rule)) == []


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_toy_keeps(clause: str) -> None:
    assert list(CLAUSES[clause](a_toy())) == []


@pytest.mark.parametrize(
    ("clause", "defect"), [(name, each) for name, found in DEFECTS.items() for each in found]
)
def test_a_defect_breaks_its_clause(clause: str, defect: tuple[str, str]) -> None:
    assert list(CLAUSES[clause](a_toy(*defect))) != []


def test_every_clause_can_fail() -> None:
    assert DEFECTS.keys() == CLAUSES.keys()


def test_there_are_three() -> None:
    assert [rule.code for rule in RULES] == ["SET001", "SET002", "SET003"]
