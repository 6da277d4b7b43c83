"""``tbdiag scan --write`` and ``tbdiag clean``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tbdiag import api
from tbdiag.errors import RequestError
from tests.cli.builders import HEALTHY, ROOT, called, event_dir, process

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    event_dir(tmp_path / "logs" / "bad")
    event_dir(tmp_path / "logs" / "good", HEALTHY)
    return tmp_path


def test_what_was_written_is_said_beside_the_report(here: Path, capsys: Captured) -> None:
    code, out, err = called(capsys, "scan", "logs", "--write")
    assert (code, "GEN001" in out) == (0, True)
    assert err == "tbdiag: summaries for TensorBoard below logs: 3 folders written\n"
    code, out, err = called(capsys, "scan", "logs", "--write", "--format", "json")
    assert json.loads(out)["schema"] == 1
    assert err == "tbdiag: summaries for TensorBoard below logs: 3 folders unchanged\n"
    event_dir(here / "logs" / "bad", HEALTHY)
    _, _, err = called(capsys, "scan", "logs", "--write")
    assert err.endswith("logs: 2 folders written, 1 folder unchanged\n")


def test_without_it_nothing_is_written(here: Path, capsys: Captured) -> None:
    called(capsys, "scan", "logs")
    assert not [*here.rglob("*.tbdiag")]


def test_out_writes_elsewhere(here: Path, capsys: Captured) -> None:
    _, _, err = called(capsys, "scan", "logs", "--out", "results")
    assert err == "tbdiag: summaries for TensorBoard below results: 3 folders written\n"
    assert not [*(here / "logs").rglob("*.tbdiag")]
    assert len([*(here / "results").rglob("*.tbdiag")]) == 3


def test_the_exit_code_is_that_of_the_findings(here: Path, capsys: Captured) -> None:
    assert called(capsys, "scan", "logs", "--write", "--fail-on", "warning")[0] == 1


def test_logs_that_cannot_be_written_are_one_sentence(here: Path, capsys: Captured) -> None:
    (here / "logs" / "bad" / "tbdiag").touch()
    code, out, err = called(capsys, "scan", "logs/bad", "--write")
    assert (code, err.count("\n")) == (2, 1)
    assert "GEN001" in out, "the report comes all the same"
    assert "no summaries can be written into" in err
    code, _, err = called(capsys, "scan", "logs", "--write")
    assert code == 0
    assert len(err.splitlines()) == 2


def test_logs_that_are_read_only_are_told_a_way_out(
    here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(path: Path, *_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(Path, "mkdir", refused)
    code, _, err = called(capsys, "scan", "logs", "--write", "--no-cache")
    assert code == 2
    assert err.endswith("Read-only file system; scan --out DIR writes elsewhere\n")


def test_clean_removes_it_all(here: Path, capsys: Captured) -> None:
    before = sorted(here.rglob("*"))
    called(capsys, "scan", "logs", "--write")
    written = sorted(str(p.relative_to(here)) for p in here.rglob("*.tbdiag"))
    code, out, _ = called(capsys, "clean", "--dry-run")
    assert code == 0
    assert sorted(out.splitlines()[:-1]) == written
    assert out.splitlines()[-1] == "3 files would be removed"
    assert called(capsys, "clean", "logs")[1] == "3 files removed\n"
    assert sorted(here.rglob("*")) == before
    assert called(capsys, "clean", "logs")[1] == "there is nothing to remove\n"


def test_clean_refuses_what_is_no_folder(here: Path, capsys: Captured) -> None:
    code, _, err = called(capsys, "clean", "no/such")
    assert (code, err.count("\n")) == (2, 1)


@pytest.mark.parametrize(
    ("words", "write"), [((), None), (("--write",), True), (("--no-write",), False)]
)
def test_a_round_is_told_what_to_write(
    here: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, words: tuple[str], write: object
) -> None:
    told: dict[str, object] = {}

    def retrain(**given: object) -> None:
        told.update(given)
        raise RequestError("enough")

    monkeypatch.setattr(api, "retrain", retrain)
    assert called(capsys, "suggest", "logs", "--retrain", *words)[0] == 2
    assert told["write"] is write


def test_neither_tensorflow_nor_torch_nor_the_server_is_loaded(here: Path) -> None:
    probe = (
        "import sys, tbdiag; tbdiag.scan('logs', cache=False).write();"
        "print([m for m in ('tensorflow', 'torch', 'tensorboard.backend', 'grpc') if m in sys.modules])"
    )
    found = process_of(here, probe)
    assert found == "[]"


def process_of(here: Path, code: str) -> str:
    """What a Python process of its own prints."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=here, env=env, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_reading_what_is_stored_loads_no_pictures(here: Path) -> None:
    assert process("scan", "logs", "--write", cwd=here).returncode == 0
    probe = (
        "import sys; from tbdiag.summaries import stored; stored('logs');"
        "print([m for m in ('matplotlib', 'scipy', 'pandas', 'optuna') if m in sys.modules])"
    )
    assert process_of(here, probe) == "[]"
