"""Every command, called as users call it: what it prints, what it writes, how it exits."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tbdiag import __version__
from tbdiag.cli import deliver
from tbdiag.cli.app import app
from tbdiag.cli.drawing import file_name
from tbdiag.detectors import registry
from tests.cli.builders import CALM, DIVERGED, HEALTHY, OVERFITTING, called, event_dir
from tests.journal.builders import a_diagnosis, a_journal, a_proposal
from tests.reading.eventfiles import NAME, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory, far from any configuration."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_scan_prints_the_findings_as_plain_text(here: Path, capsys: Captured) -> None:
    event_dir(here / "logs" / "bad")
    code, out, err = called(capsys, "scan", "logs")
    assert (code, err) == (0, "")
    assert "[GEN001] overfitting" in out
    assert "logs/bad" in out
    assert "\x1b" not in out
    assert max(map(len, out.splitlines())) <= 80


@pytest.mark.parametrize(
    ("curves", "fail_on", "expected"),
    [
        (DIVERGED, None, 1),
        (DIVERGED, "warning", 1),
        (DIVERGED, "never", 0),
        (OVERFITTING, None, 0),
        (OVERFITTING, "warning", 1),
        (HEALTHY, "warning", 0),
    ],
)
def test_the_exit_code_follows_the_worst_finding(
    here: Path, capsys: Captured, curves: dict[str, list[float]], fail_on: str | None, expected: int
) -> None:
    event_dir(here, curves)
    words = [] if fail_on is None else ["--fail-on", fail_on]
    code, _, _ = called(capsys, "scan", here, "--select", "NUM,GEN", *words)
    assert code == expected


def test_json_alone_goes_to_stdout(here: Path, capsys: Captured) -> None:
    event_dir(here / "bad")
    write(here / "empty" / NAME)
    code, out, err = called(capsys, "scan", ".", "--format", "json")
    assert (code, json.loads(out)["runs"][0]["path"]) == (0, "bad")
    assert err == "tbdiag: empty was not examined: it holds no scalars and no histograms\n"


def test_of_many_unexamined_paths_json_names_the_first(here: Path, capsys: Captured) -> None:
    event_dir(here / "bad")
    for number in range(12):
        write(here / f"empty{number:02d}" / NAME)
    _, out, err = called(capsys, "scan", ".", "--format", "json")
    assert len(json.loads(out)["unread"]) == 12
    assert len(err.splitlines()) == 9
    assert err.endswith("tbdiag: 4 more paths were not examined\n")


def test_of_two_formats_text_stays_and_json_is_saved(here: Path, capsys: Captured) -> None:
    event_dir(here / "bad")
    for _ in range(2):  # the second replaces the first one's file
        code, out, _ = called(capsys, "scan", "bad", "--format", "text,json", "-o", "r.json")
        assert (code, "GEN001" in out) == (0, True)
        assert json.loads((here / "r.json").read_text("utf-8"))["schema"] == 1
    assert sorted(each.name for each in here.iterdir()) == ["bad", "r.json"]


@pytest.mark.parametrize("form", [form for form in deliver.FORMATS if form != "text"])
def test_each_format_goes_to_stdout_or_to_a_file(form: str, here: Path, capsys: Captured) -> None:
    event_dir(here / "bad")
    _, out, _ = called(capsys, "scan", "bad", "--format", form)
    assert "GEN001" in out
    for _ in range(2):  # the second replaces the first one's file
        assert called(capsys, "scan", "bad", "--format", form, "-o", "r")[:2] == (0, "")
    assert (here / "r").read_text("utf-8") == out


def test_a_text_report_in_a_file_is_plain_and_may_be_replaced(here: Path, capsys: Captured) -> None:
    event_dir(here / "bad")
    for _ in range(2):
        assert called(capsys, "scan", "bad", "--output", "r.txt")[:2] == (0, "")
    text = (here / "r.txt").read_text("utf-8")
    assert text.startswith(f"tbdiag {__version__}\n")
    assert "GEN001" in text
    assert "\x1b" not in text


def test_an_event_file_or_a_strangers_file_is_never_overwritten(
    here: Path, capsys: Captured
) -> None:
    event_dir(here / "bad")
    stranger = here / "package.json"
    stranger.write_text('{"name": "tbdiag"}')
    for target in (here / "bad" / NAME, stranger, here / "bad"):
        before = target.read_bytes() if target.is_file() else b""
        code, _, err = called(capsys, "scan", "bad", "--format", "json", "-o", target)
        assert (code, err.count("\n")) == (2, 1)
        assert not target.is_file() or target.read_bytes() == before
    assert called(capsys, "scan", "bad", "-o", "no/such/folder.txt")[0] == 2
    assert sorted(each.name for each in here.iterdir()) == ["bad", "package.json"]


def test_show_passed_tells_of_quiet_rules(here: Path, capsys: Captured) -> None:
    event_dir(here / "good", HEALTHY)
    assert "GEN001" not in called(capsys, "scan", ".")[1]
    assert "GEN001" in called(capsys, "scan", ".", "--show", "passed")[1]


def test_select_ignore_and_config_reach_the_scan(here: Path, capsys: Captured) -> None:
    event_dir(here / "logs" / "bad")
    (here / "mine.toml").write_text('logdir = "logs"\nselect = ["GEN"]\n')
    words = ("scan", "--config", "mine.toml", "--format", "json")
    (run,) = json.loads(called(capsys, *words)[1])["runs"]
    assert (run["outcomes"]["GEN001"], run["outcomes"]["NUM001"]) == ("fired", "skipped")
    (run,) = json.loads(called(capsys, *words, "--select", "NUM001,GEN001")[1])["runs"]
    assert (run["outcomes"]["GEN002"], run["outcomes"]["NUM001"]) == ("skipped", "passed")
    (run,) = json.loads(called(capsys, *words, "--ignore", "overfitting")[1])["runs"]
    assert run["outcomes"]["GEN001"] == "ignored"


def test_plots_draws_each_run_with_findings(here: Path, capsys: Captured) -> None:
    for name in ("a b", "a/b"):
        event_dir(here / "logs" / name)
    event_dir(here / "logs" / "good", CALM)
    for _ in range(2):
        code, _, err = called(capsys, "scan", "logs", "--select", "GEN", "--plots", "out/plots")
        assert (code, err) == (0, "")
    drawn = sorted((here / "out" / "plots").iterdir())
    assert [each.name for each in drawn] == ["a_b-2.tbdiag.png", "a_b.tbdiag.png"]
    assert all(each.read_bytes().startswith(b"\x89PNG") for each in drawn)


def test_plot_names_run_and_file(here: Path, capsys: Captured) -> None:
    run = event_dir(here / "logs" / "lr1e-2")
    assert called(capsys, "plot", run) == (0, "lr1e-2.png\n", "")
    plain = (here / "lr1e-2.png").read_bytes()
    assert plain.startswith(b"\x89PNG")

    code, _, err = called(capsys, "plot", run, "--findings")
    assert (code, "--force" in err) == (2, True)
    assert (here / "lr1e-2.png").read_bytes() == plain
    assert called(capsys, "plot", run / NAME, "-o", "lr1e-2.png", "--force", "--findings")[0] == 0
    assert (here / "lr1e-2.png").read_bytes() != plain


@pytest.mark.parametrize(("name", "magic"), [("c.svg", b"<?xml"), ("c.PDF", b"%PDF")])
def test_plot_writes_the_form_of_the_suffix(
    here: Path, capsys: Captured, name: str, magic: bytes
) -> None:
    event_dir(here / "run")
    assert called(capsys, "plot", ".", "-o", name) == (0, f"{name}\n", "")
    assert (here / name).read_bytes().startswith(magic)


def test_plot_refuses_what_it_cannot_do_in_one_sentence(here: Path, capsys: Captured) -> None:
    event_dir(here / "logs" / "a")
    event_dir(here / "logs" / "b")
    event_dir(here / "odd", {"something": [1.0, 2.0]})
    cases = {
        ("logs",): "tbdiag: logs holds 2 runs, name one of them: a, b\n",
        ("logs/a", "-o", "a.gif"): "tbdiag: a.gif must end in .png, .svg or .pdf\n",
        ("nowhere",): "tbdiag: nowhere does not exist\n",
        ("logs/a", "--force", "-o", f"no/{NAME}.png"): f"tbdiag: no/{NAME}.png cannot be written",
    }
    for words, expected in cases.items():
        code, _, err = called(capsys, "plot", *words)
        assert (code, err.count("\n")) == (2, 1)
        assert err.startswith(expected)
    (here / "tfevents.png").write_bytes(b"")
    assert called(capsys, "plot", "logs/a", "-o", "tfevents.png", "--force")[0] == 2
    code, _, err = called(capsys, "plot", "odd")
    assert (code, err.startswith("tbdiag: odd cannot be plotted: ")) == (2, True)


def test_rules_lists_every_rule(capsys: Captured) -> None:
    code, out, _ = called(capsys, "rules")
    assert code == 0
    assert all(rule.code in out for rule in registry.every_rule())


def test_rules_explains_each_rule_with_pictures_of_its_samples(capsys: Captured) -> None:
    for rule in registry.every_rule():
        code, out, _ = called(capsys, "rules", rule.code.lower())
        assert (code, "How it is detected" in out) == (0, True)
    assert "fires on" in called(capsys, "rules", "overfitting")[1]


def test_the_version_is_one_line(capsys: Captured) -> None:
    assert called(capsys, "--version") == (0, f"tbdiag {__version__}\n", "")


@pytest.mark.parametrize("command", ["scan", "compare", "plot", "rules"])
def test_help_keeps_its_examples_as_they_stand(command: str) -> None:
    done = CliRunner().invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert f"\n    tbdiag {command}" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80


def test_completion_can_be_installed() -> None:
    assert "--install-completion" in CliRunner().invoke(app, ["--help"]).stdout


@pytest.mark.parametrize("words", [["scan", "--nonsense"], ["scna"], ["scan", "--fail-on", "x"]])
def test_a_wrong_call_exits_with_2(words: list[str]) -> None:
    assert CliRunner().invoke(app, words).exit_code == 2


def test_file_names_are_safe_on_every_system_and_unique() -> None:
    taken: set[str] = set()
    names = [
        file_name(run, taken, ".png")
        for run in ("../../etc/x", "a\\b:c", "A_B_C", "con", "", "x\x1b[31m", "é" * 3, "y" * 300)
    ]
    assert names == [
        "etc_x.png", "a_b_c.png", "A_B_C-2.png", "_con.png", "run.png", "x_31m.png", "run-2.png",
        f"{'y' * 100}.png",
    ]  # fmt: skip


def test_an_unknown_format_is_refused_with_the_nearest() -> None:
    with pytest.raises(deliver.RequestError, match='no format "jsn"; did you mean "json"'):
        deliver.targets("text,jsn", None)
    with pytest.raises(deliver.RequestError, match='no format ""'):
        deliver.targets(" ,", None)
    assert deliver.targets("json,JSON", Path("r")) == [("json", Path("r"))]


def test_journal_shows_what_was_tried(here: Path, capsys: Captured) -> None:
    book = a_journal(here / "logs")
    book.diagnosed(a_diagnosis())
    book.proposed(a_proposal())
    for words in (("logs",), (), ("logs/.tbdiag/journal.jsonl",)):
        code, out, err = called(capsys, "journal", *words)
        assert (code, err) == (0, "")
        assert out.startswith("1 follow-up: 1 waiting\n")
        assert "change: lr 1 → 0.1" in out
        assert "\x1b" not in out
    assert json.loads(called(capsys, "journal", "--format", "json")[1])["schema"] == 1
    for form, head in (("markdown", "<!-- tbdiag"), ("csv", "id,parent,")):
        words = ("journal", "--format", f"text,{form}", "-o", f"tried.{form}")
        assert called(capsys, *words)[1].startswith("1 follow-up")
        assert (here / f"tried.{form}").read_text("utf-8").startswith(head)
    words = ("journal", "--format", "markdown", "-o", "tried.markdown")
    assert called(capsys, *words) == (0, "", "")  # its own file it may replace
    code, _, err = called(capsys, "journal", "--format", "csv", "-o", "tried.csv")
    assert (code, "is no report of tbdiag" in err) == (2, True)
    assert called(capsys, "journal", "--format", "csv", "-o", "tried.csv", "--force")[0] == 0


def test_journal_refuses_what_is_none_in_one_sentence(here: Path, capsys: Captured) -> None:
    event_dir(here / "logs" / "a")
    (here / "notes.txt").write_text("to do\n")
    cases = {
        ("logs",): "tbdiag: logs has no journal: no follow-up run was tried there\n",
        ("nowhere",): "tbdiag: nowhere does not exist\n",
        ("notes.txt",): "tbdiag: notes.txt is no journal\n",
        ("--format", "csv,json"): "tbdiag: choose one format, or text and one other\n",
        ("--format", "xml"): 'tbdiag: there is no format "xml"; choose among text, markdown, json',
    }
    for words, expected in cases.items():
        code, out, err = called(capsys, "journal", *words)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(expected)
