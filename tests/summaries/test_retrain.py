"""Follow-up runs are written back as they end; the user's own runs only if that is asked for."""

from __future__ import annotations

from pathlib import Path

import pytest

from tbdiag.advisor.news import Ended, News, Remark
from tbdiag.summaries import own, stored
from tests.advisor.test_loop import a_project, a_round
from tests.summaries.test_write import entries, plugin_data, text

FOLLOWUPS = ["followup-001", "followup-002", "followup-003"]


def written(logs: Path) -> list[str]:
    """The folders that hold summaries."""
    return sorted({str(p.parent.relative_to(logs)) for p in logs.rglob("*.tbdiag") if p.is_file()})


def test_each_followup_is_written_when_it_ends(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    seen: list[list[str]] = []

    def tell(news: News) -> None:
        if isinstance(news, Ended):
            seen.append(written(logs))

    a_round(logs, config, tell=tell)
    assert seen[0] == ["followup-001", "followup-001/tbdiag"]
    assert written(logs) == sorted([*FOLLOWUPS, *(f"{name}/tbdiag" for name in FOLLOWUPS)])
    told = text(logs / "followup-001" / "tbdiag", "tbdiag/summary")
    assert "Follow-up of [start](#tbdiag&p.tbdiag.run=start): lr 1 → 0.0333" in told
    assert "**confirmed**, on 3 seeds: OPT004 is gone" in told, "the last word, after the repeats"
    session = plugin_data(entries(logs / "followup-001")["_hparams_/session_start_info"])
    assert session.session_start_info.hparams["optimizer"].string_value == "adam"
    assert session.session_start_info.hparams["lr"].number_value == pytest.approx(1 / 30, rel=0.02)


def test_all_is_written_in_the_end_where_that_is_asked_for(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    a_round(logs, config, write=True)
    assert {"start/tbdiag", "tbdiag"} <= {*written(logs)}
    assert "start" not in written(logs), "a run of the user's gets no session"
    found = stored(logs)
    assert found is not None
    assert [run["run"] for run in found["runs"]] == [*FOLLOWUPS, "start"]


def test_nothing_is_written_where_that_is_not_wanted(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    a_round(logs, config, write=False)
    assert written(logs) == []


def test_what_cannot_be_written_holds_nothing_up_and_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, target: Path) -> None:
        raise OSError(28, "No space left on device")

    logs, config = a_project(tmp_path)
    news: list[News] = []
    monkeypatch.setattr(Path, "replace", refused)
    found = a_round(logs, config, tell=news.append)
    assert found.solved
    told = [each.sentence for each in news if isinstance(each, Remark)]
    assert sum("No space left on device" in each for each in told) == 1


def test_a_second_round_writes_nothing_new(tmp_path: Path) -> None:
    logs, config = a_project(tmp_path)
    a_round(logs, config)
    before = {p: p.read_bytes() for p in logs.rglob("*.tbdiag") if p.is_file()}
    a_round(logs, config)
    assert {p: p.read_bytes() for p in logs.rglob("*.tbdiag") if p.is_file()} == before
    assert all(own.is_own(path) for path in before)
