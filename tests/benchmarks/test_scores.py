"""The arithmetic of right and wrong, on labels and answers made by hand."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.diagnosis import beside, gallery, scores, silence
from benchmarks.diagnosis.answers import Answer, Judged, Statement, ours
from benchmarks.diagnosis.intervals import clustered, wilson
from benchmarks.diagnosis.labels import Facts, Label, read
from benchmarks.diagnosis.scores import Sized, Verdict
from benchmarks.diagnosis.silence import Silence
from tbdiag.model.finding import Confidence, Severity
from tbdiag.signals.samples import SetSize

SAMPLES = Path(__file__).parents[2] / "sample_logs"


def a_label(
    kind: str = "fault",
    codes: str = "GEN001",
    related: str = "",
    problem: str = "digits",
    family: str = "overfitting",
    **facts: object,
) -> Label:
    return Label(
        run=f"report/numpy/{problem}/{family}-s0",
        part="report",
        setting="numpy",
        problem=problem,
        family=family,
        kind=kind,
        codes=frozenset(codes.split()) if kind == "fault" else frozenset(),
        related=frozenset(related.split()),
        facts=Facts(**facts),  # type: ignore[arg-type]
    )


def said(code: str, severity: str = "warning", confidence: str | None = None) -> Statement:
    return Statement(
        codes=frozenset(code.split("/")),
        severity=Severity(severity),
        confidence=None if confidence is None else Confidence(confidence),
    )


def answer(*statements: Statement, **more: object) -> Answer:
    return Answer(statements=statements, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("statements", "expected"),
    [
        ([said("GEN001")], Verdict.NAMED),
        ([said("OPT001"), said("GEN001", "note")], Verdict.NAMED),  # at any place and severity
        ([said("OPT001/GEN001")], Verdict.NAMED),  # a message with several meanings
        ([said("OPT001")], Verdict.WRONG),
        ([said("OPT001", "note")], Verdict.SILENT),  # a note is no alarm
        ([said("VAL002")], Verdict.SILENT),  # related, so that it is true
        ([], Verdict.SILENT),
    ],
)
def test_an_answer_names_the_fault_or_another_or_none(
    statements: list[Statement], expected: Verdict
) -> None:
    label = a_label(codes="GEN001 GEN004", related="VAL002")
    assert scores.verdict(label, answer(*statements)) is expected


def test_what_is_a_consequence_does_not_count() -> None:
    hidden = answer(hidden=(said("GEN001"), said("OPT003", "error")))
    assert scores.verdict(a_label(), hidden) is Verdict.SILENT
    assert not scores.cries(a_label("healthy"), hidden, Severity.WARNING)


def test_only_the_foremost_statement_is_first() -> None:
    assert scores.first_right(a_label(), answer(said("GEN001"), said("OPT001")))
    assert not scores.first_right(a_label(), answer(said("OPT001"), said("GEN001")))
    assert not scores.first_right(a_label(), answer())


def test_a_healthy_run_cries_at_the_severity_asked_for_or_above() -> None:
    trap = a_label("trap", related="VAL001", family="dropout-gap")
    for statements, error, warning in (
        ([said("GEN001", "error")], True, True),
        ([said("GEN001", "warning")], False, True),
        ([said("GEN001", "note")], False, False),
        ([said("VAL001", "error")], False, False),
    ):
        assert scores.cries(trap, answer(*statements), Severity.ERROR) is error
        assert scores.cries(trap, answer(*statements), Severity.WARNING) is warning


def judged() -> list[Judged]:
    """Three overfit runs, one with a high rate, two healthy ones."""
    return [
        (a_label(), answer(said("GEN001", confidence="high"))),
        (
            a_label(related="VAL002", problem="moons"),
            answer(said("OPT001", "error", "medium"), said("VAL002", confidence="high")),
        ),
        (a_label(), answer(said("OPT006", "note", "high"))),
        (
            a_label(codes="OPT001 NUM002", family="rate-too-high"),
            answer(said("OPT001", confidence="medium"), said("GEN001", confidence="high")),
        ),
        (a_label("healthy", family="healthy"), answer(said("OPT001"), said("GEN001", "note"))),
        (a_label("trap", family="dropout-gap"), answer()),
    ]


def test_families_count_named_first_wrong_and_precise() -> None:
    high, low = scores.by_family(judged())[::-1]
    assert (high.family, low.family) == ("rate-too-high", "overfitting")
    assert (low.recall.hits, low.recall.total, low.first.hits) == (1, 3, 1)
    assert (low.wrong, low.silent, low.tasks) == (1, 1, 2)
    assert low.mistaken == (("OPT001", 1),)
    # GEN001 was said of an overfit run, of one with a high rate, and of a healthy one.
    assert (low.precision.hits, low.precision.total) == (1, 3)
    assert (high.recall.hits, high.precision.hits, high.precision.total) == (1, 1, 3)


def test_what_is_true_elsewhere_does_not_harm_the_precision_of_a_family() -> None:
    beside = a_label(codes="OPT001", related="GEN001", family="rate-too-high")
    (overfitting, _) = scores.by_family(
        [(a_label(), answer(said("GEN001"))), (beside, answer(said("GEN001")))]
    )
    assert (overfitting.precision.hits, overfitting.precision.total) == (2, 2)


def test_rules_count_what_their_findings_are_worth() -> None:
    gen, opt, val = scores.by_rule(judged(), ["GEN001", "OPT001", "VAL002"])
    assert (gen.naming, gen.related, gen.unrelated, gen.alarms, gen.loud_alarms) == (1, 0, 1, 1, 0)
    assert (gen.recall.hits, gen.recall.total) == (1, 3)
    assert (opt.naming, opt.unrelated, opt.alarms, opt.loud_alarms) == (1, 1, 1, 1)
    assert (opt.precision.hits, opt.precision.total) == (1, 3)
    assert (val.related, val.precision.hits, val.recall.total) == (1, 1, 0)


def test_statements_are_counted_once_each_and_notes_not_at_all() -> None:
    counted = scores.statements(judged())
    assert (counted.naming, counted.related, counted.unrelated, counted.alarms) == (2, 1, 2, 1)
    assert (counted.precision.hits, counted.precision.total) == (3, 6)


def test_confidence_is_judged_by_what_is_true() -> None:
    found = scores.by_confidence(judged())
    assert (found[Confidence.HIGH, True].hits, found[Confidence.HIGH, True].total) == (2, 3)
    assert (found[Confidence.MEDIUM, True].hits, found[Confidence.MEDIUM, True].total) == (1, 2)
    assert (found[Confidence.HIGH, False].hits, found[Confidence.HIGH, False].total) == (0, 1)


def test_longer_training_is_judged_only_where_it_was_tried() -> None:
    runs = [
        (a_label(longer_helps=True), answer(said("OPT006", "note"))),
        (a_label(longer_helps=True), answer(hidden=(said("OPT006", "note"),))),
        (a_label("healthy", longer_helps=False), answer(said("OPT006", "note"))),
        (a_label(longer_helps=None), answer(said("OPT006", "note"))),
    ]
    told = scores.longer(runs, "OPT006")
    assert (told.precision.hits, told.precision.total) == (1, 2)
    assert (told.recall.hits, told.recall.total) == (1, 2)
    assert scores.longer(runs, "OPT006", hidden=True).recall.hits == 2


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (SetSize(40, 40), Sized.EXACT),
        (SetSize(80, 80), Sized.WRONG),
        (SetSize(30, 50), Sized.UNKNOWN),
        (SetSize(41, 50), Sized.WRONG),
        (None, Sized.UNKNOWN),
    ],
)
def test_a_size_is_exact_unknown_or_wrong(found: SetSize | None, expected: Sized) -> None:
    label = a_label(validation_samples=40)
    assert scores.sized(label, answer(reported=found), reported=True) is expected
    assert scores.sized(label, answer(inferred=found), reported=False) is expected
    assert scores.sized(a_label(), answer(inferred=found), reported=False) is None


def test_the_interval_of_wilson() -> None:
    # Brown, Cai and DasGupta (2001): 1 of 10 gives 0.018 … 0.404
    share = wilson(1, 10)
    assert (share.value, round(share.low, 3), round(share.high, 3)) == (0.1, 0.018, 0.404)
    assert str(share) == "10% (2%–40%)"
    assert math.isnan(wilson(0, 0).value)
    assert str(wilson(0, 0)) == "–"


def test_runs_that_are_alike_within_a_problem_count_for_less() -> None:
    apart = clustered([True, False] * 20, [str(i) for i in range(40)])
    alike = clustered([True, False] * 20, ["a", "b"] * 20)
    assert apart.value == alike.value == 0.5
    assert (alike.low, alike.high) == (0.0, 1.0)
    assert apart.low > 0.3
    assert clustered([True] * 9, ["a", "b", "c"] * 3).low == wilson(9, 9).low


def test_every_table_is_whole() -> None:
    section = gallery.section(judged(), "report")
    assert "6 runs on 2 problems" in section.parts[0]
    total = dict(gallery.total(judged()).rows)
    assert total["faults named"].startswith("50% (")
    assert total["healthy runs and traps with a warning or error"].startswith("50% (")
    assert total["… naming the fault / related / unrelated / on healthy runs"] == "2 / 1 / 2 / 1"
    listing = "\n".join(gallery.listing(judged()))
    assert "WRONG\treport/numpy/moons/overfitting-s0" in listing
    assert "SILENT\treport/numpy/digits/overfitting-s0" in listing
    assert "ALARM\treport/numpy/digits/healthy-s0" in listing


def test_a_suspicion_counts_by_itself_where_nothing_else_names_the_fault() -> None:
    sure = said("GEN001", "note", "low")
    alike, other = replace(sure, suspected=True), replace(said("OPT001", "note"), suspected=True)
    assert scores.only_suspected(a_label(), answer(alike, other))
    assert not scores.only_suspected(a_label(), answer(alike, sure))
    assert not scores.only_suspected(a_label(), answer(other))
    assert scores.wrongly_suspected(a_label(), answer(alike, other))
    assert not scores.wrongly_suspected(a_label(), answer(alike, said("OPT001", "note")))


def test_tools_together_name_what_one_of_them_names() -> None:
    label, trap = a_label(), a_label("trap", family="dropout-gap")
    both = beside.together(
        [
            [(label, answer(said("OPT001"))), (trap, answer())],
            [(label, answer(said("GEN001", "error"))), (trap, answer(said("GEN001")))],
        ]
    )
    assert [scores.verdict(*both[0]), scores.first_right(*both[0])] == [Verdict.NAMED, True]
    assert scores.cries(*both[1], Severity.WARNING)


def test_the_comparison_has_a_row_for_each_tool_and_kind() -> None:
    everyone = {"tbdiag": judged(), "other": [(label, answer()) for label, _ in judged()]}
    assert [row[0] for row in beside.overall(everyone).rows] == ["tbdiag", "other"]
    kinds = {row[0]: row[1:] for row in beside.by_kind(everyone).rows}
    assert kinds == {
        "overfitting": ("3", "33%", "0%"),
        "rate-too-high": ("1", "100%", "0%"),
        "all": ("4", "50%", "0%"),
    }


def test_a_fault_belongs_to_the_family_of_the_rule_that_is_there_for_it() -> None:
    spikes = a_label(codes="NUM004 OPT001", family="loss-spikes")  # by any code, for NUM
    ours = [*judged(), (spikes, answer(said("OPT001")))]
    everyone = {"tbdiag": ours, "other": [(label, answer(said("GEN001"))) for label, _ in ours]}
    table = beside.by_family(everyone)
    assert table.head == ("family", "runs", "tbdiag", "other")
    assert {row[0]: row[1:] for row in table.rows} == {
        "GEN": ("3", "33%", "100%"),
        "NUM": ("1", "100%", "0%"),
        "OPT": ("1", "100%", "0%"),
        "all": ("5", "60%", "60%"),
    }


def entry(**changes: object) -> dict[str, object]:
    made: dict[str, object] = {
        "run": "report/digits/moons/healthy-s0",
        "part": "report",
        "setting": "digits",
        "problem": "moons",
        "family": "healthy",
        "kind": "healthy",
        "strength": "",
        "seed": 0,
        "codes": [],
        "related": ["VAL001"],
        "facts": {"validation_samples": 120, "longer_helps": None, "classes": 2},
    }
    return made | changes


def test_labels_are_read_for_one_part(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps([entry(), entry(part="calibration")]))
    (label,) = read(tmp_path, "report")
    assert (label.task, label.related, label.facts.validation_samples) == (
        "digits/moons",
        frozenset({"VAL001"}),
        120,
    )


@pytest.mark.parametrize("wrong", [{"codes": ["GEN001"]}, {"kind": "fault"}])
def test_a_label_that_contradicts_itself_is_refused(
    tmp_path: Path, wrong: dict[str, object]
) -> None:
    (tmp_path / "labels.json").write_text(json.dumps([entry(**wrong)]))
    with pytest.raises(ValueError, match="with codes"):
        read(tmp_path, "report")


def test_a_real_run_is_answered() -> None:
    found = ours(SAMPLES / "overfitting")
    assert found.statements[0].codes == {"GEN001"}
    assert found.failed == ""
    assert (found.inferred, found.reported) == (SetSize(797, 797), None)
    assert ours(SAMPLES / "tiny-validation").reported == SetSize(40, 40)
    assert ours(SAMPLES.parent / "docs").failed == "nothing could be read"


def test_a_fault_that_is_not_named_was_left_open_or_missed() -> None:
    label = a_label(codes="GEN001 GEN005")
    for outcome, expected in (
        ("not-applicable", Silence.OPEN),
        ("skipped", Silence.OPEN),
        ("passed", Silence.MISSED),
        ("fired", Silence.MISSED),  # only as a consequence of something else
    ):
        # That another rule which could name it passed is no miss, nor that it could not tell an excuse.
        other = "passed" if expected is Silence.OPEN else "not-applicable"
        told = answer(outcomes={"GEN001": outcome, "GEN005": other})
        assert silence.silence(label, told) is expected
    named = answer(said("GEN005"), outcomes={"GEN001": "passed"})
    assert silence.silence(label, named) is Silence.NAMED


def test_the_split_adds_up_and_counts_each_detail() -> None:
    named, told = answer(said("GEN001")), answer(outcomes={"GEN001": "not-applicable"})
    judged: list[Judged] = [
        (replace(a_label(), detail="usual"), named),
        (replace(a_label(), detail="usual"), answer(outcomes={"GEN001": "passed"})),
        (replace(a_label(), detail="sparse"), told),
        (replace(a_label("healthy"), detail="usual"), told),
    ]
    rows = {row[0]: [cell.split()[0] for cell in row[1:]] for row in silence.split(judged).rows}
    assert rows == {
        "all": ["3", "33%", "33%", "33%"],
        "logged as usual": ["2", "50%", "0%", "50%"],
        "hardly anything logged": ["1", "0%", "100%", "0%"],
    }


def test_healthy_runs_are_cleared_by_the_rules_for_faults_alone() -> None:
    told = {"GEN001": "passed", "OPT002": "not-applicable", "RLX001": "skipped", "OPT009": "passed"}
    healthy = (replace(a_label("healthy"), detail="usual"), answer(outcomes=told))
    (row,) = silence.cleared([healthy, (a_label(), answer(outcomes=told))]).rows
    assert row == ("logged as usual", "1", "0.0%", "66.7%", "33.3%")


def test_the_answers_of_the_rules_are_kept() -> None:
    outcomes = ours(SAMPLES / "overfitting").outcomes
    assert outcomes["GEN001"] == "fired"
    assert outcomes["RLX001"] in ("skipped", "not-applicable")
    assert "passed" in outcomes.values()
