"""Scripts take their parameters from the one who started them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tbdiag
from tbdiag.errors import RequestError


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch):
    def tell(**params: object) -> None:
        monkeypatch.setenv("TBDIAG_PARAMS", json.dumps(params))

    monkeypatch.delenv("TBDIAG_PARAMS", raising=False)
    return tell


def test_without_the_variable_the_defaults_hold(told) -> None:
    params = tbdiag.params(lr=1e-3, optimizer="adam")
    assert params == {"lr": 1e-3, "optimizer": "adam"}
    assert (params.lr, params["lr"], dict(**params)) == (1e-3, 1e-3, dict(params))
    with pytest.raises(AttributeError, match='there is no parameter "rate"'):
        _ = params.rate


def test_what_is_told_overrides_and_keeps_the_type(told) -> None:
    told(
        lr=1, epochs=64.0, nesterov=1.0, augment="false", optimizer=3, hidden="128,64", sizes=[3.0],
        path="x/y", subset=None, free=[1], most=2**60 + 1,
    )  # fmt: skip
    params = tbdiag.params(
        lr=0.1, epochs=5, nesterov=False, augment=True, optimizer="adam", hidden=(64, 64), sizes=[1],
        path=Path("a"), subset=7, free=None, most=1, untold="as it is",
    )  # fmt: skip
    assert params == {
        "lr": 1.0, "epochs": 64, "nesterov": True, "augment": False, "optimizer": "3",
        "hidden": (128, 64), "sizes": [3], "path": Path("x/y"), "subset": 7, "free": [1],
        "most": 2**60 + 1, "untold": "as it is",
    }  # fmt: skip
    assert [type(params[name]) for name in ("lr", "epochs", "nesterov")] == [float, int, bool]


def test_every_slip_is_told_at_once(told) -> None:
    told(lrr=1, epochs=2.5, augment="perhaps", lr="high", wings=2, width=True, hidden=["a"])
    with pytest.raises(RequestError) as caught:
        tbdiag.params(lr=0.1, epochs=5, augment=True, width=1, hidden=[1])
    assert str(caught.value).splitlines() == [
        'TBDIAG_PARAMS sets "lrr", which the script does not take; did you mean "lr"?',
        'TBDIAG_PARAMS sets "epochs" to 2.5, but it takes a whole number',
        "TBDIAG_PARAMS sets \"augment\" to 'perhaps', but it takes true or false",
        "TBDIAG_PARAMS sets \"lr\" to 'high', but it takes a number",
        (
            'TBDIAG_PARAMS sets "wings", which the script does not take; '
            "it takes lr, epochs, augment, width, hidden"
        ),
        'TBDIAG_PARAMS sets "width" to True, but it takes a whole number',
        "TBDIAG_PARAMS sets \"hidden\" to ['a'], but it takes a list",
    ]


@pytest.mark.parametrize("text", ["{", "[1]", "3", "[" * 100_000])
def test_what_is_no_object_is_refused(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setenv("TBDIAG_PARAMS", text)
    with pytest.raises(RequestError, match=r"^TBDIAG_PARAMS (is not valid JSON|must be a JSON)"):
        tbdiag.params(lr=1)


def test_it_imports_next_to_nothing() -> None:
    text = (
        "import sys; import tbdiag; print(tbdiag.params(lr=1e-3).lr);"
        "print(*sorted(name for name in sys.modules if name.startswith('tbdiag')));"
        "print(*sorted({'numpy', 'optuna', 'pydantic', 'rich', 'yaml'} & set(sys.modules)))"
    )
    env = {
        **os.environ,
        "TBDIAG_PARAMS": '{"lr": 0.5}',
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    words = [sys.executable, "-c", text]
    done = subprocess.run(words, env=env, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [
        "0.5",
        "tbdiag tbdiag.api tbdiag.api.parameters tbdiag.errors",
        "",
    ]
