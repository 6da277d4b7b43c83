"""``tbdiag init`` writes a configuration that holds, and shows what it understood."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tbdiag import config, load
from tbdiag.advisor.completion import complete
from tbdiag.advisor.defaults import read_flags
from tbdiag.advisor.space import configured
from tbdiag.api import beginning
from tbdiag.config.command import placeholders, pruned, spelled
from tbdiag.config.training import Choices, Range
from tbdiag.config.write import written
from tests.cli.builders import ROOT, called, event_dir

SCRIPT = """
import argparse, json, os
parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=1e-3, help="rate\\nof learning")
parser.add_argument("--optimizer", choices=["sgd", "it's \\"a\\" \\\\ {x}"], default="sgd")
parser.add_argument("--epochs", type=int, default=20)
parser.add_argument("--data-split", default="a b")
parser.add_argument("--subset", type=int)
parser.add_argument("--augment", action=argparse.BooleanOptionalAction, default=True)
parser.add_argument("--nesterov", action="store_true")
parser.add_argument("--sizes", type=int, nargs="+", default=[64])
parser.add_argument("--log-dir", default="runs/x")
parser.add_argument("--workers", type=int, default=4)
args = parser.parse_args()
print(json.dumps(vars(args)))
# SummaryWriter
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # the interpreter that runs the tests is the one that scripts are read by
    monkeypatch.setenv("PATH", f"{tmp_path / 'no-programs'}")
    (tmp_path / "train.py").write_text(SCRIPT)
    return tmp_path


def a_logged_run(project: Path, name: str, **hparams: object) -> None:
    event_dir(project / "logs" / name)
    (project / "logs" / name / "hparams.json").write_text(json.dumps(hparams))


def test_it_writes_what_it_understood_and_shows_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    a_logged_run(project, "one", lr=2.0, epochs=40, data_split="c")
    code, out, err = called(capsys, "init")
    assert (code, err) == (0, "")
    assert out.splitlines()[0] == "train.py: 10 flags, told by its parser; 1 run in logs"
    assert max(map(len, out.splitlines())) <= 80
    row = next(line for line in out.splitlines() if "--lr" in line)
    assert row.split() == ["--lr", "lr", "0.001", "1e-6", "…", "2", "log", "usual", "range"]
    assert (
        "stay as in the run that is answered: --data-split, --subset, --augment, --nesterov"
        in " ".join(out.split())
    )
    assert "no run has logged optimizer, augment, nesterov" in " ".join(out.split())
    found = config.load(project / "tbdiag.toml")
    assert found.logdir == "logs"
    assert found.space == {
        "lr": Range(low=1e-6, high=2.0, log=True),
        "optimizer": Choices(("sgd", 'it\'s "a" \\ {x}')),
        "epochs": Range(low=5, high=120, step=1),
    }
    assert found.train is not None
    assert (found.train.budget, found.train.objective.tag) == ("epochs", "val_loss")
    assert found.train.command == (
        "python", "train.py", "--log-dir", "{logdir}", "--lr", "{lr}", "--optimizer", "{optimizer}",
        "--epochs", "{epochs}", "--data-split", "{data_split}", "--subset", "{subset}",
        "{--augment/--no-augment}", "{--nesterov}",
    )  # fmt: skip


