"""A command is filled word by word; no value is ever more than one of them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from tbdiag.config.command import words
from tbdiag.errors import LaunchError
from tbdiag.launch.command import filled
from tbdiag.model.run import Scalar

HERE = Path("/logs/new run")

ODD = ["a b", "it's", '"', "a;b", "$(x)", "`x`", "two\nlines", "*", "\\", "{lr}", "--help", ""]


@pytest.mark.parametrize("value", ODD)
def test_a_value_stays_one_argument(value: str) -> None:
    done = filled(words("python train.py --name {name} --x=a{name}b"), {"name": value}, HERE, HERE)
    assert done.argv == ("python", "train.py", "--name", value, f"--x=a{value}b")


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_text_stays_one_argument(value: str) -> None:
    done = filled(("train", "{a}", "{overrides}"), {"a": value, "b": value}, HERE, HERE)
    assert len(done.argv) == 3
    assert done.argv[1] == value
    assert json.loads(done.env["TBDIAG_PARAMS"]) == {"a": value, "b": value}


@pytest.mark.parametrize(
    ("value", "word"),
    [
        (1e-05, "1e-05"),
        (0.1 + 0.2, "0.30000000000000004"),
        (3, "3"),
        (64.0, "64.0"),
        (True, "true"),
        ("x", "x"),
    ],
)
def test_values_come_back_as_they_were(value: Scalar, word: str) -> None:
    assert filled(("{v}",), {"v": value}, HERE, HERE).argv == (word,)


def test_the_run_is_told_where_it_logs_and_who_it_is() -> None:
    done = filled(words("train --out '{logdir}' {{x}}"), {"lr": 0.1}, HERE, HERE, trial="t7")
    assert done.argv == ("train", "--out", "/logs/new run", "{x}")
    assert done.env == {
        "TBDIAG_PARAMS": '{"lr": 0.1}',
        "TBDIAG_LOGDIR": "/logs/new run",
        "TBDIAG_TRIAL": "t7",
    }


def test_files_hold_all_parameters(tmp_path: Path) -> None:
    params = {"lr": 1e-5, "name": "a: b\n#c", "wide": True, "init": None, "n": 3}
    place = tmp_path / "a" / "b"
    done = filled(("train", "--json={params_json}", "{params_yaml}"), params, HERE, place)
    assert done.argv == ("train", f"--json={place}/params.json", f"{place}/params.yaml")
    assert json.loads((place / "params.json").read_text()) == params
    assert yaml.safe_load((place / "params.yaml").read_text()) == params


def test_files_are_written_only_where_they_are_asked_for(tmp_path: Path) -> None:
    filled(("train", "{lr}"), {"lr": 0.1}, HERE, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_overrides_are_a_word_for_each_parameter_without_a_place() -> None:
    params: dict[str, Scalar] = {"lr": 1e-5, "optimizer.name": "adam w", "seed": 3, "on": False}
    params |= {"like": "true", "number": "1e3", "none": None, "path": "a/b.c", "q": "it's \\"}
    done = filled(words("train seed={seed} {overrides}"), params, HERE, HERE)
    assert done.argv == (
        "train",
        "seed=3",
        "lr=1e-05",
        "optimizer.name='adam w'",
        "on=false",
        "like='true'",
        "number='1e3'",
        "none=null",
        "path=a/b.c",
        "q='it\\'s \\\\'",
    )


@pytest.mark.parametrize(
    ("command", "params", "sentence"),
    [
        ("train {lr}", {}, 'the command needs a value for "lr", and there is none'),
        ("train {lr}", {"lr": None}, 'the command needs a value for "lr", and there is none'),
        ("train --set={overrides}", {}, "{overrides} must be a word of its own in the command"),
        ("train", {"lr": float("nan")}, '"lr" is nan, which no run can be given'),
        ("train {a}", {"a": "x\0y"}, "'x\\x00y' holds a character that no command can be given"),
        ("train {a}", {"a": "\ud800"}, "'\\ud800' holds a character that no command can be given"),
    ],
)
def test_what_cannot_be_filled_is_told(
    command: str, params: dict[str, Scalar], sentence: str
) -> None:
    with pytest.raises(LaunchError) as told:
        filled(words(command), params, HERE, HERE)
    assert str(told.value) == sentence


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(LaunchError, match=r"params\.json cannot be written: Not a directory"):
        filled(("{params_json}",), {}, HERE, tmp_path / "file" / "x")
