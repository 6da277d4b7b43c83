"""``tbdiag report`` as people call it."""

from __future__ import annotations

import html
import re
import shlex
import subprocess
import sys
import webbrowser
from pathlib import Path

import pytest

import tbdiag
from tbdiag.errors import RequestError
from tests.cli.builders import DIVERGED, HEALTHY, called, event_dir
from tests.journal.builders import a_diagnosis, a_journal, a_proposal
from tests.reading.eventfiles import NAME, event, value, write

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    event_dir(tmp_path / "logs" / "over")
    event_dir(tmp_path / "logs" / "fine", HEALTHY)
    event_dir(tmp_path / "logs" / "nan", DIVERGED)
    return tmp_path / "logs"


def test_a_page_is_written_whatever_is_in_it(capsys: Captured) -> None:
    code, out, err = called(capsys, "report", "logs")
    assert (code, err) == (0, "")
    assert out.startswith("tbdiag-report.html: 3 runs, ")
    text = Path("tbdiag-report.html").read_text("utf-8")
    assert text.startswith("<!doctype html>\n")
    assert "<h1><bdi>logs</bdi></h1>" in text
    assert text.endswith("</html>\n")
    assert not list(Path().glob(".tbdiag-report*"))


def test_the_exit_code_is_that_of_a_scan_where_it_is_asked_for(capsys: Captured) -> None:
    assert called(capsys, "report", "logs", "--fail-on", "error")[0] == 1
    assert called(capsys, "report", "logs/fine", "--fail-on", "error")[0] == 0


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("nowhere",), "nowhere does not exist"),
        (("logs", "-o", "report.pdf"), "report.pdf must end in .html or .htm, or be - for stdout"),
        (("logs", "-o", "no/report.html"), "no is not a folder"),
        (("logs", "-o", "folder.html"), "folder.html is not a file; name another one"),
        (
            ("logs", "-o", "mine.html"),
            "mine.html exists and is no report of tbdiag; it is not overwritten; --force overwrites it",
        ),
        (("logs", "-o", "-", "--open"), "--open needs a file: leave out -o -, or name one"),
        (("logs", "--select", "GEN01"), 'there is no rule "GEN01"; did you mean "GEN001"?'),
    ],
)
def test_what_cannot_be_done_is_one_sentence_and_2(
    words: tuple[str, ...], sentence: str, capsys: Captured
) -> None:
    Path("mine.html").write_text("<!doctype html><title>mine</title>")
    Path("folder.html").mkdir()
    assert called(capsys, "report", *words) == (2, "", f"tbdiag: {sentence}\n")
    assert "mine" in Path("mine.html").read_text()


def test_an_earlier_page_is_replaced_and_others_only_by_force(capsys: Captured) -> None:
    for _ in range(2):
        assert called(capsys, "report", "logs", "-o", "page.html")[0] == 0
    Path("mine.htm").write_text("mine")
    assert called(capsys, "report", "logs", "-o", "mine.htm", "--force")[0] == 0
    assert Path("mine.htm").read_bytes() == Path("page.html").read_bytes()


def test_stdout_gets_the_same_bytes_whatever_it_can_show(logs: Path) -> None:
    words = [sys.executable, "-m", "tbdiag", "report", "logs"]
    subprocess.run([*words, "-o", "page.html"], check=True, capture_output=True)
    for encoding in ("ascii", "utf-16"):
        told = subprocess.run(
            [sys.executable, "-X", "utf8=0", *words[1:], "-o", "-"],
            check=True,
            capture_output=True,
            env={**_environment(), "PYTHONIOENCODING": encoding},
        )
        assert told.stdout == Path("page.html").read_bytes()
        assert told.stderr == b""


def test_a_reader_that_has_gone_is_no_error() -> None:
    command = f"{sys.executable} -m tbdiag report logs -o - | head -c 10"
    told = subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True)
    assert (told.returncode, told.stdout, told.stderr) == (0, b"<!doctype ", b"")


def test_cached_or_not_the_bytes_are_the_same(capsys: Captured) -> None:
    for name, more in (("a", ()), ("b", ()), ("c", ("--no-cache",)), ("d", ("--jobs", "2"))):
        called(capsys, "report", "logs", "-o", f"{name}.html", *more)
    first = Path("a.html").read_bytes()
    assert all(Path(f"{name}.html").read_bytes() == first for name in "bcd")


