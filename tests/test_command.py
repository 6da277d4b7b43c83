"""The words of a training command: places for parameters, and words that are left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from tbdiag import config
from tbdiag.config.command import Slot, mistakes, placeholders, pruned, slots, switch

COMMAND = ("python", "t.py", "--lr", "{lr}", "--wd={wd}", "{data}", "{--aug/--no-aug}", "{--fast}")


def test_a_slot_knows_the_option_that_it_belongs_to() -> None:
    assert slots((*COMMAND, "--out", "{logdir}", "a{b}", "--c", "x{d}")) == (
        Slot("lr", "--lr"), Slot("wd", "--wd"), Slot("data"), Slot("aug", "--aug"),
        Slot("fast", "--fast"), Slot("b"), Slot("d"),
    )  # fmt: skip


def test_a_switch_is_a_word_of_its_own() -> None:
    assert switch("{--no-fast}") == ("no_fast", "--no-fast", "")
    assert switch("{--aug/--no-aug}") == ("aug", "--aug", "--no-aug")
    assert placeholders("{--aug/--no-aug}") == ("aug",)
    for word in ("{lr}", "x{--fast}", "{--}", "{--a b}", "{-/-x}"):
        assert switch(word) is None
    with pytest.raises(ValueError, match="only a name"):
        placeholders("x{--fast}")


def test_words_without_a_value_are_left_out_with_their_option() -> None:
    known = {"lr": 0.1, "wd": 1e-3, "data": "x", "aug": True, "fast": True}
    assert pruned(COMMAND, known) == (*COMMAND[:6], "--aug", "--fast")
    off = {**known, "aug": False, "fast": False}
    assert pruned(COMMAND, off) == (*COMMAND[:6], "--no-aug")
    nothing = dict.fromkeys(known)
    assert pruned(COMMAND, nothing) == ("python", "t.py")
    assert pruned(("t", "--out", "{logdir}", "{overrides}"), {}) == (
        "t", "--out", "{logdir}", "{overrides}",
    )  # fmt: skip
    with pytest.raises(KeyError):
        pruned(COMMAND, {})


def test_an_option_that_stays_is_not_taken_for_that_of_the_next_word() -> None:
    assert pruned(("t", "--flag", "a{x}"), {"x": None}) == ("t", "--flag")
    assert pruned(("t", "--x", "{x}", "{y}"), {"x": 1, "y": None}) == ("t", "--x", "{x}")


def test_only_a_placeholder_that_looks_like_an_unused_knob_is_a_mistake() -> None:
    assert mistakes("t --lr {lr} --size {train_size}", ["lr"]) == []
    assert mistakes("t --lr {lrr}", ["lr"]) == [
        'the command uses "{lrr}", which is not in [space]; did you mean "lr"?'
    ]
    assert mistakes("t {lr} {lr2}", ["lr"]) == []
    assert mistakes("t --out {logdri}", []) == [
        'the command uses "{logdri}", which is not in [space]; did you mean "logdir"?'
    ]
    assert mistakes("t {lrr} {overrides}", ["lr"]) == []


def test_a_budget_may_be_a_parameter_that_stays(tmp_path: Path) -> None:
    path = tmp_path / "tbdiag.toml"
    path.write_text('[train]\ncommand = "t --epochs {epochs}"\nbudget = "epochs"\n')
    train = config.load(path).train
    assert train is not None
    assert train.budget == "epochs"
