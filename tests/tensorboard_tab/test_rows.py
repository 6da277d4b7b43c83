from __future__ import annotations

from itertools import chain

import pytest

from tbdiag.errors import RequestError
from tbdiag.tensorboard_tab.rows import Wanted, differing, page, row
from tests.tensorboard_tab.builders import a_finding, an_entry

ROWS = [
    row(an_entry("run10", a_finding("GEN001", 9), lr=0.1, wd=0)),
    row(an_entry("run9", a_finding("GEN001", 4), a_finding("OPT001", 2, "note"), lr=0.1, wd=1)),
    row(an_entry("clean", lr=0.01)),
    row(
        an_entry(
            "late", a_finding("NUM001", 7), a_finding("OPT001", 3, "warning", "NUM001"), lr="auto"
        )
    ),
]


def names(**wanted) -> list[str]:
    return [each["run"] for each in page(ROWS, Wanted(**wanted))["rows"]]


def test_the_worst_run_comes_first():
    assert names() == ["run9", "late", "run10", "clean"]
    assert names(descending=True) == ["clean", "run10", "late", "run9"]


def test_names_are_sorted_as_people_count():
    assert names(sort="run") == ["clean", "late", "run9", "run10"]


def test_a_rule_sorts_by_gravity_then_step_and_those_without_come_last():
    assert names(sort="GEN001")[:2] == ["run9", "run10"]
    assert names(sort="GEN001", descending=True)[:2] == ["run10", "run9"]
    assert names(sort="OPT001")[:2] == ["run9", "late"], "a consequence stands behind"


def test_settings_sort_as_numbers_then_texts_then_nothing():
    assert names(sort="hparam:lr") == ["clean", "run10", "run9", "late"]
    assert names(sort="hparam:wd") == ["run10", "run9", "clean", "late"]
    assert names(sort="hparam:wd", descending=True)[:2] == ["run9", "run10"]


def test_the_cell_is_the_first_step_and_the_root_before_a_consequence():
    both = row(
        an_entry("x", a_finding("OPT001", 3, "error", "NUM001"), a_finding("OPT001", 8, "note"))
    )
    assert both.cells == {"OPT001": (8, "note", False)}
    assert both.counts == {"error": 0, "warning": 0, "note": 1}


def test_filters_go_together():
    assert names(pattern="^RUN") == ["run9", "run10"]
    assert names(severities=("warning",)) == [], "a consequence is not what was asked for"
    assert names(rules=("OPT001",)) == ["run9", "late"]
    assert names(rules=("OPT001",), severities=("warning",)) == ["late"]
    assert names(pattern="run", rules=("OPT001",)) == ["run9"]


def test_pages_join_without_gaps():
    whole = names(sort="run")
    parts = [names(sort="run", offset=at, limit=2) for at in (0, 2, 4)]
    assert [*chain(*parts)] == whole
    told = page(ROWS, Wanted(pattern="run", limit=1))
    assert (told["total"], told["matched"], len(told["rows"])) == (4, 2, 1)


def test_columns_are_of_all_that_match_not_of_the_page():
    told = page(ROWS, Wanted(limit=1))
    assert told["rules"] == [
        {"code": "GEN001", "runs": 2},
        {"code": "NUM001", "runs": 1},
        {"code": "OPT001", "runs": 2},
    ]
    assert page(ROWS, Wanted(pattern="run"))["settings"] == ["wd"]


def test_what_is_no_pattern_is_refused():
    with pytest.raises(RequestError, match="no regular expression"):
        page(ROWS, Wanted(pattern="("))
    with pytest.raises(RequestError, match="longer than"):
        page(ROWS, Wanted(pattern="a" * 501))


def test_known_knobs_come_first_and_bookkeeping_not_at_all():
    settings = [{"zeta": 1, "lr": 1, "logdir": "a"}, {"zeta": 2, "lr": 2, "logdir": "b"}]
    assert differing(settings) == ["lr", "zeta"]
    assert differing([{"lr": 1}, {"lr": 1.0}]) == []
    assert differing([{"lr": 1}, {"lr": "x"}]) == ["lr"]
    assert differing([{"lr": 1}, {}]) == ["lr"]
    assert differing([]) == []