def test_rules_are_chosen_as_in_a_scan(capsys: Captured) -> None:
    called(capsys, "report", "logs", "--select", "GEN001", "--max-runs", "1")
    text = Path("tbdiag-report.html").read_text("utf-8")
    assert 'data-code="GEN001" title' in text
    assert 'data-code="NUM001" title' not in text
    assert "The worst 1 run of 3 stands here" in text


def test_the_browser_is_asked_to_open_it(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    monkeypatch.setattr(webbrowser, "open", lambda url: bool(asked.append(url)))
    _, _, err = called(capsys, "report", "logs", "-o", "a b.html", "--open")
    assert asked == [Path("a b.html").resolve().as_uri()]
    assert err == "tbdiag: no browser was found to open a b.html\n"


def test_a_damaged_log_is_told(logs: Path, capsys: Captured) -> None:
    file = logs / "over" / NAME
    file.write_bytes(file.read_bytes()[:-7])
    write(logs / "mute" / NAME, event(1))
    (logs / "odd").mkdir()
    (logs / "odd" / NAME).write_bytes(b"no event file at all")
    assert called(capsys, "report", "logs")[0] == 0
    text = Path("tbdiag-report.html").read_text("utf-8")
    assert "ends in the middle of a record" in text
    assert "it holds no scalars and no histograms" in text
    assert "2 paths not examined" in text


def test_hostile_folders_and_tags(tmp_path: Path, capsys: Captured) -> None:
    evil = "<script>alert(1)<" + "\u202e"
    write(
        tmp_path / "evil" / evil / NAME,
        *(event(step, value(f"loss {evil}/train", 1 / step)) for step in range(1, 40)),
    )
    assert called(capsys, "report", "evil")[0] == 0
    text = Path("tbdiag-report.html").read_text("utf-8")
    assert text.count("<script>") == 1
    assert "\u202e" not in text


def test_the_journal_beside_the_runs_is_shown(logs: Path, capsys: Captured) -> None:
    journal = a_journal(logs)
    journal.diagnosed(a_diagnosis())
    journal.proposed(a_proposal())
    for path in ("logs", "logs/over"):
        called(capsys, "report", path)
        text = Path("tbdiag-report.html").read_text("utf-8")
        assert "1 follow-up: 1 waiting" in text
    called(capsys, "report", "logs", "logs/over")
    assert called(capsys, "report", "logs")[0] == 0


def test_a_journal_that_cannot_be_read_is_told(logs: Path, capsys: Captured) -> None:
    (logs / ".tbdiag" / "journal.jsonl").mkdir(parents=True)
    assert called(capsys, "report", "logs")[0] == 0
    assert "the journal cannot be read" in Path("tbdiag-report.html").read_text("utf-8")


def test_the_folder_itself_is_told_by_its_name(
    logs: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(logs)
    called(capsys, "report", ".")
    text = Path("tbdiag-report.html").read_text("utf-8")
    assert "<h1><bdi>logs</bdi></h1>" in text
    assert "tbdiag suggest . --retrain" in text


def test_commands_can_be_copied(logs: Path, capsys: Captured) -> None:
    odd = logs.rename(logs.with_name("my 'logs'; rm -rf"))
    called(capsys, "report", odd.name)
    text = html.unescape(Path("tbdiag-report.html").read_text("utf-8"))
    (command,) = re.findall("<code>(tbdiag suggest .*) -n 3$", text, re.MULTILINE)
    assert shlex.split(command) == ["tbdiag", "suggest", odd.name]


def test_the_library_writes_the_same_page(capsys: Captured) -> None:
    called(capsys, "report", "logs", "-o", "page.html")
    report = tbdiag.scan("logs")
    text = report.to_html("library.html")
    assert text == report.to_html() == Path("library.html").read_text("utf-8")
    assert Path("library.html").read_bytes() == Path("page.html").read_bytes()
    Path("mine.html").write_text("mine")
    with pytest.raises(RequestError, match="is no report of tbdiag"):
        report.to_html("mine.html")
    report.to_html("mine.html", force=True, max_runs=1)
    assert "The worst 1 run of 3" in Path("mine.html").read_text("utf-8")
    found = tbdiag.diagnose({"loss": [3.0, 2.0, 1.0] * 9})
    assert "<h1>Training runs</h1>" in found.to_html()


def _environment() -> dict[str, str]:
    import os

    return dict(os.environ)
