"""What text promises: nothing in it moves the cursor, and its width is what was asked for."""

from __future__ import annotations

import math
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.views.text import LONGEST, cells, count, number, printable, shorten, wrap

anything = st.text(st.characters(exclude_categories=()))


@given(anything, st.booleans())
def test_printable_text_has_no_control_or_format_characters(text: str, only_ascii: bool) -> None:
    shown = printable(text, only_ascii=only_ascii)
    assert {unicodedata.category(char)[0] for char in shown} <= {"L", "M", "N", "P", "S", "Z"}
    shown.encode("ascii" if only_ascii else "utf-8")
    assert printable(shown, only_ascii=only_ascii) == shown or len(shown) > LONGEST


def test_escapes_are_shown_as_what_they_are() -> None:
    assert printable("a\x1b[31m\n\u202eb\udc80") == "a\\x1b[31m\\n\\u202eb\\udc80"
    assert printable("a\u2028b\u00a0c") == "a\\u2028b c"
    assert printable("3× – 中", only_ascii=True) == "3x - \\u4e2d"


def test_a_huge_name_is_cut_in_the_middle() -> None:
    shown = printable("a" * 10**6 + "z")
    assert len(shown) < LONGEST + 10
    assert shown.startswith("aaa")
    assert shown.endswith("z")


@given(anything, st.integers(1, 60))
def test_shortened_text_fits_and_keeps_both_ends(text: str, room: int) -> None:
    shown = printable(text)
    cut = shorten(shown, room)
    assert cells(cut) <= room
    assert cut == shown or cells(shown) > room
    if cut != shown and room > 6:
        head, tail = cut.split("…")[0], cut.split("…")[-1]
        assert shown.startswith(head)
        assert shown.endswith(tail)


@given(anything, st.integers(2, 60))
def test_wrapped_text_fits_and_loses_nothing(text: str, room: int) -> None:
    shown = printable(text)
    lines = wrap(shown, room)
    assert all(cells(line) <= room for line in lines)
    assert "".join("".join(lines).split()) == "".join(shown.split())


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0, "0"),
        (115.0, "115"),
        (0.0123456, "0.0123"),
        (1.4849, "1.48"),
        (12345.6, "12346"),
        (1e-5, "1e-5"),
        (2.46e13, "2.46e13"),
        (math.nan, "NaN"),
        (-math.inf, "-Inf"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown


def test_counts_agree_with_their_noun() -> None:
    assert [count(n, "run") for n in (0, 1, 2)] == ["0 runs", "1 run", "2 runs"]
