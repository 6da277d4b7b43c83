"""What the terminal view promises: calm, narrow, honest, and deaf to what hostile files say."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tbdiag.model.finding import Confidence, Evidence, Finding, Measure, Severity
from tbdiag.model.knob import Knob
from tbdiag.model.remedy import Change, Remedy, Scale, SetTo, Shift, Within
from tbdiag.model.report import Crashed, Ignored, NotApplicable, Report, RunReport
from tbdiag.model.role import Role, RoleMap
from tbdiag.views.terminal import render
from tbdiag.views.text import cells
from tests.views.builders import a_dozen_runs, a_finding, a_report, a_run, a_run_report

Golden = Callable[[str, str], None]
ESCAPE = re.compile(r"\x1b\[[0-9;]*m")
U_TURN = {"loss/val": np.concatenate([np.linspace(2, 0.5, 115), np.linspace(0.5, 1.24, 180)])}


def plain(report: Report, **options: object) -> str:
    return render(report, **{"color": False, **options})


def test_a_dozen_runs_at_80_columns(golden: Golden) -> None:
    golden("terminal-80.txt", plain(a_dozen_runs()))


def test_a_dozen_runs_at_120_columns(golden: Golden) -> None:
    golden("terminal-120.txt", plain(a_dozen_runs(), width=120))


def test_a_dozen_runs_in_ascii(golden: Golden) -> None:
    text = plain(a_dozen_runs(), ascii=True)
    assert text.isascii()
    golden("terminal-ascii.txt", text)


def test_what_every_rule_answered(golden: Golden) -> None:
    golden("terminal-passed.txt", plain(a_dozen_runs(), show_passed=True))


def test_color_adds_escape_sequences_and_nothing_else() -> None:
    colored = render(a_dozen_runs(), color=True)
    assert "\x1b[1;31merror" in colored
    assert ESCAPE.sub("", colored) == plain(a_dozen_runs())
    assert "\x1b" not in plain(a_dozen_runs())


def test_the_environment_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = render(a_dozen_runs(), color=True), plain(a_dozen_runs())
    for name, value in {
        "NO_COLOR": "1",
        "FORCE_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "7",
    }.items():
        monkeypatch.setenv(name, value)
    assert (render(a_dozen_runs(), color=True), plain(a_dozen_runs())) == expected


anything = st.text(st.characters(exclude_categories=()), max_size=90)


@st.composite
def hostile_reports(draw: st.DrawFn) -> Report:
    tag = draw(anything)
    run = a_run(draw(anything), {tag: [3, 2, np.nan, 1]}, hparams={draw(anything): draw(anything)})
    run = replace(run, roles=RoleMap(ambiguous={Role.VAL_LOSS: (draw(anything), tag)}))
    finding = a_finding(
        name=draw(anything),
        message=draw(anything),
        tag=tag,
        span=(draw(st.integers(-9, 9)), 3),
        note=draw(anything),
        measures=[Measure(draw(anything), draw(st.floats()), "<", draw(st.floats()))],
        remedies=[Remedy.advice(draw(anything), "…")],
        also=[Evidence(tag=draw(anything), span=(1, 2), note=draw(anything))],
    )
    other = a_finding("X", draw(anything), draw(anything), tag=tag, suppressed_by=draw(anything))
    outcomes = {
        "GRD001": NotApplicable(f"no {draw(anything)} was logged"),
        draw(anything): Crashed(draw(anything)),
    }
    return a_report(
        a_run_report(run, [finding, other], outcomes),
        a_run_report(a_run(draw(anything))),
        search=[finding],
        unread=[(draw(anything), draw(anything))],
    )


@given(hostile_reports(), st.sampled_from([40, 61, 80]), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_hostile_text_stays_text_in_narrow_lines(
    report: Report, width: int, ascii_: bool, show: bool
) -> None:
    text = plain(report, width=width, ascii=ascii_, show_passed=show)
    kinds = {unicodedata.category(char)[0] for char in text.replace("\n", "")}
    assert kinds <= {"L", "M", "N", "P", "S", "Z"}
    assert max(cells(line) for line in text.split("\n")) <= width
    colored = render(report, color=True, width=width, ascii=ascii_, show_passed=show)
    assert ESCAPE.sub("", colored) == text


def test_rich_markup_in_names_is_not_interpreted() -> None:
    run = a_run("[bold]x[/bold]")
    text = render(a_report(a_run_report(run, [a_finding(message="[red]a[/] :smile:")])), color=True)
    assert "[bold]x[/bold]" in text
    assert "[red]a[/] :smile:" in text


def test_the_worst_runs_come_first() -> None:
    def ill(name: str, *severities: Severity) -> RunReport:
        return a_run_report(a_run(name), [a_finding(severity=each) for each in severities])

    text = plain(
        a_report(
            ill("only-notes", Severity.NOTE, Severity.NOTE),
            ill("one-error", Severity.ERROR),
            ill("warned", Severity.WARNING),
            ill("error-and-warning", Severity.ERROR, Severity.WARNING),
        )
    )
    places = [text.index(n) for n in ("error-and-warning", "one-error", "warned", "only-notes")]
    assert places == sorted(places)


def test_the_span_is_underlined_where_it_lies() -> None:
    lines = plain(a_report(a_run_report(a_run("a", U_TURN), [a_finding(span=(236, 295))])))
    rows = lines.splitlines()
    at = next(n for n, row in enumerate(rows) if "^" in row)
    blocks = [n for n, char in enumerate(rows[at - 1]) if char in "▁▂▃▄▅▆▇█"]
    marked = [n for n, char in enumerate(rows[at]) if char == "^"]
    assert marked[-1] == blocks[-1]
    assert len(marked) == pytest.approx(len(blocks) / 5, abs=1)
    assert "steps 236–295" in rows[at]


def turned(remedy_change: Change, knob: Knob, **hparams: float | str) -> str:
    remedy = Remedy.turn(knob, remedy_change, "Turn it", "…")
    run = a_run("a", U_TURN, hparams=hparams)
    text = plain(a_report(a_run_report(run, [a_finding(remedies=[remedy])])))
    return next(line for line in text.splitlines() if "next:" in line).strip()


def test_the_remedy_says_from_which_value_to_which() -> None:
    assert turned(Scale(0.1), Knob.LR, lr=0.3) == "next: Turn it (lr 0.3 → 0.03)"
    assert turned(Scale(0.1), Knob.LR, learning_rate=0.3).endswith("(learning_rate 0.3 → 0.03)")
    assert turned(Scale(1.5), Knob.EPOCHS, epochs=25) == "next: Turn it (epochs 25 → 38)"
    assert turned(Shift(0.1, 0, 0.5), Knob.DROPOUT, dropout=0.45).endswith("(dropout 0.45 → 0.5)")
    assert turned(SetTo("cosine"), Knob.SCHEDULER, scheduler="constant").endswith(
        "(scheduler constant → cosine)"
    )


def test_the_remedy_says_no_value_that_it_does_not_know() -> None:
    assert turned(Scale(0.1), Knob.LR, batch_size=3) == "next: Turn it"
    assert turned(Scale(0.1), Knob.LR, lr="auto") == "next: Turn it"
    assert turned(Within(1, 2), Knob.LR, lr=1.0) == "next: Turn it"


def test_only_the_first_remedy_is_shown() -> None:
    remedies = [Remedy.advice("Do this", "…"), Remedy.advice("Do that", "…")]
    text = plain(a_report(a_run_report(a_run("a", U_TURN), [a_finding(remedies=remedies)])))
    assert "next: Do this" in text
    assert "Do that" not in text


def consequence(code: str, name: str, by: str) -> Finding:
    return a_finding(code, name, "unseen", severity=Severity.ERROR, suppressed_by=by)


def test_consequences_take_one_line_below_their_root_and_are_not_counted() -> None:
    findings = [a_finding(), consequence("OPT005", "plateau", "GEN001")]
    text = plain(a_report(a_run_report(a_run("a", U_TURN), findings)))
    assert "also explained by this: plateau (OPT005)" in text
    assert "unseen" not in text
    assert "Found 1 warning in 1 run" in text


def test_a_consequence_without_its_root_is_still_told() -> None:
    findings = [a_finding(), consequence("OPT005", "plateau", "NUM001")]
    text = plain(a_report(a_run_report(a_run("a", U_TURN), findings)))
    assert "also: plateau (OPT005), explained by NUM001" in text


def test_a_quiet_run_differs_from_a_blind_one() -> None:
    blind = RunReport(run=a_run("blind"), outcomes={"A": NotApplicable("no loss was logged")})
    text = plain(a_report(a_run_report(a_run("quiet")), blind))
    assert re.search(r"^ok  quiet +3 rules passed$", text, re.MULTILINE)
    assert re.search(r"^\?\?  blind +0 rules passed, 1 could not tell$", text, re.MULTILINE)
    assert text.endswith("Found no findings in 2 runs\n1 run that no rule could judge\n")


def test_many_healthy_runs_are_counted() -> None:
    text = plain(a_report(*(a_run_report(a_run(f"run-{n}")) for n in range(40))))
    assert text == "ok  40 runs without findings\n\nFound no findings in 40 runs\n"


def test_five_hundred_runs_fold() -> None:
    ill = [a_run_report(a_run(f"{n:03d}", U_TURN), [a_finding()]) for n in range(500)]
    text = plain(a_report(*ill))
    assert text.count("validation loss is") == 20
    assert text.count("\n") < 250
    assert "and 450 more runs with findings" in text
    assert re.search(r"warning GEN001  overfitting +500 runs", text)
    assert plain(a_report(*ill), top=2).count("validation loss is") == 2
    assert plain(a_report(*ill), top=0).count("validation loss is") == 0


def test_what_to_log_is_ranked_by_what_it_would_tell() -> None:
    outcomes = {
        "A1": NotApplicable("no gradient norm was logged"),
        "A2": NotApplicable("no gradient norm was logged"),
        "A3": NotApplicable("no learning rate was logged"),
        "A4": NotApplicable("the training loss has 3 usable points; 8 are needed"),
    }
    text = plain(a_report(*(a_run_report(a_run(f"{n}"), (), outcomes) for n in range(3))))
    tail = text[text.index("4 rules could not tell") :].splitlines()
    assert tail[0] == "4 rules could not tell in some runs; worth logging:"
    assert re.fullmatch(r"  gradient norm +2 rules in 3 runs", tail[1])
    assert re.fullmatch(r"  learning rate +1 rule in 3 runs", tail[2])


def test_answers_are_grouped_by_reason() -> None:
    outcomes = {
        "GRD001": NotApplicable("no gradient norm was logged"),
        "GRD002": NotApplicable("no gradient norm was logged"),
        "OPT008": Ignored("warm-up ablation"),
    }
    text = plain(a_report(a_run_report(a_run("a"), (), outcomes)), show_passed=True)
    assert "  passed: NUM001 OPT001 OPT004\n" in text
    assert "  could not tell: no gradient norm was logged: GRD001 GRD002\n" in text
    assert "  ignored: warm-up ablation: OPT008\n" in text


def test_a_finding_on_a_curve_that_is_not_there_is_told_in_words() -> None:
    finding = a_finding(tag="weights/0", note="identical throughout", confidence=Confidence.LOW)
    text = plain(a_report(a_run_report(a_run("a"), [finding])))
    assert "see weights/0, identical throughout" in text
    assert "low confidence" in text


def test_ambiguous_roles_are_told() -> None:
    roles = RoleMap(ambiguous={Role.VAL_METRIC: ("top1", "top5")})
    run = replace(a_run("a"), roles=roles)
    text = plain(a_report(a_run_report(run, [a_finding()])))
    assert "the validation metric could be top1, top5; name it under [roles]" in text


def test_of_many_findings_about_the_search_the_first_are_shown() -> None:
    report = a_report(a_run_report(a_run(), []), search=[a_finding() for _ in range(60)])
    text = render(report, color=False)
    assert text.count("[GEN001]") == 8
    assert "and 52 more findings about the search" in text
    whole = render(report, color=False, show_passed=True)
    assert whole.count("[GEN001]") == 60
