"""What scripts print for --help is read, whichever library prints it."""

from __future__ import annotations

import pytest

from tbdiag.advisor.flags import Kind
from tbdiag.advisor.help_text import from_help

ARGPARSE = """\
usage: train.py [-h] [--lr LR] [--optimizer {sgd,adam}] [--nesterov]

options:
  -h, --help            show this help message and exit
  -l LR, --lr LR        learning rate (default: 0.001)
  --optimizer {sgd,adam}
                        update rule
                        (default: adam)
  --epochs EPOCHS       passes
  --nesterov            look ahead
"""
CLICK = """\
Usage: train.py [OPTIONS]

Options:
  -l, --lr FLOAT            peak  [default: 0.001]
  --optim [sgd|adam]        update rule  [default: adam]
  --augment / --plain       [default: augment]
  --fold INTEGER            [required]
  --help                    Show this message and exit.
"""
TYPER = """\
╭─ Options ──────────────────────────────────────────────────╮
│ --lr                 FLOAT    Peak. [default: 0.001]       │
│ --epochs             INTEGER  [default: 5]                 │
│ --help                        Show this message and exit.  │
╰────────────────────────────────────────────────────────────╯
"""
ABSL = """\
train.py:
  --lr: learning rate
    (default: '0.001')
    (a number)
  --optimizer: <sgd|adam>: update rule
    (default: 'adam')
  --[no]augment: whether to augment
    (default: 'true')
"""


def test_argparse() -> None:
    found = from_help(ARGPARSE)
    assert {name: each.default for name, each in found.items()} == {
        "lr": 0.001, "optimizer": "adam", "epochs": None, "nesterov": False,
    }  # fmt: skip
    assert found["lr"].options == ("-l", "--lr")
    assert found["lr"].kind is Kind.FLOAT
    assert found["optimizer"].choices == ("sgd", "adam")
    assert found["nesterov"].kind is Kind.SWITCH
    assert not found["epochs"].known


def test_click() -> None:
    found = from_help(CLICK)
    assert {*found} == {"lr", "optim", "augment", "fold"}
    assert (found["lr"].default, found["lr"].kind) == (0.001, Kind.FLOAT)
    assert (found["optim"].default, found["optim"].choices) == ("adam", ("sgd", "adam"))
    assert found["fold"].required


def test_typer() -> None:
    found = from_help(TYPER)
    assert {name: (each.default, each.kind) for name, each in found.items()} == {
        "lr": (0.001, Kind.FLOAT),
        "epochs": (5, Kind.INT),
    }


def test_absl() -> None:
    found = from_help(ABSL)
    assert {name: each.default for name, each in found.items()} == {
        "lr": 0.001, "optimizer": "adam", "augment": True,
    }  # fmt: skip
    assert found["optimizer"].choices == ("sgd", "adam")
    assert found["augment"].off == "--noaugment"


@pytest.mark.parametrize(
    "text",
    ["", "no flags here", "--" * 5000, "  --x " + "[" * 100_000, "-" * 100, "  -" + "\x00" * 50,
     "  --a\n" * 20_000, "  --x (default: " + "(" * 5000, "  --x {" + "a," * 5000 + "}"],
)  # fmt: skip
def test_garbage_is_passed_over_in_no_time(text: str) -> None:
    assert len(from_help(text)) <= 1
