"""The library's twin of ``tbdiag journal``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import tbdiag
from tbdiag.errors import JournalError, NoRunsError
from tbdiag.model.proposal import State
from tests.journal.builders import a_diagnosis, a_journal, a_proposal, a_trial, a_verdict


@pytest.fixture
def logs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A log folder in which one follow-up was tried and another one waits."""
    monkeypatch.chdir(tmp_path)
    book = a_journal(tmp_path / "logs")
    book.diagnosed(a_diagnosis())
    for name in ("t1", "t2"):
        book.proposed(a_proposal(name))
    book.launched(a_trial())
    book.finished(a_trial(state=State.FINISHED, objective=0.284, ended=1.75e9 + 9))
    book.verified("t1", a_verdict())
    return tmp_path / "logs"


def test_a_history_has_a_table_a_page_and_json(logs: Path) -> None:
    history = tbdiag.read_journal(logs)
    assert [*history.attempts] == ["t1", "t2"]
    assert history.waiting == (a_proposal("t2"),)
    table = history.to_frame()
    assert table["standing"].tolist() == ["confirmed", "waiting"]
    assert table["after"].tolist()[0] == 0.284
    assert "# What was tried" in history.to_markdown()
    assert json.loads(history.to_json())["followups"][0]["id"] == "t1"


def test_the_folder_is_found_as_a_scan_finds_it(logs: Path) -> None:
    assert [*tbdiag.read_journal().attempts] == ["t1", "t2"]
    assert [*tbdiag.read_journal(logs / ".tbdiag" / "journal.jsonl").attempts] == ["t1", "t2"]
    moved = logs.rename(logs.with_name("elsewhere"))
    with pytest.raises(NoRunsError):
        tbdiag.read_journal()
    logs.with_name("tbdiag.toml").write_text('logdir = "elsewhere"\n')
    assert [*tbdiag.read_journal().attempts] == ["t1", "t2"]
    assert tbdiag.read_journal(moved) == tbdiag.read_journal()


def test_a_run_has_the_journal_of_its_folder(logs: Path) -> None:
    run = logs / "search" / "lr1"
    run.mkdir(parents=True)
    assert [*tbdiag.read_journal(run).attempts] == ["t1", "t2"]
    own = a_journal(run)
    own.diagnosed(a_diagnosis())
    assert tbdiag.read_journal(run).attempts == {}


def test_without_a_journal_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(JournalError, match="no follow-up run was tried there"):
        tbdiag.read_journal(tmp_path)
    assert [*tmp_path.iterdir()] == []  # to look is not to write


def test_an_empty_journal_is_empty_in_a_table_too(tmp_path: Path) -> None:
    book = a_journal(tmp_path)
    book.path.parent.mkdir()
    book.path.touch()
    table = tbdiag.read_journal(tmp_path).to_frame()
    assert (len(table), "standing" in table) == (0, True)
