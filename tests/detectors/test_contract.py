"""The contract of the rules: every clause holds for every rule, and every clause can fail."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from collections.abc import Iterator
from types import ModuleType

import pytest

import tbdiag.detectors
from tbdiag.detectors import registry
from tbdiag.detectors.base import Detector, rule_name
from tests.detectors.contract import CLAUSES, EXEMPT, Rule

RULES = registry.rules()

TOY = '''
from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Evidence, Finding, Measure, Severity
from tbdiag.model.remedy import Remedy
from tbdiag.model.role import Role
from tbdiag.synth import a_run, decay, noisy, u_turn


@dataclass(frozen=True, kw_only=True)
class ClimbingLoss(Detector):
    """The training loss ends above its best.

    ## What it does
    Looks for a training loss that has turned.

    ## Why is this bad?
    Each further epoch makes things worse.

    ## How it is detected
    The end lies above the best by the share `rise`.

    ## Remedy
    Stop at the best value.

    ## False alarms
    A rate that restarts on purpose.

    ## References
    None but common sense.
    """

    code, severity, since = "OPT099", Severity.WARNING, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    points = 8
    explains = ("OPT005",)

    rise: Annotated[float, Threshold("climb above the best, as a share of it", above=0)] = 0.5

    def check(self, case: Case) -> Iterator[Finding]:
        loss = case.the(Role.TRAIN_LOSS)
        best = int(loss.values.argmin())
        step, last, low = int(loss.steps[best]), int(loss.steps[-1]), float(loss.values[best])
        end = float(np.median(loss.values[-5:]))
        if end > (1 + self.rise) * low:
            yield self.finding(
                f"the training loss ends {end / low - 1:.0%} above its best at step {step}",
                Evidence(
                    tag=loss.tag,
                    span=(step, last),
                    measures=(Measure("rise", end / low - 1, ">", self.rise),),
                ),
                remedies=(Remedy.advice("Stop earlier", "the rest only made it worse"),),
            )

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        yield fires("turn", a_run({Role.TRAIN_LOSS: u_turn(60, 2.3, 0.7, 1.6)}), onset=20)
        yield silent("descent", a_run({Role.TRAIN_LOSS: noisy(decay(60, 2.3, 0.7), 0.01)}))
'''

# Clause → defects, each as a replacement in the toy rule.
DEFECTS = {
    "fires_on_exactly_its_samples": [
        ("= 0.5\n", "= 50.0\n"),
        ("> (1 + self.rise) * low", "> low"),
        ('yield silent("descent"', 'yield fires("descent"'),
        ('yield silent("descent"', 'yield silent("turn"'),
        ("low = int", "low = 1 / 0 + int"),
    ],
    "verdict_survives_what_means_nothing": [
        ("> (1 + self.rise) * low", "> (1 + self.rise) * low and not len(loss.nonfinite)"),
        ("> (1 + self.rise) * low", "> (1 + self.rise) * low and low < 10"),
        ("> (1 + self.rise) * low", "> (1 + self.rise) * low and last < 1000"),
        ("> (1 + self.rise) * low", "> (1 + self.rise) * low and np.float32(low) != low"),
        ("> (1 + self.rise) * low", '> (1 + self.rise) * low and loss.tag == "loss/train"'),
    ],
    "silent_before_the_onset": [("onset=20", "onset=55")],
    "documentation_is_whole": [
        ("The training loss ends above its best.", "Loss up"),
        ("## Remedy\n    Stop at the best value.\n", ""),
        ("## What it does\n", "## Remedy\n"),
        ("None but common sense.", "None."),
        ('"0.1.0"', '"soon"'),
    ],
    "thresholds_are_explained": [
        ("share `rise`", "share"),
        ("climb above the best, as a share of it", ""),
        (", above=0", ""),
        ("= 0.5\n", "= -0.5\n"),
        ("= 0.5\n", '= "half"\n'),
    ],
    "place_and_names_agree": [
        ('"OPT099"', '"GEN099"'),
        ("class ClimbingLoss", "class ClimbingLosses"),
    ],
    "explains_other_rules": [('("OPT005",)', '("XYZ001",)'), ('("OPT005",)', '("OPT099",)')],
    "leads_other_rules": [
        ('explains = ("OPT005",)', 'leads = ("XYZ001",)'),
        ('explains = ("OPT005",)', 'leads = ("OPT099",)'),
        ('explains = ("OPT005",)', 'explains = leads = ("OPT005",)'),
    ],
    "speaks_only_amid_other_rules": [
        ('explains = ("OPT005",)', 'amid = ("XYZ001",)'),
        ('explains = ("OPT005",)', 'amid = ("OPT010",)'),
        ('explains = ("OPT005",)', 'amid = ("OPT099",)'),
    ],
    "never_changes_the_case": [
        ("best = int", 'case.run.series["new"] = loss; best = int'),
        ("0%} above", "0%} {__import__('time').perf_counter_ns()} above"),
    ],
    "tells_what_is_missing": [
        ("needs = (Role.TRAIN_LOSS,)", "needs = ()"),
        (
            "    def check",
            "    def lacking(self, case: Case) -> None: return None\n\n    def check",
        ),
    ],
    "evidence_stands_in_the_logs": [
        ("tag=loss.tag", 'tag="nowhere"'),
        ("span=(step, last)", "span=(step, last + 1)"),
        ("span=(step, last)", "span=(last, step)"),
        ('Measure("rise"', 'Measure("The rise"'),
        ('">", self.rise', '">"'),
    ],
    "says_one_plain_sentence": [
        ("at step {step}", "at step {step}\\n"),
        ("at step {step}", "at step {step}."),
        ("at step {step}", "at step {step}. Stop earlier"),
        ("self.finding(", 'self.finding.__func__(type("Other", (type(self),), {})(), '),
    ],
    "remedies_can_be_followed": [
        ('"Stop earlier"', '""'),
        ("Remedy.advice(", "Remedy.turn(None, 3.0, "),
    ],
}


def a_toy(old: str = "", new: str = "") -> Rule:
    """The toy rule, with one piece of its source replaced."""
    assert old in TOY
    module = ModuleType("toys.optimization.climbing_loss")
    sys.modules[module.__name__] = module  # where dataclasses and type hints look names up
    exec(compile(TOY.replace(old, new, 1), module.__name__, "exec"), module.__dict__)
    (rule,) = (
        each
        for each in vars(module).values()
        if isinstance(each, type) and each.__module__ == module.__name__
    )
    return rule


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


def defined() -> Iterator[Rule]:
    """Every rule class in the package, found without the registry."""
    package = tbdiag.detectors
    for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        for each in vars(importlib.import_module(info.name)).values():
            if (
                isinstance(each, type)
                and issubclass(each, Detector)
                and each is not Detector
                and each.__module__ == info.name
            ):
                yield each


def test_codes_and_names_are_unique() -> None:
    found = list(defined())
    assert sorted(each.code for each in found) == [each.code for each in RULES]
    assert len({rule_name(each) for each in found}) == len(found)


def test_no_two_rules_explain_each_other() -> None:
    explains = {rule.code: set(rule.explains) for rule in RULES}
    mutual = {
        (code, other)
        for code, others in explains.items()
        for other in others
        if code in explains.get(other, ())
    }
    assert mutual == set()


def test_exemptions_speak_of_rules_that_exist() -> None:
    assert {code for code, _ in EXEMPT} <= {rule.code for rule in RULES}
