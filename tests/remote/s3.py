"""An S3 server on this machine, and a proxy before it that counts, slows down and fails."""

from __future__ import annotations

import http.client
import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

KEY, SECRET = "AKIATESTTESTTESTTEST", "wJalrXUtnFEMIverySecretKey"
_PATIENCE = 60.0
_OWN = ("transfer-encoding", "content-length", "connection", "date", "server")
_ERRORS = {
    "slow down": (503, "SlowDown", "Please reduce your request rate."),
    "too many": (429, "TooManyRequests", "Too many requests."),
    "forbidden": (403, "AccessDenied", f"Access Denied for {KEY}"),
    "fail": (500, "InternalError", "We encountered an internal error."),
}

Fault = Callable[["Request"], str]  # "", or one of slow down, forbidden, fail, cut, late


@dataclass(frozen=True)
class Request:
    """What was asked for: ``number`` counts the requests for that path from 1."""

    method: str
    path: str
    query: str
    number: int

    @property
    def lists(self) -> bool:
        return "list-type" in self.query or "prefix=" in self.query


@dataclass
class Served:
    """What the proxy was asked for, and the bytes of the files that it gave."""

    bytes: int = 0
    requests: Counter[str] = field(default_factory=Counter)
    lists: int = 0
    at_once: int = 0
    most_at_once: int = 0

    def reset(self) -> None:
        self.bytes = self.lists = self.most_at_once = 0
        self.requests.clear()


@contextmanager
def s3_server() -> Iterator[int]:
    """The port of a moto server, a child process that is ended by its id."""
    script = (
        "import sys, logging; logging.getLogger('werkzeug').disabled = True\n"
        "from moto.server import DomainDispatcherApplication, create_backend_app\n"
        "from werkzeug.serving import make_server\n"
        "app = DomainDispatcherApplication(create_backend_app)\n"
        "server = make_server('127.0.0.1', 0, app, threaded=True)\n"
        "print(server.port, flush=True); server.serve_forever()\n"
    )
    environment = {**os.environ, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}
    child = subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
    )
    try:
        assert child.stdout is not None
        yield int(child.stdout.readline())
    finally:
        child.terminate()
        child.wait(_PATIENCE)
        child.stdout.close()


@dataclass
class Proxy:
    """A proxy on ``port``; ``fault`` says of each request what goes wrong with it."""

    port: int
    served: Served
    fault: Fault | None = None
    delay: float = 0.0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@contextmanager
def proxy(target: int) -> Iterator[Proxy]:  # noqa: C901 - a handler needs what stands around it
    """A proxy before the server on the port ``target``."""
    served, lock = Served(), threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None: ...

        def _serve(self) -> None:
            path, _, query = self.path.partition("?")
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length)
            with lock:
                served.requests[path] += 1
                asked = Request(self.command, path, query, served.requests[path])
                served.lists += asked.lists
                served.at_once += 1
                served.most_at_once = max(served.most_at_once, served.at_once)
            try:
                self._answer(asked, body)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True
            finally:
                with lock:
                    served.at_once -= 1

        def _answer(self, asked: Request, body: bytes) -> None:
            time.sleep(front.delay)
            fault = front.fault(asked) if front.fault else ""
            if fault in _ERRORS:
                self._error(*_ERRORS[fault])
                return
            connection = http.client.HTTPConnection("127.0.0.1", target, timeout=_PATIENCE)
            headers = {n: v for n, v in self.headers.items() if n.lower() != "accept-encoding"}
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            data = answer.read()
            connection.close()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in _OWN:
                    self.send_header(name, value)
            size = len(data) // 2 if fault == "short" else len(data)
            told = answer.getheader("Content-Length") if self.command == "HEAD" else str(size)
            self.send_header("Content-Length", told or "0")
            self.end_headers()
            if self.command == "GET" and not asked.lists and answer.status in (200, 206):
                with lock:
                    served.bytes += len(data)
            if fault == "late":
                time.sleep(1.5)
            self.wfile.write(data[: len(data) // 2] if fault in ("cut", "short") else data)
            self.close_connection |= fault == "cut"

        def _error(self, status: int, code: str, message: str) -> None:
            text = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
            self.send_response(status)
            self.send_header("Content-Type", "application/xml")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(text.encode())

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        request_queue_size = 128

        def handle_error(self, *given: Any) -> None: ...

    server = Server(("127.0.0.1", 0), Handler)
    front = Proxy(server.server_address[1], served)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield front
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_PATIENCE)


def upload(port: int, bucket: str, folder: Path, prefix: str = "") -> None:
    """All files below ``folder``, into a bucket that is made where it is not there."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_PATIENCE)
    signed = {
        "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20260101/us-east-1/s3/aws4_request"
    }

    def put(path: str, data: bytes) -> None:
        connection.request("PUT", path, data, signed)
        answer = connection.getresponse()
        answer.read()
        assert answer.status in (200, 409), answer.status

    put(f"/{bucket}", b"")
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            inside = path.relative_to(folder).as_posix()
            put(f"/{bucket}/{quote(prefix + inside)}", path.read_bytes())
    connection.close()


def quote(path: str) -> str:
    return re.sub(r"[^A-Za-z0-9/._~-]", lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), path)
