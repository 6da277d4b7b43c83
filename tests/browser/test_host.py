"""The browser and the host work here at all: what the other tests in this folder stand on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser.servers import ROOT, Server


@pytest.mark.parametrize("loader", ["auto", "false"])
def test_tensorboard_opens_in_the_browser(
    page, board: Callable[..., Server], shot: Callable[..., Path], loader: str
) -> None:
    server = board(ROOT / "sample_logs", f"--load_fast={loader}")
    page.goto(f"{server.url}/#timeseries")
    page.get_by_text("healthy-adam", exact=True).first.wait_for()
    assert shot(page, f"timeseries-{loader}").stat().st_size > 10_000
