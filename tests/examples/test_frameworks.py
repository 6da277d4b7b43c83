"""The examples of each framework are scripts that `tbdiag init` understands, and that train."""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tbdiag import config, load
from tbdiag.advisor.completion import complete
from tbdiag.advisor.defaults import SOURCE, read_flags
from tbdiag.advisor.space import configured
from tbdiag.api.beginning import begin, candidates
from tbdiag.config.command import pruned, spelled
from tbdiag.model.knob import Knob
from tbdiag.model.role import Role

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
NEEDS = {
    "pytorch": ("torch", "tensorboard"),
    "lightning": ("torch", "lightning", "tensorboard"),
    "keras": ("keras", "tensorflow"),
    "huggingface": ("torch", "transformers", "accelerate", "tensorboard"),
}
SHORT = {
    "pytorch": {"epochs": 3, "train_size": 64, "lr": 0.01, "nesterov": False, "optimizer": "adamw"},
    "lightning": {"max_epochs": 2, "train_size": 64, "lr": 0.01},
    "keras": {"epochs": 2, "train_size": 64, "lr": 0.01},
    "huggingface": {"num_train_epochs": 2.0, "train_size": 64, "learning_rate": 0.01},
}


def missing(name: str) -> list[str]:
    return [each for each in NEEDS[name] if importlib.util.find_spec(each) is None]


def needs(name: str) -> None:
    if absent := missing(name):
        pytest.skip(f"{', '.join(absent)} not installed: examples/{name} was parsed, not run")


@pytest.mark.parametrize("name", NEEDS)
def test_it_parses_and_is_found_by_itself(name: str) -> None:
    script = EXAMPLES / name / "train.py"
    ast.parse(script.read_text("utf-8"))
    assert candidates(EXAMPLES / name) == [script]


@pytest.mark.parametrize("name", ["pytorch", "lightning", "keras"])
def test_its_parameters_are_known_even_where_the_framework_is_not(name: str) -> None:
    flags = read_flags((sys.executable, "train.py"), EXAMPLES / name)
    if name != "keras" and missing(name):
        assert flags.how == SOURCE
    assert flags.flags["lr"].default == 1e-3
    assert flags.flags["train_size"].known
    assert set(SHORT[name]) <= set(flags.flags)


@pytest.mark.slow
@pytest.mark.parametrize("name", NEEDS)
def test_it_trains_and_can_be_retrained_by_what_init_writes(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs(name)
    script = tmp_path / "train.py"
    script.write_bytes((EXAMPLES / name / "train.py").read_bytes())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    found = begin(script, None, tmp_path)
    (tmp_path / "tbdiag.toml").write_text(found.toml, "utf-8")
    settings = config.load(tmp_path / "tbdiag.toml")
    assert settings.train is not None
    space = configured(settings)
    flags = read_flags(settings.train.command, tmp_path)

    def train(params: dict[str, object], logdir: str) -> None:
        words = pruned(settings.train.command, params)  # type: ignore[union-attr, arg-type]
        values = {each: spelled(value) for each, value in params.items()} | {"logdir": logdir}  # type: ignore[arg-type]
        env = {
            **os.environ,
            "TBDIAG_PARAMS": json.dumps(params),
            "TBDIAG_LOGDIR": logdir,
            "PYTHONPATH": str(EXAMPLES.parent),
        }
        argv = [sys.executable, *(word.format_map(values) for word in words[1:])]
        subprocess.run(argv, cwd=tmp_path, env=env, check=True, timeout=300)

    first = {each: flag.default for each, flag in flags.flags.items() if each in space.names}
    train(first | {n: v for n, v in SHORT[name].items() if n in first or space.bulk}, "logs/first")
    (run,) = load("logs/first", config=settings, cache=False)
    assert {Role.TRAIN_LOSS, Role.VAL_LOSS, Role.VAL_METRIC} <= set(run.roles.bound)
    done = complete(run, space, flags)
    for each, value in SHORT[name].items():
        assert done.params[each] == value
        assert done.sources[each] not in ("left to the script", f"default of --{each}")
    if name != "huggingface":  # which logs what the script itself sets, too
        assert done.notes == ()

    axis = space.axis(Knob.LR)
    assert axis is not None
    train({**done.params, axis.name: 0.02}, "logs/second")
    (again,) = load("logs/second", config=settings, cache=False)
    assert again.roles.bound.keys() == run.roles.bound.keys()
    assert complete(again, space, flags).params == {**done.params, axis.name: 0.02}
