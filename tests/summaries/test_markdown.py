"""Whatever stands in names, tags and messages: in TensorBoard's TEXT it is text."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.model.remedy import Remedy
from tbdiag.model.report import Report
from tbdiag.summaries import wording
from tbdiag.summaries.markdown import NAME, code, link, plain
from tests.views.builders import a_finding, a_report, a_run, a_run_report

# Of a library of TensorBoard's, when it is first used.
pytestmark = pytest.mark.filterwarnings("ignore:html5lib's sanitizer is deprecated")

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    '"><script>alert(1)</script>',
    "[click](javascript:alert(1))",
    "![](http://example.com/spy.png)",
    "<http://example.com>",
    "a | b | c",
    "| --- |",
    "`code` ``more``",
    "**bold** _em_ ~~gone~~",
    "# heading",
    "> quote",
    "1. one",
    "- item",
    "===",
    "---",
    "- - -",
    "~~~",
    "12) twelve",
    "#hash",
    "-0.5 and 0.1",
    "new\nline\n\n# heading\n```\nfence",
    "\u202ereversed\u2066",
    "&lt;b&gt; &amp; &#60;",
    "\\*escaped\\*",
    "nul\x00 bell\x07 esc\x1b[31m",
    "\udc80 surrogate",
    "x" * 10_000,
]


def shown(markdown: str) -> str:
    """What TEXT makes of it."""
    from tensorboard.plugin_util import markdown_to_safe_html

    return markdown_to_safe_html(markdown)


def visible(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html))


def tags(html: str) -> set[str]:
    return {*re.findall(r"<([a-z0-9]+)", html)}


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("shape", ["{}", "- {}", "**{}** more", "### {}", "*({})*"])
def test_plain_text_stays_plain(text: str, shape: str) -> None:
    bare = tags(shown(shape.format("word")))
    html = shown(shape.format(plain(text)))
    assert tags(html) <= bare
    assert len(html) < 3000
    assert not set("\u202e\u2066\x00\x07\x1b\udc80") & set(html)


@pytest.mark.parametrize("text", [t for t in HOSTILE if t.isprintable() and len(t) < 100])
def test_plain_text_is_shown_as_it_is(text: str) -> None:
    html = shown(f"so: {plain(text)}")
    assert visible(html) == f"so: {text}"


@given(st.text(max_size=60))
def test_no_text_makes_an_element(text: str) -> None:
    html = shown(f"{plain(text)} {code(text)} {link(plain(text), text)}")
    assert tags(html) <= {"p", "code", "a"}
    assert {*re.findall(r'href="([^"]{0,7})', html)} <= {"#tbdiag"}


@pytest.mark.parametrize("text", HOSTILE)
def test_rows_of_a_table_keep_their_columns(text: str) -> None:
    head = "| a | b | c |\n|---|---|---|\n"
    html = shown(f"{head}| {plain(text)} | {code(text)} | {link(plain(text), text)} |")
    assert html.count("<td>") == 3
    assert tags(html) <= {"table", "thead", "tbody", "tr", "th", "td", "code", "a"}


def test_a_link_opens_the_tab_at_the_run() -> None:
    assert link("open", "a/b c&p=(1)") == "[open](#tbdiag&p.tbdiag.run=a%2Fb%20c%26p%3D%281%29)"
    assert link("open", "") == "[open](#tbdiag)"


def hostile_report(text: str) -> Report:
    run = a_run(text, {"loss/train": [1.0, 2.0]}, hparams={"lr": 0.1})
    remedy = Remedy.advice(text, text)
    finding = a_finding(message=text, tag=text, note=text, remedies=[remedy, remedy])
    return a_report(a_run_report(run, [finding]), search=[finding], unread=[(text, text)])


@pytest.mark.parametrize("text", HOSTILE)
def test_a_whole_text_has_the_elements_of_one_about_a_tame_run(text: str) -> None:
    def elements(words: str) -> list[set[str]]:
        report = hostile_report(words)
        told = wording.of_run(report.runs[0], 7), wording.of_all(report)
        return [tags(shown(each)) for each in told]

    for found, tame in zip(elements(text), elements("tame"), strict=True):
        assert found <= tame


def test_names_are_cut_in_the_middle() -> None:
    cut = code("a" * 500 + "z" * 500)
    assert len(cut) < NAME + 5
    assert (cut[1], cut[-2]) == ("a", "z")