def test_the_command_that_it_writes_trains_with_what_a_past_run_had(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    had = {
        "lr": 0.5, "optimizer": "it's \"a\" \\ {x}", "epochs": 40, "data_split": "c d",
        "subset": None, "augment": False, "nesterov": True, "sizes": [64], "workers": 4,
    }  # fmt: skip
    a_logged_run(project, "one", **had)
    assert called(capsys, "init")[0] == 0
    found = config.load(project / "tbdiag.toml")
    assert found.train is not None
    (run,) = load(project / "logs", cache=False)
    flags = read_flags(found.train.command, project)
    done = complete(run, configured(found), flags)
    assert done.unknown == ()
    argv = [
        word.format_map({**{k: spelled(v) for k, v in done.params.items()}, "logdir": "new"})
        for word in pruned(found.train.command, done.params)
    ]
    words = [sys.executable, *argv[1:]]
    shown = subprocess.run(words, cwd=project, capture_output=True, text=True, check=True)
    assert json.loads(shown.stdout) == {**had, "log_dir": "new"}


def test_it_never_overwrites_unless_told(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "tbdiag.toml").write_text("# mine\n")
    code, out, err = called(capsys, "init")
    assert (code, out, err) == (2, "", "tbdiag: tbdiag.toml exists; --force overwrites it\n")
    assert (project / "tbdiag.toml").read_text() == "# mine\n"
    assert called(capsys, "init", "--force")[0] == 0
    assert config.load(project / "tbdiag.toml").train is not None
    assert sorted(path.name for path in project.iterdir()) == ["tbdiag.toml", "train.py"]


def test_it_does_not_hide_what_is_configured(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text("[tool.tbdiag]\nlogdir = 'x'\n")
    code, _, err = called(capsys, "init")
    assert (code, err) == (
        2,
        "tbdiag: pyproject.toml has a [tool.tbdiag], which tbdiag.toml would hide; "
        "--force writes it all the same\n",
    )
    assert called(capsys, "init", "--force")[0] == 0


@pytest.mark.parametrize(("answer", "code"), [("2\n", 0), ("7\n", 2)])
def test_on_a_terminal_it_asks_which_script(
    project: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str,
    code: int,
) -> None:
    (project / "other.py").write_text(SCRIPT)
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    found, out, err = called(capsys, "init")
    assert found == code
    assert "1  other.py\n2  train.py\n" in out
    assert ("train.py: 10 flags" in out, "no script number 7" in err) == (code == 0, code == 2)


def test_the_only_script_that_trains_is_found(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "model.py").write_text("import tensorboard\nclass Net: ...\n")
    (project / "prepare.py").write_text(SCRIPT.replace("# SummaryWriter", ""))
    (project / "setup.py").write_text(SCRIPT)
    (project / "broken.py").write_text("import (")
    assert beginning.candidates(project) == [project / "train.py"]
    (project / "other.py").write_text(SCRIPT)
    code, _, err = called(capsys, "init")
    assert code == 2
    assert (
        err == "tbdiag: several scripts may be the one that trains: other.py, train.py; name one\n"
    )
    assert not (project / "tbdiag.toml").exists()
    assert called(capsys, "init", "other.py")[0] == 0


def test_what_cannot_be_done_is_one_sentence(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "train.py").write_text("print('training')\n")
    for words, sentence in (
        ((), "no training script was found here; name it: tbdiag init path/to/train.py"),
        (("none.py",), "there is no script none.py"),
        (
            ("train.py",),
            "train.py: train.py reads no arguments that could be looked at; take the parameters by "
            "argparse, or by tbdiag.params(lr=1e-3, …)",
        ),
        (("train.py", "--logs", "none"), "none does not exist"),
    ):
        code, out, err = called(capsys, "init", *words)
        assert (code, out) == (2, "")
        assert err.startswith(f"tbdiag: {sentence}")
    assert not (project / "tbdiag.toml").exists()


def test_a_script_of_parameters_needs_no_flags(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "train.py").write_text(
        "import tbdiag\nparams = tbdiag.params(lr=1e-3, train_size=100)\n"
    )
    code, out, _ = called(capsys, "init")
    assert code == 0
    assert "2 flags, read from its call of tbdiag.params; no logs yet" in " ".join(out.split())
    found = config.load(project / "tbdiag.toml")
    assert found.train is not None
    assert found.train.command == ("python", "train.py")
    assert [*found.space] == ["lr"]


def test_notes_tell_what_has_no_place(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "train.py").write_text(
        textwrap.dedent("""
        import argparse
        parser = argparse.ArgumentParser()
        parser.add_argument("--lr", type=float, default=1e-3)
        parser.add_argument("--sizes", type=int, nargs="+", default=[64])
        parser.add_argument("--layers", type=int, nargs="+", default=[3])
        parser.add_argument("--checkpoint", required=True)
        parser.parse_args()
        """)
    )
    a_logged_run(project, "one", sizes="[32, 16]", layers="[1]")
    a_logged_run(project, "two", sizes="[32, 16]", layers="[2]")
    code, out, _ = called(capsys, "init")
    text = " ".join(out.split())
    assert code == 0
    assert "no flag for the folder of the logs was found" in text
    assert "--layers differs between runs and has no place in the command" in text
    assert "--checkpoint is needed; add it to the command" in text
    found = config.load(project / "tbdiag.toml").train
    assert found is not None
    assert found.command == ("python", "train.py", "--lr", "{lr}", "--sizes", "32", "16")


def test_the_sample_runs_and_their_trainer_are_understood(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("sklearn")
    code, _, err = called(
        capsys, "init", ROOT / "examples/digits/train.py", "--logs", ROOT / "sample_logs"
    )
    assert (code, err) == (0, "")
    found = config.load(project / "tbdiag.toml")
    own = config.load(ROOT / "sample_logs" / "tbdiag.toml")
    assert own.train is not None
    assert found.train is not None
    named = {n for word in own.train.command for n in placeholders(word)}
    assert named <= {n for word in found.train.command for n in placeholders(word)}
    assert set(own.space) - set(found.space) == {"init_scale", "activation"}


@pytest.mark.parametrize(
    "text",
    ['a"b', "a\\b", "a\nb", 'x"""y', "\x00\x1b\x7f", "ünïcode 🎉", "'", "#", "{{x}}", "\u2028x"],
)
def test_whatever_stands_in_words_and_choices_is_read_back(tmp_path: Path, text: str) -> None:
    path = tmp_path / "tbdiag.toml"
    command = ("python", "train.py", text, "--lr", "{lr}", *["--long-option-name", "value"] * 9)
    path.write_text(
        written(
            command=command,
            space={"lr": Range(low=1e-6, high=1), "a.b": Choices((text, True, 1, 0.5))},
            objective=text,
            logdir=text,
            comments={"lr": text},
            head=[text],
        ),
        "utf-8",
    )
    found = config.load(path)
    assert found.train is not None
    assert found.train.command == command
    assert found.train.objective.tag == text.strip()
    assert found.space["a.b"] == Choices((text, True, 1, 0.5))
    assert found.space["lr"] == Range(low=1e-6, high=1)
