from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from tbdiag.errors import RequestError
from tbdiag.tensorboard_tab import board
from tests.cli.builders import OVERFITTING, ROOT, called, event_dir


class Running:
    """``tbdiag board`` as a process of its own, with what it said so far."""

    def __init__(self, folder: Path, *words: str) -> None:
        self.out = folder / f"said-{time.monotonic_ns()}"
        with self.out.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-u", "-m", "tbdiag", "board", *words],
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )

    def url(self) -> str:
        """Where it answers, once it says so."""
        patience = time.monotonic() + 60
        while time.monotonic() < patience:
            match = re.search(r"(http://\S+)/#tbdiag\n", self.out.read_text())
            if match:
                return match[1]
            assert self.process.poll() is None, self.out.read_text()
            time.sleep(0.05)
        raise AssertionError(self.out.read_text())

    def ended(self, by: int) -> int:
        """Its exit code after a signal."""
        self.process.send_signal(by)
        return self.process.wait(20)


def diagnosis(url: str) -> dict[str, object]:
    """The summary of the scan that runs in the background."""
    for _ in range(600):
        with urllib.request.urlopen(f"{url}/data/plugin/tbdiag/state", timeout=30) as answer:
            told = json.loads(answer.read())
        if told["diagnosis"]:
            return told["diagnosis"]["summary"]
        time.sleep(0.1)
    raise AssertionError(told)


def test_it_scans_moves_from_a_taken_port_and_ends_by_signals(tmp_path):
    event_dir(tmp_path / "logs" / "over", OVERFITTING)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        first = Running(tmp_path, str(tmp_path / "logs"), "--port", str(port))
        try:
            url = first.url()
            assert not url.endswith(f":{port}")
            assert f"port {port} is taken" in first.out.read_text()
            assert diagnosis(url)["runs"] == 1
            with urllib.request.urlopen(f"{url}/data/plugins_listing", timeout=30) as answer:
                listed = json.loads(answer.read())
            assert listed["tbdiag"]["enabled"]
            assert first.ended(signal.SIGTERM) == 0
        finally:
            first.process.kill()
    said = first.out.read_text()
    assert "Traceback" not in said
    assert len(said.splitlines()) == 3


def test_control_c_during_the_scan_is_its_usual_end(tmp_path):
    running = Running(tmp_path, str(ROOT / "sample_logs"))
    try:
        running.url()
        assert running.ended(signal.SIGINT) == 0
    finally:
        running.process.kill()
    assert "Traceback" not in running.out.read_text()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["{}/missing"], "{}/missing does not exist"),
        (["{}/file"], "{}/file is a file: name the folder that holds the event files"),
        (["{}", "--host", "192.0.2.1"], "192.0.2.1 port 6006 cannot be used: "),
        (["{}", "--host", "no such host"], "no such host port 6006 cannot be used: "),
    ],
)
def test_what_cannot_be_shown_is_one_sentence_and_2(capsys, tmp_path, words, sentence):
    (tmp_path / "file").touch()
    code, out, err = called(capsys, "board", *(each.format(tmp_path) for each in words))
    assert (code, out) == (2, "")
    assert err.startswith(f"tbdiag: {sentence.format(tmp_path)}")
    assert err.count("\n") == 1


def test_without_tensorboard_it_says_how_to_get_it(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tensorboard.default", None)
    monkeypatch.delattr("tensorboard.default", raising=False)
    with pytest.raises(RequestError, match="pip install --upgrade tensorboard"):
        board.start(tmp_path, "127.0.0.1", 6006)


def test_others_are_let_in_only_with_a_word_about_it(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(board, "_launch", lambda *_: "http://0.0.0.0:6006/")
    monkeypatch.setattr("threading.Event.wait", lambda self, timeout=None: True)
    _, out, err = called(capsys, "board", tmp_path, "--host", "0.0.0.0")
    assert "whoever can reach 0.0.0.0 sees these logs" in err
    assert out == "TensorBoard with the Diagnosis tab: http://0.0.0.0:6006/#tbdiag\n"
    _, _, err = called(capsys, "board", tmp_path)
    assert "whoever" not in err
