"""Servers that tests start for themselves: on the loopback interface, in temporary folders."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

PASSWORD = "open-sesame"  # of a server that lives for seconds

_PATIENCE = 60.0


def free_port() -> int:
    """A port of the loopback interface that is free at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def absent(what: str, variable: str) -> None:
    """Skips, or fails where the environment says that it must be there."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{what}, and {variable} says that it must be there")
    pytest.skip(what)


@contextmanager
def postgresql() -> Iterator[str]:
    """The URL of an empty database; initdb refuses root, so as root another user runs it."""
    tools = _tools()
    if tools is None:
        absent("PostgreSQL's initdb is not installed", "TBDIAG_REQUIRE_POSTGRES")
    assert tools is not None
    try:
        import psycopg
    except ImportError:
        absent("psycopg is not installed", "TBDIAG_REQUIRE_POSTGRES")
    # not below pytest's own folder, which nobody else may enter
    with tempfile.TemporaryDirectory(prefix="tbdiag-postgresql-") as name:
        folder, port, who = Path(name), free_port(), _other(Path(name))
        (folder / "secret").write_text(PASSWORD + "\n")
        (folder / "secret").chmod(0o644)
        words = [str(tools / "initdb"), "-D", str(folder / "data"), "-U", "tbdiag"]
        words += ["--auth=scram-sha-256", "--pwfile", str(folder / "secret")]
        words += ["-E", "UTF8", "--locale=C", "--no-sync"]
        plain = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C"}
        done = subprocess.run(words, check=False, capture_output=True, cwd="/", env=plain, **who)
        assert done.returncode == 0, done.stderr.decode()
        words = [str(tools / "postgres"), "-D", str(folder / "data"), "-k", name, "-p", str(port)]
        words += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with (folder / "log").open("wb") as log:
            server = subprocess.Popen(
                words, stdout=log, stderr=log, cwd="/", env=plain, start_new_session=True, **who
            )
        try:
            url = f"postgresql://tbdiag:{PASSWORD}@127.0.0.1:{port}/postgres"
            _awaited(lambda: psycopg.connect(url).close(), server, folder / "log")
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # without waiting for those who are connected
            server.wait(30)


def _other(folder: Path) -> dict[str, Any]:
    """Who runs a server that refuses root, and may write into the folder: nobody, else we."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam("nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def redis(folder: Path) -> Iterator[str]:
    """The URL of an empty Redis."""
    program = shutil.which("redis-server")
    if program is None:
        absent("redis-server is not installed", "TBDIAG_REQUIRE_REDIS")
    assert program is not None
    client = pytest.importorskip("redis", reason="needs the extra `redis`")
    port = free_port()
    words = [
        program,
        "--port",
        str(port),
        "--bind",
        "127.0.0.1",
        "--save",
        "",
        "--dir",
        str(folder),
    ]
    words += ["--requirepass", PASSWORD]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
    try:
        url = f"redis://:{PASSWORD}@127.0.0.1:{port}"

        def ask() -> None:
            with client.Redis.from_url(url) as connection:
                connection.ping()

        _awaited(ask, server, folder / "log")
        yield url
    finally:
        server.terminate()
        server.wait(30)


PROXY = """
import sys
import optuna
from optuna.storages import RDBStorage, run_grpc_proxy_server
run_grpc_proxy_server(RDBStorage(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
"""


@contextmanager
def proxy(folder: Path, storage: str) -> Iterator[str]:
    """The URL of Optuna's gRPC proxy of a storage."""
    pytest.importorskip("grpc", reason="needs the extra `grpc`")
    port = free_port()
    url = storage.replace("postgresql://", "postgresql+psycopg://")
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [sys.executable, "-c", PROXY, url, str(port)],
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        _awaited(
            lambda: socket.create_connection(("127.0.0.1", port)).close(), server, folder / "log"
        )
        yield f"grpc://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(30)


def _tools() -> Path | None:
    """Where PostgreSQL's programs are; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    kept = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    return kept[-1].parent if kept else None


def _awaited(ask: object, server: subprocess.Popen[bytes], log: Path) -> None:
    assert callable(ask)
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            ask()
        except Exception:  # noqa: BLE001 - each server has its own way of not being there yet
            text = log.read_text("utf-8", "replace")
            assert server.poll() is None, text
            assert time.monotonic() < until, text
            time.sleep(0.1)
        else:
            return
