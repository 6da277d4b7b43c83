"""Results survive the way to the disk, and the pages are made of them."""

from __future__ import annotations

import pytest

from benchmarks.diagnosis.page import Results, Section, Table, dump, load, markdown, table

TABLE = Table.of(("tool", "named"), [("tbdiag", 3), ("other", "–")])
RESULTS = Results(TABLE, (Section("Faults", ("A word.", TABLE)), Section("Rates", ())))


def test_results_survive_the_way_through_json() -> None:
    assert load(dump(RESULTS)) == RESULTS


def test_a_table_is_markdown() -> None:
    assert table(TABLE).splitlines() == [
        "| tool | named |",
        "| --- | --- |",
        "| tbdiag | 3 |",
        "| other | – |",
    ]


def test_the_page_holds_every_section_in_order() -> None:
    page = markdown(RESULTS)
    assert page.index("## Faults") < page.index("A word.") < page.index("## Rates")
    assert page.endswith("## Rates\n")


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(ValueError, match="more or fewer cells"):
        Table.of(("a", "b"), [("1",)])
