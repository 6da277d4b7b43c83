"""``tbdiag scan --watch``: what comes up while runs are trained, and a report in the end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO

import pytest

from tests.cli.builders import DIVERGED, HEALTHY, event_dir

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows sends no SIGINT to one process")

WAIT = 60.0  # seconds at most


def line(stream: IO[str], word: str) -> str:
    """The next line that holds the word."""
    for each in stream:
        if word in each:
            return each
    pytest.fail(f"{word} was never said")


def test_a_run_that_breaks_is_told_and_the_report_comes_last(tmp_path: Path) -> None:
    command = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tbdiag.cli.app import main\n"
        "main(['scan', 'logs', '--watch', '--format', 'text'])"
    )
    watching = subprocess.Popen(
        [sys.executable, "-c", command],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stderr is not None
        assert watching.stdout is not None
        line(watching.stderr, "waiting for runs")
        (tmp_path / "logs").mkdir()
        event_dir(tmp_path / "logs" / "good", HEALTHY, start=time.time() - 60)
        assert "1 run, 1 of them under way" in line(watching.stderr, "watching")
        event_dir(tmp_path / "logs" / "bad", DIVERGED, start=time.time() - 22)
        told = line(watching.stderr, "NUM001")
        assert "bad" in told
        watching.send_signal(signal.SIGINT)
        out, _ = watching.communicate(timeout=WAIT)
        assert "error[NUM001]" in out
        assert "in 2 runs" in out
        assert watching.returncode == 1
    finally:
        watching.kill()
        watching.communicate()


def test_nothing_was_there_to_report(tmp_path: Path) -> None:
    command = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from tbdiag.cli.app import main\n"
        "main(['scan', sys.argv[1], '--watch'])"
    )
    watching = subprocess.Popen(
        [sys.executable, "-c", command, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert watching.stderr is not None
        line(watching.stderr, "waiting for runs")
        watching.send_signal(signal.SIGINT)
        assert watching.wait(timeout=WAIT) == 130
    finally:
        watching.kill()
        watching.communicate()
