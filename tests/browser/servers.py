"""TensorBoard as users start it: a process of its own on a free port, ended by its id."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATIENCE = 60.0  # seconds until a server that does not answer is given up


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """A running server: where it answers, its process, and the file with all that it said."""

    url: str  # ends without a slash, with the path prefix
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """Its output and errors so far."""
        return self.log.read_text("utf-8", errors="replace")

    def get(self, path: str) -> bytes:
        """The body of ``path``; raises HTTPError."""
        with urllib.request.urlopen(self.url + path, timeout=30) as answer:
            return bytes(answer.read())

    def cpu(self) -> float:
        """Seconds of processor time that it has spent so far."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait(self) -> None:
        """Returns when it answers; raises AssertionError with its log where it does not."""
        patience = time.monotonic() + _PATIENCE
        while time.monotonic() < patience:
            assert self.process.poll() is None, self.said
            try:
                self.get("/")
            except (urllib.error.URLError, ConnectionError, TimeoutError):
                time.sleep(0.1)
            else:
                return
        raise AssertionError(f"no answer from {self.url}\n{self.said}")

    def end(self) -> int:
        """Ends the process and gives its exit code."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            return self.process.wait(10)


def tensorboard(
    logdir: Path,
    home: Path,
    flags: Sequence[str] = (),
    prefix: str = "",
    path: str = "",
) -> Server:
    """TensorBoard on ``logdir``, answering; caches and its log go below ``home``.

    Modules in ``path`` are found before all others.
    """
    port = free_port()
    words = ["-m", "tensorboard.main", "--logdir", str(logdir.resolve()), "--port", str(port)]
    words += ["--host", "127.0.0.1", "--reload_interval", "1", *flags]
    words += ["--path_prefix", prefix] if prefix else []
    return started(words, f"http://127.0.0.1:{port}{prefix}", home, path)


def started(words: Sequence[str], url: str, home: Path, path: str = "") -> Server:
    """This project's Python with ``words``, once ``url`` answers."""
    home.mkdir(parents=True, exist_ok=True)
    python = os.pathsep.join(filter(None, (path, str(ROOT))))
    env = {**os.environ, "PYTHONPATH": python, "TBDIAG_CACHE_DIR": str(home / "cache")}
    env |= {"HOME": str(home), "XDG_CACHE_HOME": str(home), "TMPDIR": str(home)}
    log = home / f"server-{url.rpartition(':')[2].replace('/', '-')}.log"
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, *words], cwd=home, env=env, stdout=out, stderr=subprocess.STDOUT
        )
    server = Server(url, process, log)
    try:
        server.wait()
    except BaseException:
        server.end()
        raise
    return server
