"""`clean` removes what tbdiag wrote, and leaves all else byte for byte as it was."""

from __future__ import annotations

from pathlib import Path

import pytest

import tbdiag
from tbdiag.errors import NoRunsError, SummaryError
from tbdiag.summaries import cleaning, events
from tests.cli.builders import HEALTHY, event_dir
from tests.summaries.test_write import a_followup, scanned


def everything(folder: Path) -> dict[str, bytes | None]:
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    logs = tmp_path / "logs"
    event_dir(logs / "bad")
    event_dir(logs / "deep" / "er" / "good", HEALTHY)
    a_followup(logs)
    (logs / "notes.txt").write_text("mine")
    (logs / "empty" / "tbdiag").mkdir(parents=True)
    (logs / "bad" / "tbdiag").mkdir()
    (logs / "bad" / "tbdiag" / "notes.txt").write_text("mine, too")
    return logs


def test_all_is_as_before(logs: Path) -> None:
    before = everything(logs)
    scanned(logs).write()
    event_dir(logs / "bad", HEALTHY)
    scanned(logs).write()  # stubs as well
    event_dir(logs / "bad")
    written = everything(logs).keys() - before.keys()
    assert tbdiag.clean(logs, dry_run=True)
    assert everything(logs).keys() - before.keys() == written
    removed = tbdiag.clean(logs)
    assert everything(logs) == before
    assert {str(path.relative_to(logs)) for path in removed} <= written
    assert tbdiag.clean(logs) == []
    assert (logs / "empty" / "tbdiag").is_dir(), "an empty folder that nothing was written into"


def test_a_file_that_only_looks_like_ours_stays(logs: Path) -> None:
    name = f"events.out.tfevents.1700000000.tbdiag.{'0' * 16}.tbdiag"
    (logs / "bad" / "tbdiag" / name).write_bytes(b"somebody else's")
    before = everything(logs)
    scanned(logs).write()
    tbdiag.clean(logs)
    assert everything(logs) == before


def test_links_are_not_followed(logs: Path, tmp_path: Path) -> None:
    elsewhere = event_dir(tmp_path / "elsewhere")
    scanned(elsewhere).write()
    before = everything(elsewhere)
    (logs / "link").symlink_to(elsewhere)
    (file,) = (elsewhere / "tbdiag").iterdir()
    (logs / file.name).symlink_to(file)
    tbdiag.clean(logs)
    assert everything(elsewhere) == before
    assert (logs / file.name).is_symlink()


def test_a_torn_draft_goes_too(logs: Path) -> None:
    scanned(logs).write()
    draft = logs / "bad" / "tbdiag" / f".{'a' * 16}.12.tbdiag-draft"
    draft.write_bytes(events.header()[:7])
    tbdiag.clean(logs)
    assert not draft.exists()


def test_what_is_no_folder_is_said(tmp_path: Path) -> None:
    with pytest.raises(NoRunsError, match="does not exist"):
        tbdiag.clean(tmp_path / "missing")
    (tmp_path / "file").touch()
    with pytest.raises(NoRunsError, match="is not a folder"):
        tbdiag.clean(tmp_path / "file")


def test_a_file_that_cannot_be_removed_is_said(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanned(logs).write()

    def refused(self: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "unlink", refused)
    with pytest.raises(SummaryError, match="cannot be cleaned: Permission denied"):
        tbdiag.clean(logs)


def test_whoever_writes_is_waited_for(logs: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tbdiag.journal.lock import locked

    scanned(logs).write()
    monkeypatch.setattr(cleaning, "_PATIENCE", 0.0)
    with locked(logs / "bad"), pytest.raises(SummaryError, match="another process"):
        tbdiag.clean(logs)
    assert len(tbdiag.clean(logs)) > 0
