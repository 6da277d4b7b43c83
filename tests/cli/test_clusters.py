"""Without what a cluster needs, one sentence says what to install or to start; passwords stay secret."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.advisor.builders import PARAMS, by_rate, log
from tests.cli.builders import called, event_dir

Captured = pytest.CaptureFixture[str]

CONFIG = """
logdir = "logs"

[train]
command = "python train.py --lr {lr} --logdir {logdir}"

[space]
lr = { low = 1e-6, high = 10.0, log = true }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    told = {**PARAMS, "lr": 1.0}
    log(tmp_path / "logs" / "start", by_rate(told), told)
    (tmp_path / "tbdiag.toml").write_text(CONFIG)
    (tmp_path / "train.py").write_text("")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("module", "words", "sentence"),
    [
        ("ray", ("--launcher", "ray"), "--launcher ray needs Ray: pip install 'tbdiag[ray]'"),
        (
            "submitit",
            ("--launcher", "slurm"),
            "--launcher slurm needs submitit: pip install 'tbdiag[slurm]'",
        ),
        (
            "psycopg",
            ("--storage", "postgresql://me:open-sesame@db/optuna"),
            "--storage postgresql://… needs psycopg: pip install 'tbdiag[postgres]'",
        ),
        (
            "redis",
            ("--storage", "redis://db:6379"),
            "--storage redis://… needs redis: pip install 'tbdiag[redis]'",
        ),
        (
            "grpc",
            ("--storage", "grpc://db:13000"),
            "--storage grpc://… needs grpcio: pip install 'tbdiag[grpc]'",
        ),
    ],
)
def test_a_missing_extra_is_named(
    project: Path,
    capsys: Captured,
    monkeypatch: pytest.MonkeyPatch,
    module: str,
    words: tuple[str, ...],
    sentence: str,
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    code, _, err = called(capsys, "suggest", "logs", "--retrain", *words)
    assert (code, err) == (2, f"tbdiag: {sentence}\n")
    assert not list(project.rglob("followup-*"))


def test_a_scan_on_a_cluster_names_its_extra(
    tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    code, out, err = called(capsys, "scan", event_dir(tmp_path / "run"), "--cluster", "auto")
    assert (code, out) == (2, "")
    assert err == "tbdiag: --cluster needs Ray: pip install 'tbdiag[ray]'\n"


def test_a_slurm_that_is_not_there_is_told(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    del project
    pytest.importorskip("submitit", reason="needs the extra `slurm`")
    monkeypatch.setenv("PATH", "/nowhere")
    code, _, err = called(capsys, "suggest", "logs", "--retrain", "--launcher", "slurm")
    assert (code, err) == (
        2,
        "tbdiag: no Slurm is reached from here: there is no program sbatch; start tbdiag where "
        "sbatch works\n",
    )


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (
            "postgresql://me:open-sesame@127.0.0.1:1/optuna",
            "tbdiag: the storage postgresql://me:***@127.0.0.1:1/optuna cannot be used: ",
        ),
        (
            "redis://:open-sesame@127.0.0.1:1",
            "tbdiag: the storage redis://:***@127.0.0.1:1 cannot be used: ",
        ),
    ],
)
def test_no_password_is_said_or_kept(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch, url: str, sentence: str
) -> None:
    from tbdiag.advisor import storages

    pytest.importorskip("psycopg", reason="needs the extra `postgres`")
    pytest.importorskip("redis", reason="needs the extra `redis`")
    monkeypatch.setattr(storages, "_ABSENT", 0.0)
    code, out, err = called(capsys, "suggest", "logs", "--retrain", "--storage", url)
    assert code == 2
    assert err.startswith(sentence)
    assert err.count("\n") == 1
    assert "sesame" not in out + err
    kept = [each for each in (project / "logs" / ".tbdiag").rglob("*") if each.is_file()]
    assert kept
    assert not [each for each in kept if b"sesame" in each.read_bytes()]


@pytest.mark.ray
def test_a_ray_that_is_not_there_is_told(
    project: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    del project
    ray = pytest.importorskip("ray", reason="needs the extra `ray`")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", _nobody)
    code, _, err = called(capsys, "suggest", "logs", "--retrain", "--launcher", "ray")
    assert (code, err) == (
        2,
        "tbdiag: no Ray cluster is reached at auto: Could not find any running Ray instance; "
        "start one with `ray start --head`, or name its address (local for this machine)\n",
    )


def _nobody(**more: object) -> None:
    assert more["address"] == "auto"
    raise ConnectionError("Could not find any running Ray instance. Please specify the one to …")
