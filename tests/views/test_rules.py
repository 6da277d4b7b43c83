"""What the texts about rules promise: everything that a rule says of itself, within 80 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pytest

from tbdiag.case import Case
from tbdiag.detectors.base import Detector, Sample, Threshold, fires, silent
from tbdiag.model.finding import Finding, Severity
from tbdiag.model.role import Role
from tbdiag.views.rules import render_list, render_one
from tbdiag.views.text import cells
from tests.views.builders import a_finding, a_run

Golden = Callable[[str, str], None]


@dataclass(frozen=True, kw_only=True)
class TooSteepDescent(Detector):
    """The training loss falls faster than anybody would believe it could on data of this kind.

    ## What it does

    Looks for a loss that falls
    by more than `share` within one step.

    ## Why is this bad?

    Two reasons:

    - the labels may have leaked into the samples, and then the network reads them off instead of
      learning anything
    - the loss may be wrong

    ## How it is detected

    1. The loss is compared with the loss before.
    2. Where it fell by more than `share`, the rule fires.

    ## Remedy

    Look at the data.

    ## False alarms

    None.

    ## References

    https://example.org/a/very/long/address/that/does/not/fit/into/eighty/columns/of/text/at/all.html
    """

    code, severity, since = "OPT999", Severity.WARNING, "0.1.0"
    needs = (Role.TRAIN_LOSS,)
    share: Annotated[float, Threshold("largest believable fall", above=0, at_most=1)] = 0.9
    points_needed: Annotated[int, Threshold("how many points there must be", at_least=2)] = 4

    def check(self, case: Case) -> Iterator[Finding]:
        yield from ()

    @classmethod
    def samples(cls) -> Iterator[Sample]:
        yield fires("a leak", a_run("a", {"loss/train": [2, 2, 2, 0.1, 0.1, 0.1]}))
        yield silent("an honest fall", a_run("b", {"loss/train": np.linspace(2, 1, 30)}))


@dataclass(frozen=True, kw_only=True)
class Quiet(TooSteepDescent):
    """Nothing is known about this rule."""

    code, severity = "GEN999", Severity.ERROR


def pictures() -> list[tuple[Sample, Finding | None]]:
    finding = a_finding(message="the loss fell by 95 % at step 4", tag="loss/train", span=(4, 4))
    leak, honest = TooSteepDescent.samples()
    return [(honest, None), (leak, finding)]


def test_one_rule(golden: Golden) -> None:
    golden("rule.txt", render_one(TooSteepDescent, pictures(), color=False))


def test_the_list(golden: Golden) -> None:
    golden("rules.txt", render_list([Quiet, TooSteepDescent], color=False))


@pytest.mark.parametrize("width", [40, 57, 80, 120])
@pytest.mark.parametrize("only_ascii", [False, True])
def test_no_line_is_wider_than_asked_for(width: int, only_ascii: bool) -> None:
    one = render_one(TooSteepDescent, pictures(), color=False, width=width, ascii=only_ascii)
    many = render_list([Quiet, TooSteepDescent], color=False, width=width, ascii=only_ascii)
    assert max(cells(line) for line in (one + many).split("\n")) <= width
    assert (one + many).isascii() or not only_ascii
    for word in ("OPT999", "GEN999", "too-steep", "warning", "anybody"):
        assert word in many
    assert "learning anything" in " ".join(one.split())


def test_color_is_only_there_where_it_is_wanted() -> None:
    assert "\x1b[" in render_list([Quiet], color=True)
    assert "\x1b[" in render_one(Quiet, color=True)
    assert "\x1b" not in render_list([Quiet], color=False)
    assert "\x1b" not in render_one(Quiet, pictures(), color=False)


def test_thresholds_stand_with_default_bounds_and_meaning() -> None:
    text = render_one(TooSteepDescent, color=False)
    assert "  share          0.9  largest believable fall (above 0, at most 1)\n" in text
    assert "  points_needed  4    how many points there must be (at least 2)\n" in text
    assert text.index("How it is detected") < text.index("Thresholds") < text.index("Remedy")


@pytest.mark.parametrize("order", [1, -1])
def test_the_pictures_show_one_that_fires_and_one_that_must_not(order: int) -> None:
    lines = render_one(TooSteepDescent, pictures()[::order], color=False).splitlines()
    fired, passed = lines.index("  fires on a leak"), lines.index("  silent on an honest fall")
    assert "the loss fell by 95 % at step 4" in lines[fired + 1]
    assert lines[fired + 3].strip() == "2 ███▁▁▁ 0.1"
    assert lines[fired + 4] == "         ^ step 4"
    assert lines[passed + 2].strip().startswith("2 █")
    assert "^" not in "".join(lines[passed:])


def test_without_samples_there_is_no_picture() -> None:
    text = render_one(TooSteepDescent, color=False)
    assert "fires on" not in text
    assert "silent on" not in text
    assert render_list([], color=False) == ""
