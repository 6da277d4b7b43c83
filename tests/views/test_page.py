from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pytest

import tbdiag
from tbdiag.errors import ReadError
from tbdiag.journal.replay import replayed
from tbdiag.model.finding import Confidence, Severity
from tbdiag.model.proposal import Decision, State
from tbdiag.model.report import NotApplicable, Passed, Report, RunReport
from tbdiag.model.run import HParam, Run
from tbdiag.views.page import ticks
from tbdiag.views.page.bundle import bundled
from tbdiag.views.page.charts import inert, wants_log
from tbdiag.views.page.document import Subject, chunks, render
from tests.cli.builders import ROOT
from tests.journal.builders import (
    NOON,
    a_diagnosis,
    a_journal,
    a_proposal,
    a_trial,
    a_verdict,
)
from tests.views.builders import a_dozen_runs, a_finding, a_report, a_run, a_run_report

EVIL = "<img src=x onerror=alert(1)>"
VOID = {"meta", "link", "img", "br", "input", "col", "hr"}
OPTIONAL = {"td", "option"}  # whose ends may be left out
URLS = (
    "href",
    "src",
    "action",
    "data",
    "poster",
    "srcset",
    "xlink:href",
    "formaction",
    "background",
)


class Page(HTMLParser):
    """A page taken apart: its elements as (name, attributes), texts, scripts, styles."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: dict[str, list[str]] = {"script": [], "style": []}
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))
        if tag in self.inside:
            self.inside[tag].append("")
        if tag not in VOID:
            while tag in OPTIONAL and self.open[-1] == tag:
                self.open.pop()
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        while self.open[-1] in OPTIONAL and tag != self.open[-1]:
            self.open.pop()
        assert self.open.pop() == tag, f"</{tag}> where another one was open"

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in self.inside:
            self.inside[self.open[-1]][-1] += data
        else:
            self.texts.append(data)

    def all(self, name: str, **wanted: str) -> list[dict[str, str]]:
        found = [attributes for tag, attributes in self.elements if tag == name]
        keys = {key.strip("_").replace("_", "-"): value for key, value in wanted.items()}
        return [each for each in found if all(each.get(k) == v for k, v in keys.items())]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())

    def charts(self) -> list[dict[str, Any]]:
        told = [
            json.loads(text)
            for attributes, text in zip(self.all("script"), self.inside["script"], strict=True)
            if attributes.get("type") == "application/json" and "id" not in attributes
        ]
        for chart in told:
            for line in chart["lines"]:
                line["x"] = np.cumsum(line["x"]).tolist()
        return told


def opened(report: Report, subject: Subject | None = None, **options: int) -> Page:
    return Page(render(report, subject, **options))


def test_the_page_is_whole():
    page = opened(a_dozen_runs(), Subject(places=("logs",)))
    assert page.open == []
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert not [name for name, n in Counter(ids).items() if n > 1]
    targets = {
        attributes["href"][1:]
        for _, attributes in page.elements
        if attributes.get("href", "").startswith("#")
    }
    assert targets <= set(ids)
    assert len(page.all("article", class_="run error")) == 1
    assert "logs – tbdiag report" in page.text


def test_headings_never_skip_a_level():
    page = opened(a_dozen_runs())
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_nothing_is_asked_of_anybody():
    text = render(a_dozen_runs())
    page = Page(text)
    for tag, attributes in page.elements:
        for name in URLS:
            value = attributes.get(name, "#")
            assert value.startswith("#") or value == "data:,", (tag, name, value)
        assert not [name for name in attributes if name.startswith("on") or name == "style"]
    assert not re.search(r"url\(|@import|@font-face", page.inside["style"][0])
    assert not re.search(
        r"\bfetch\(|XMLHttpRequest|\bimport\(|WebSocket|sendBeacon|\beval\(|new Function",
        page.inside["script"][-1],
    )


def test_only_our_own_style_and_script_may_run():
    page = opened(a_dozen_runs())
    (meta,) = page.all("meta", http_equiv="Content-Security-Policy")
    policy = dict(part.split(" ", 1) for part in meta["content"].split("; "))
    scripts = [
        text
        for attributes, text in zip(page.all("script"), page.inside["script"], strict=True)
        if attributes.get("type") != "application/json"
    ]
    assert policy["default-src"] == "'none'"
    for name, texts in (("script-src", scripts), ("style-src", page.inside["style"])):
        (text,) = texts
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert policy[name] == f"'sha256-{digest}'"


def test_no_script_of_ours_makes_markup_out_of_text():
    for path in (ROOT / "tbdiag" / "views" / "page" / "static").glob("*.js"):
        assert not re.search(
            r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcdoc",
            path.read_text("utf-8"),
        )
    for path in (ROOT / "tbdiag" / "views" / "page" / "templates").glob("*.j2"):
        safe = re.findall(r"\{\{ ([\w.]+) \| safe \}\}", path.read_text("utf-8"))
        assert set(safe) <= {"assets.style", "assets.script", "chart.data", "matrix.later"}


def hostile() -> Report:
    names = [
        EVIL,
        "</script><script>alert(1)</script>",
        "a\u202eb\u2028c\x1b[31m",
        "'\"` {{7*7}} {% x %}",
    ]
    curves = {f"{name} tag": np.linspace(2, 1, 30) for name in names}
    run = a_run(EVIL, curves, hparams={name: name for name in names}, path=f"logs/{EVIL}")
    findings = [
        replace(
            a_finding("GEN001", name, name, tag=f"{name} tag", span=(3, 9), note=name),
            subject=name,
        )
        for name in names
    ]
    return a_report(
        a_run_report(run, findings, {"OPT002": NotApplicable(EVIL)}),
        search=findings,
        unread=[(EVIL, EVIL)],
    )


def test_what_logs_say_is_never_markup():
    report = hostile()
    text = render(report, Subject(places=(EVIL,), journals=(EVIL,)))
    page, plain = Page(text), opened(a_dozen_runs())
    assert page.open == []
    assert not page.all("img")
    known = {tag for tag, _ in plain.elements}
    assert {tag for tag, _ in page.elements} <= known | {"bdi", "li", "details"}
    assert len(page.all("script")) == 1 + len(page.charts())
    assert EVIL in page.text
    assert "{{7*7}}" in page.text
    for char in "\u202e\u2028\x1b":
        assert char not in text
    assert page.charts()[0]["bands"][0]["note"] == EVIL


def test_json_stays_within_its_script():
    told = inert(json.dumps("</script><!--<script>&\u2028"))
    assert not set("<>&\u2028") & set(told)
    assert json.loads(told) == "</script><!--<script>&\u2028"


def test_the_same_report_gives_the_same_bytes():
    assert render(a_dozen_runs()) == render(a_dozen_runs())


def test_the_matrix_holds_every_answer():
    report = a_dozen_runs()
    page = opened(report)
    rows = page.all("tr", data_worst="error") + page.all("tr", data_worst="warning")
    assert len(page.all("th", scope="row", class_="name")) == len(report.runs)
    assert len(rows) == 3
    text = render(report)
    first = text[text.index("<tbody>") :].split("</tr>")[0]
    codes = re.findall(r'data-code="(\w+)" title', text.split("</thead>")[0])
    letters = re.findall(r'<td class="([EWNewnpuisx])"', first)
    answers = dict(zip(codes, letters, strict=True))
    assert "lr3e-1" in first
    assert (answers["NUM001"], answers["OPT003"], answers["OPT001"]) == ("E", "x", "p")
    assert 'title="NUM001 non finite values: error, first at step 4,130"' in first


def test_each_rule_is_told_once_by_its_worst_finding():
    found = [
        a_finding(message=f"message {n}", severity=severity, confidence=confidence)
        for n, (severity, confidence) in enumerate(
            [
                (Severity.NOTE, Confidence.HIGH),
                (Severity.ERROR, Confidence.LOW),
                (Severity.ERROR, Confidence.HIGH),
                (Severity.WARNING, Confidence.HIGH),
            ]
        )
    ]
    runs = [a_run_report(a_run(f"run-{n}"), [each]) for n, each in enumerate(found)]
    other = a_run_report(a_run("z"), [a_finding("OPT001", "x", "the gravest comes first")])
    page = opened(a_report(other, *runs))
    head = page.text[: page.text.index("Runs × rules Run ")]
    assert "message 2 GEN001 overfitting, high confidence, in run-2 and 3 more runs" in head
    assert head.count("GEN001 overfitting") == 2  # and in the filter
    assert head.index("message 2") < head.index("the gravest comes first")


def test_consequences_are_folded_under_their_root():
    text = render(a_dozen_runs())
    root = text[text.index('data-code="GEN001"', text.index('id="runs"')) :]
    folded = root[root.index("<details") : root.index("</details>")]
    assert "Explained by this" in folded
    assert 'data-code="OPT005"' in folded
    assert '<td class="n" title="OPT005 plateau: note, a consequence of another finding' in text


def test_rules_that_could_not_tell_anywhere_are_no_columns():
    page = opened(a_dozen_runs())
    assert not page.all("th", data_code="GRD001")
    assert re.search(r"GRD001 [\w ]+ : no gradient norm was logged", page.text)


def test_runs_beyond_the_limit_stand_in_the_matrix_only():
    report = a_dozen_runs()
    page = opened(report, max_runs=2)
    assert len(page.all("article", class_="run error")) == 1
    assert len([each for each in page.all("article") if each["class"].startswith("run ")]) == 2
    assert "The worst 2 runs of 11 stand here in full" in page.text
    assert len(page.all("th", scope="row", class_="name")) == len(report.runs)
    assert opened(report, max_runs=0).all("table", class_="matrix")


def test_rows_beyond_the_first_hundreds_are_made_later():
    runs = [a_run_report(a_run(f"run-{n}")) for n in range(400)]
    text = render(a_report(*runs), max_runs=5)
    page = Page(text)
    drawn = len(page.all("th", scope="row", class_="name"))
    (later,) = [
        json.loads(script)
        for attributes, script in zip(page.all("script"), page.inside["script"], strict=True)
        if attributes.get("id") == "later"
    ]
    assert drawn + len(later) == 400
    assert later[-1] == ["run-399", -1, 0, 0, 0, "ppp"]


def test_a_curve_is_thinned_but_no_spike_is_lost():
    values = np.linspace(2, 1, 100_000)
    values[33_333], values[66_666], values[77_777] = 99.0, -5.0, np.nan
    finding = a_finding("NUM004", "loss-spikes", tag="loss/train", span=(33_334, 33_334))
    page = opened(a_report(a_run_report(a_run("long", {"loss/train": values}), [finding])))
    (chart,) = page.charts()
    (line,) = chart["lines"]
    known = [value for value in line["y"] if value is not None]
    assert len(line["x"]) <= 4 * 90 + 1
    assert line["points"] == 100_000
    assert (max(known), min(known)) == (99.0, -5.0)
    assert line["x"][line["y"].index(99.0)] == 33_334
    assert line["bad"] == [[77_778, "NaN"]]
    assert chart["bands"] == [
        {
            "finding": 0,
            "code": "NUM004",
            "severity": "warning",
            "x": [33_334, 33_334],
            "folded": False,
            "note": "",
        }
    ]
    (picture,) = page.all("svg", class_="picture")
    assert "NUM004 at step 33,334" in picture["aria-label"]
    assert "1 point not finite" in picture["aria-label"]
    assert page.all("path", class_="cross")


def test_consequences_and_what_is_everywhere_shade_nothing():
    curves = {"loss/train": np.linspace(2, 1, 60)}
    findings = [
        a_finding(tag="loss/train", span=(20, 40)),
        a_finding("OPT005", "plateau", tag="loss/train", span=(30, 50), suppressed_by="GEN001"),
        a_finding("OPT006", "stopped-too-early", tag="loss/train", span=(1, 60)),
    ]
    page = opened(a_report(a_run_report(a_run("r", curves), findings)))
    assert len(page.all("rect", class_="shade")) == 1
    assert len(page.all("rect", class_="flag")) == 3
    assert [band["folded"] for band in page.charts()[0]["bands"]] == [False, False, True]


def test_only_what_findings_speak_of_is_drawn_beside_loss_and_metric():
    curves = {
        tag: np.linspace(1, 2, 50)
        for tag in ("loss/train", "loss/val", "acc/train", "acc/val", "lr", "other", "noise")
    }
    finding = a_finding("GRD002", "exploding-gradients", tag="other", span=(3, 9))
    page = opened(a_report(a_run_report(a_run("r", curves), [finding])))
    drawn = [[line["label"] for line in chart["lines"]] for chart in page.charts()]
    assert drawn == [["other"], ["loss/train", "loss/val"], ["acc/train", "acc/val"]]


def test_a_run_whose_every_value_is_nan_is_drawn():
    page = opened(
        a_report(
            a_run_report(
                a_run("r", {"loss/train": [np.nan] * 5}), [a_finding(tag="loss/train", span=(1, 5))]
            )
        )
    )
    (chart,) = page.charts()
    assert chart["lines"][0]["y"] == [None] * 5
    assert page.all("path", class_="cross")


@pytest.mark.parametrize("values", [[0.0] * 9, [1e300, -1e300, 3.0], [5e-324, 1e-300], [7.0]])
def test_odd_values_are_drawn(values: list[float]):
    run = a_run("r", {"loss/train": values})
    finding = a_finding(tag="loss/train", span=(-5, 10**9))
    text = render(a_report(a_run_report(run, [finding])))
    assert "nan" not in re.sub(r"[^\d\w.]", " ", " ".join(re.findall(r' d="([^"]+)"', text)))


def test_evidence_about_another_run_is_not_drawn_on_this_one():
    finding = a_finding(tag="loss/val", span=(1, 3))
    elsewhere = replace(finding.evidence[0], run="somebody-else")
    run = a_run("r", {"loss/val": [3.0, 2.0, 1.0]})
    page = opened(a_report(a_run_report(run, [replace(finding, evidence=(elsewhere,))])))
    assert page.charts()[0]["bands"] == []
    assert "of somebody-else" in page.text


class Gone(dict[str, Any]):
    """Curves whose files are gone."""

    def __getitem__(self, tag: str) -> Any:
        raise ReadError("events.1 is gone")

    def get(self, tag: str, default: Any = None) -> Any:
        return self[tag]


def test_curves_that_are_gone_leave_the_findings():
    run = replace(a_run("r", {"loss/val": [3.0, 2.0, 1.0]}))
    run = replace(run, series=Gone(run.series))
    page = opened(a_report(a_run_report(run, [a_finding()])))
    assert "the curves cannot be drawn: events.1 is gone" in page.text
    assert "148 % above its best" in page.text
    assert page.charts() == []


def test_what_was_not_examined_is_named():
    page = opened(a_dozen_runs())
    assert "logs/locked permission denied" in page.text
    assert "events.1 is damaged: the checksum is wrong at byte 4,096, 812 bytes lost" in page.text
    assert "OPT003 failed in 1 run: ZeroDivisionError" in page.text
    assert "1 has too little logged to tell" in page.text


def test_a_report_without_anything_is_a_page():
    blind = RunReport(run=Run(id="r", path=PurePosixPath("r")), outcomes={})
    for report in (a_report(), a_report(blind)):
        page = opened(report)
        assert page.open == []
        assert "No rule could tell anything" in page.text
    assert "There are no runs." in opened(a_report()).text


def test_settings_tell_their_source_and_who_disagrees():
    run = replace(
        a_run("r"),
        hparams={
            "lr": HParam(0.1, "hparams.yaml", also=(("events", 0.2),)),
            "none": HParam(None, "x"),
        },
    )
    page = opened(a_report(a_run_report(run)))
    assert "lr 0.1 hparams.yaml; but 0.2 in events" in page.text
    assert "none unset x" in page.text


def test_remedies_are_settings_of_the_run():
    page = opened(a_dozen_runs())
    assert "Divide the learning rate by ten lr 0.3 → 0.03" in page.text
    assert "Raise weight decay threefold weight_decay 0.0001 → 0.0003" in page.text


def test_histograms_are_drawn_as_their_spread():
    page = opened(tbdiag.scan(ROOT / "sample_logs" / "symmetric-init", cache=False))
    spread = next(each for each in page.charts() if "weights/layer1" in each["title"])
    assert [line["label"] for line in spread["lines"]] == ["highest 5 %", "median", "lowest 5 %"]
    assert {band["code"] for band in spread["bands"]} == {"INI001"}


def test_the_journal_is_told_with_the_course_of_the_objective(tmp_path: Path):
    journal = a_journal(tmp_path)
    journal.diagnosed(a_diagnosis())
    for name, value, decision in (
        ("t1", 1.9, Decision.REFUTED),
        ("t2", 0.3, Decision.CONFIRMED),
        ("t3", 0.9, Decision.INCONCLUSIVE),
    ):
        proposal = a_proposal(name, why=f"because of {EVIL}")
        journal.proposed(proposal)
        journal.launched(a_trial(proposal))
        journal.finished(a_trial(proposal, state=State.FINISHED, objective=value, ended=NOON + 9))
        journal.verified(name, a_verdict(decision=decision, after=value))
    journal.proposed(a_proposal("t4"))
    page = opened(a_report(), Subject(history=replayed(journal)))
    assert "4 follow-ups: 1 refuted, 1 confirmed, 1 inconclusive, 1 waiting." in page.text
    assert "The best is t2 with val_loss 0.3, from 2.31" in page.text
    assert f"because of {EVIL}" in page.text
    assert "2025-06-15 15:07 UTC" in page.text
    dots = [each["class"] for each in page.all("circle") if each.get("class", "").startswith("try")]
    assert dots == ["try refuted", "try confirmed", "try inconclusive"]
    heights = [float(each["cy"]) for each in page.all("circle") if "try" in each.get("class", "")]
    assert heights[1] > heights[2] > heights[0]  # lower is better, and further down
    (course,) = [each["d"] for each in page.all("path") if each.get("class") == "line c0"]
    assert float(course.rpartition(" ")[2]) == heights[1]  # which stays the best


def test_hundreds_of_runs_stay_small_and_quick():
    at = np.linspace(0, 1, 3000)
    rng = np.random.default_rng(0)
    curves = {
        tag: np.exp(-3 * at) + rng.normal(0, 0.05, 3000) + 1
        for tag in ("loss/train", "loss/val", "acc/train", "acc/val")
    }
    settings = {f"setting {n}": n / 7 for n in range(40)}
    findings = [a_finding(span=(500, 3000)), a_finding("OPT005", "plateau", tag="loss/train")]
    runs = [a_run_report(a_run(f"run-{n}", curves, hparams=settings), findings) for n in range(600)]
    text = render(a_report(*runs))
    assert len(text) < 8_000_000
    assert len(text) > 200 * 4 * 360  # they are there


def test_curves_are_drawn_one_run_at_a_time():
    asked = []

    class Watched(RunReport):
        @property
        def run(self) -> Run:
            asked.append(1)
            return self._run

    def watched(n: int) -> RunReport:
        made = object.__new__(Watched)
        object.__setattr__(made, "_run", a_run(f"run-{n}", {"loss/train": [2.0, 1.0]}))
        for name, value in (("outcomes", {"OPT001": Passed()}), ("findings", ())):
            object.__setattr__(made, name, value)
        return made

    said = ""
    asked_at = []
    for piece in chunks(a_report(*(watched(n) for n in range(20)))):
        assert type(piece) is str  # no markup, which would escape what is added to it
        said += piece
        while len(asked_at) < 20 and f'<article class="run ok" id="r{len(asked_at)}"' in said:
            asked_at.append(len(asked))
    assert len(asked_at) == 20
    assert asked_at[-1] >= asked_at[0] + 15
    assert said.count("<") == render(a_report(*(watched(n) for n in range(20)))).count("<")


def test_progress_counts_runs_looked_at_and_drawn():
    told: list[tuple[int, int]] = []
    list(chunks(a_dozen_runs(), max_runs=3, progress=lambda done, of: told.append((done, of))))
    assert told == [(n, 14) for n in range(1, 15)]


@pytest.mark.parametrize(
    ("low", "high"), [(0.0, 1.0), (-3.2, 8.1), (1e-9, 3e-9), (0.0, 1e150), (2.0, 2.0001)]
)
def test_ticks_are_round_and_inside(low: float, high: float):
    found = ticks.linear(low, high, 5)
    assert 2 <= len(found) <= 6
    assert all(low - 1e-9 * (high - low) <= each <= high * (1 + 1e-9) for each in found)


def test_labels_differ_where_ticks_do():
    assert ticks.labels([0.0, 0.5, 1.0]) == ["0", "0.5", "1"]
    assert ticks.labels([1e-4, 1.0]) == ["0.0001", "1"]
    assert ticks.labels([1.38802, 1.38804]) == ["1.38802", "1.38804"]
    assert ticks.labels([100000.25, 100000.5]) == ["100000.25", "100000.5"]
    assert ticks.labels([3.0]) == ["3"]
    assert ticks.labels([]) == []


def test_ticks_of_odd_ranges():
    assert ticks.linear(3.0, 3.0, 5) == [3.0]
    assert ticks.whole(1, 4, 7) == [1, 2, 3, 4]
    assert ticks.powers(1e-3, 1e3) == pytest.approx([1e-3, 1e-2, 1e-1, 1, 10, 100, 1000])
    assert len(ticks.powers(1e-300, 1e300)) <= 7
    assert ticks.powers(2.0, 3.0) == [2.0, 2.4, 3.0]


def test_a_rate_that_falls_to_nothing_is_no_reason_for_a_logarithm():
    assert wants_log([1e-9, *[0.5] * 99]) is False
    assert wants_log([1.0, 1.0, 1.0, 1e9]) is True
    assert wants_log([0.0, 1.0, 1e9]) is False
    assert wants_log([]) is False


def test_modules_become_one_script(tmp_path: Path):
    one, two = tmp_path / "one.js", tmp_path / "two.js"
    one.write_text("/* export function no() {} */\nexport function yes() {}\nexport const n = 1;\n")
    two.write_text(
        "import {yes, n as m} from './one.js';\nimport * as all from './one.js';\nyes(m);\n"
    )
    script = bundled([one, two])
    assert "const {yes, n: m} = modules['one.js'];" in script
    assert "const all = modules['one.js'];" in script
    assert "return {yes, n};" in script
    assert not re.search(r"^(import|export)\b", script, re.MULTILINE)
    with pytest.raises(ValueError, match=r"two.js imports one.js"):
        bundled([two, one])
    one.write_text("export default 3;\n")
    with pytest.raises(ValueError, match="cannot be bundled"):
        bundled([one])
