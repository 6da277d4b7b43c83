"""``tbdiag suggest`` on the sample runs, and with real trainings."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tbdiag.journal.file import Journal
from tbdiag.journal.replay import replayed
from tbdiag.model.proposal import Decision, Origin, State
from tests.cli.builders import ROOT, called, process
from tests.reading.eventfiles import NAME, event, value, write


@pytest.fixture
def samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample runs and their trainer, copied, with this Python as ``python``."""
    for name in ("sample_logs", "examples"):
        shutil.copytree(
            ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns(".tbdiag", "followup-*")
        )
    path = Path(sys.executable).parent
    monkeypatch.setenv("PATH", f"{path}{os.pathsep}{os.environ['PATH']}")
    return tmp_path / "sample_logs"


def test_a_proposal_has_its_reason_its_change_and_its_command(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = called(capsys, "suggest", samples / "rate-too-high-bouncing")
    assert code == 0
    assert "warning[OPT001]" in out
    assert "lr 0.12 → 0.004" in out
    assert "should clear: OPT001" in out
    assert max(map(len, out.splitlines())) <= 80 or str(samples) in out
    assert not (samples / ".tbdiag").exists()


def test_the_command_in_the_text_says_where_it_runs(
    samples: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(samples.parent)
    out = called(capsys, "suggest", "sample_logs/rate-too-high-bouncing", "-n", 1)[1]
    typed = out[out.index("$ ") + 2 :].replace("\\\n", " ")
    assert shlex.split(typed)[:4] == ["(cd", "sample_logs", "&&", "python"]
    assert typed.rstrip().endswith("--seed 8)")
    monkeypatch.chdir(samples)
    out = called(capsys, "suggest", "rate-too-high-bouncing", "-n", 1)[1]
    assert shlex.split(out[out.index("$ ") + 2 :].replace("\\\n", " "))[0] == "python"


def test_json_and_shell_hold_the_exact_command(
    samples: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    story = samples / "rate-too-high-bouncing"
    told = json.loads(called(capsys, "suggest", story, "--format", "json", "-n", 2)[1])
    assert told["schema"] == 1
    assert len(told["proposals"]) == 2
    first = told["proposals"][0]
    assert first["turns"] == [{"name": "lr", "before": 0.12, "after": 0.004}]
    assert first["params"]["seed"] == 8
    script = called(capsys, "suggest", story, "--format", "shell", "-n", 2)[1]
    words = [shlex.split(line, comments=True) for line in script.splitlines()]
    assert first["command"] in words
    assert ["cd", str(samples), "||", "exit", "1"] in words


def test_a_dry_run_starts_nothing(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("suggest", samples / "nan", "--retrain", "--dry-run")
    code, out, _ = called(capsys, *words)
    assert code == 0
    assert "followup-001  answers NUM001" in out
    assert "followup-001  control" in called(capsys, *words, "--keep-going")[1]
    assert not (samples / ".tbdiag").exists()


def test_what_cannot_be_done_is_said(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called(capsys, "suggest", samples / "tiny-validation", "--retrain")
    assert code == 1
    assert "no setting of the command answers validation-set-too-small (VAL001)" in out
    assert "by hand: Hold out more samples" in out
    code, out, _ = called(capsys, "suggest", samples / "resumed", "--retrain")
    assert code == 1
    assert "answers rewound-steps (LOG001)\n" in out  # a note that epochs would answer is not named
    code, _, err = called(capsys, "suggest", samples / "no-validation", "--retrain")
    assert code == 2
    assert "has no curve of the objective, val_loss" in err


def test_without_a_command_settings_are_proposed_and_nothing_can_be_launched(
    samples: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = tmp_path / "elsewhere" / "run"
    shutil.copytree(samples / "rate-too-low", alone)
    (tmp_path / "empty.toml").write_text("")
    config = ("--config", tmp_path / "empty.toml")
    code, out, _ = called(capsys, "suggest", alone, *config)
    assert code == 0
    assert "lr 0.004 → 0.03" in out  # SGD with a momentum, as far as the run tells
    assert "no training command is configured" in out
    code, _, err = called(capsys, "suggest", alone, "--retrain", *config)
    assert code == 2
    assert "no training command is configured" in err


@pytest.mark.slow
def test_a_faulty_run_is_mended(samples: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ("suggest", samples / "rate-too-high-bouncing", "--retrain", "--max-trials", 6)
    began = time.monotonic()
    code, out, _ = called(capsys, *words)
    assert code == 0
    assert time.monotonic() - began < 120
    assert "confirmed: followup-001 solves the problem of rate-too-high-bouncing, on 3" in out
    told = replayed(Journal.beside(samples))
    assert told.verdicts["followup-001"].decision is Decision.CONFIRMED
    assert [p.origin for p in told.proposals.values()] == [Origin.REMEDY] + [Origin.REPEAT] * 2


SCRIPT = """
import argparse, time
from tensorboardX import SummaryWriter
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-3)
parser.add_argument("--logdir")
args = parser.parse_args()
writer = SummaryWriter(args.logdir)
for step in range(30):
    bad = float("nan") if step > 5 else 2.0 - step / 10
    writer.add_scalar("loss/train", bad, step)
    writer.add_scalar("loss/val", bad, step)
writer.flush()
time.sleep({sleep})
"""


def a_hopeless_project(folder: Path, sleep: int) -> Path:
    (folder / "train.py").write_text(SCRIPT.replace("{sleep}", str(sleep)))
    (folder / "tbdiag.toml").write_text(
        'logdir = "logs"\n[train]\n'
        f'command = "{sys.executable} train.py --lr {{lr}} --logdir {{logdir}}"\n'
        "[space]\nlr = { low = 1e-6, high = 10.0, log = true }\n"
    )
    run = folder / "logs" / "bad"
    losses = [2.0, 1.8, 1.6, *[float("nan")] * 27]
    write(
        run / NAME,
        *(event(n, value("loss/train", x), value("loss/val", x)) for n, x in enumerate(losses)),
    )
    (run / "hparams.yaml").write_text("lr: 5.0\n")
    return run


@pytest.mark.slow
def test_a_hopeless_run_is_ended(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = a_hopeless_project(tmp_path, 300)
    words = ("suggest", run, "--retrain", "--max-trials", 1, "--timeout", 60)
    began = time.monotonic()
    code, out, _ = called(capsys, *words)
    assert code == 1
    assert time.monotonic() - began < 50
    (trial,) = replayed(Journal.beside(tmp_path / "logs")).trials.values()
    assert trial.state is State.KILLED
    assert "NUM001" in trial.reason
    assert "refuted" in out


@pytest.mark.slow
def test_ctrl_c_stops_what_runs_and_says_130(tmp_path: Path) -> None:
    run = a_hopeless_project(tmp_path, 300)
    words = [sys.executable, "-m", "tbdiag", "suggest", str(run), "--retrain", "--no-kill"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(words, cwd=tmp_path, env=env, stdout=subprocess.PIPE, text=True) as asked:
        journal = Journal.beside(tmp_path / "logs")
        until = time.monotonic() + 40
        while not (tmp_path / "logs" / "followup-001").exists() and time.monotonic() < until:
            time.sleep(0.1)
        asked.send_signal(signal.SIGINT)
        out, _ = asked.communicate(timeout=60)
    assert asked.returncode == 130
    assert "interrupted: it was interrupted; the next call goes on from here" in out
    (trial,) = replayed(journal).trials.values()
    assert trial.state is State.INTERRUPTED


def test_help_and_wrong_options_need_no_optuna(tmp_path: Path) -> None:
    told = process("suggest", "--help", cwd=tmp_path)
    assert told.returncode == 0
    assert b"--max-trials" in told.stdout
    assert process("suggest", "--parallel", 0, cwd=tmp_path).returncode == 2
