"""Storages of several kinds on this machine, each with files, and what was fetched of them."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, unquote

import pytest

from tests.remote.s3 import proxy

AZURITE_KEY = (  # which every Azurite has
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
)

_PATIENCE = 60.0


@dataclass
class Store:
    """Where a folder that was put there is read: below ``url``, with these ``options``.

    ``fetched`` are the bytes of files that were asked for; ``wrong`` are (URL, options, sentence) that
    lead nowhere.
    """

    scheme: str
    url: str
    options: Mapping[str, Any]
    put: Callable[[Path, str], None]
    fetched: Callable[[], int]
    wrong: tuple[tuple[str, Mapping[str, Any], str], ...] = ()


def needed(*modules: str, extra: str) -> None:
    """Skips where a client or a server is not installed."""
    missing = [each for each in modules if find_spec(each) is None]
    if missing:
        pytest.skip(f"{', '.join(missing)} is not installed: pip install 'tbdiag[{extra}]'")


SSH_SERVER = """
import asyncio, sys, asyncssh
folder, key, counter = sys.argv[1:]

class Server(asyncssh.SSHServer):
    def password_auth_supported(self):
        return True
    def validate_password(self, username, password):
        return (username, password) == ("me", "open sesame")

class Files(asyncssh.SFTPServer):
    def __init__(self, channel):
        super().__init__(channel, chroot=folder.encode())
    def read(self, file_obj, offset, size):
        data = super().read(file_obj, offset, size)
        with open(counter, "a") as file:
            file.write(f"{len(data)}\\n")
        return data

async def main():
    server = await asyncssh.listen(
        "127.0.0.1", 0, server_host_keys=[key], server_factory=Server, sftp_factory=Files
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.sleep(3600)

asyncio.run(main())
"""


@contextmanager
def ssh(folder: Path) -> Iterator[Store]:
    """An SSH server with its SFTP, for one user with a password, below ``folder``."""
    needed("sshfs", "asyncssh", extra="ssh")
    import asyncssh

    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(folder / "key")
    counter, files = folder / "read", folder / "files"
    counter.touch()
    files.mkdir()
    words = [sys.executable, "-c", SSH_SERVER, str(files), str(folder / "key"), str(counter)]
    with child(words, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        known = folder / "known_hosts"
        known.write_text(f"[127.0.0.1]:{port} {key.export_public_key().decode()}")
        options = {"known_hosts": str(known)}
        yield Store(
            scheme="ssh",
            url=f"ssh://me:open sesame@127.0.0.1:{port}",
            options=options,
            put=partial(copied, files),
            fetched=lambda: sum(map(int, counter.read_text().split())),
            wrong=(
                (f"ssh://me:sesame@127.0.0.1:{port}/x", options, "permission denied"),
                (f"ssh://me:open sesame@127.0.0.1:{port}/x", {}, "its host key is not known"),
                ("ssh://me@127.0.0.1:1/x", options, "cannot be reached"),
            ),
        )


@contextmanager
def gs(folder: Path) -> Iterator[Store]:
    """An emulator of Google Cloud Storage, behind a proxy that counts."""
    needed("gcsfs", "gcp_storage_emulator", extra="gcs,dev")
    port = free()
    words = [sys.executable, "-m", "gcp_storage_emulator", "start", "--in-memory"]
    with child([*words, "--port", str(port), "--default-bucket", "bucket"]), proxy(port) as front:
        answered(f"http://127.0.0.1:{port}/")
        options = {"endpoint_url": front.url, "token": "anon"}
        gone = {"endpoint_url": "http://127.0.0.1:1", "token": "anon"}
        yield Store(
            scheme="gs",
            url="gs://bucket",
            options=options,
            put=partial(posted, f"http://127.0.0.1:{port}/upload/storage/v1/b/bucket/o"),
            fetched=lambda: front.served.bytes,
            wrong=(
                ("gs://bucket/x", gone, "cannot be reached"),
                ("gs://nobodys/x", options, "does not exist"),
            ),
        )


@contextmanager
def az(folder: Path) -> Iterator[Store]:
    """Azurite, Microsoft's emulator of Azure's blobs, behind a proxy that counts."""
    needed("adlfs", extra="azure")
    program = shutil.which("azurite-blob")
    if program is None:
        pytest.skip("azurite-blob is not installed: npm install --global azurite")
    port = free()
    words = [program, "--blobPort", str(port), "--inMemoryPersistence", "--skipApiVersionCheck"]
    with child(words, cwd=folder), proxy(port) as front:
        answered(f"http://127.0.0.1:{port}/devstoreaccount1")
        text = (
            "DefaultEndpointsProtocol=http;AccountName=devstoreaccount1;"
            f"AccountKey={AZURITE_KEY};BlobEndpoint={front.url}/devstoreaccount1;"
        )
        bad = text.replace(AZURITE_KEY, "AAAA" + AZURITE_KEY[4:])
        gone = text.replace(front.url, "http://127.0.0.1:1")
        options = {"connection_string": text}
        yield Store(
            scheme="az",
            url="az://container",
            options=options,
            put=partial(piped, "az", "container", options),
            fetched=lambda: front.served.bytes,
            wrong=(
                ("az://container/x", {"connection_string": bad}, "permission denied"),
                ("az://container/x", {"connection_string": gone}, "cannot be reached"),
                ("az://nowhere/x", options, "does not exist"),
            ),
        )


@contextmanager
def http(folder: Path) -> Iterator[Store]:
    """A web server that lists its folders and knows ranges, as nginx and Apache do."""
    needed("aiohttp", extra="http")
    sent = [0]

    class Handler(SimpleHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None: ...

        def do_GET(self) -> None:
            path = Path(self.translate_path(self.path))
            if not path.is_file():
                super().do_GET()
                return
            data = path.read_bytes()
            asked = self.headers.get("Range", "")
            self.send_response(206 if asked else 200)
            if asked:
                first, _, last = asked.removeprefix("bytes=").partition("-")
                self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
                data = data[int(first) : int(last or len(data)) + 1]
            self.send_header("Accept-Ranges", "bytes")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            sent[0] += len(data)

    with serving(partial(Handler, directory=str(folder))) as port:
        yield Store(
            scheme="http",
            url=f"http://127.0.0.1:{port}",
            options={},
            put=partial(copied, folder),
            fetched=lambda: sent[0],
            wrong=(("http://127.0.0.1:1/x", {}, "cannot be reached"),),
        )


@contextmanager
def hf(folder: Path) -> Iterator[Store]:  # noqa: C901 - a handler needs what stands around it
    """What is asked of the Hugging Face Hub to read a dataset's files, and nothing more."""
    needed("huggingface_hub", extra="hf")
    sent, api = [0], "/api/datasets/me/runs/"

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *words: object) -> None: ...

        def _answer(self, status: int, data: bytes, kind: str, **headers: str) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            for name, value in headers.items():
                self.send_header(name.replace("_", "-"), value)
            self.end_headers()
            self.wfile.write(data)

        def _tell(self, told: object) -> None:
            self._answer(200, json.dumps(told).encode(), "application/json")

        def _missing(self, code: str) -> None:
            self._answer(404, b"{}", "application/json", X_Error_Code=code)

        def do_GET(self) -> None:
            path = unquote(self.path.partition("?")[0])
            if path in (api.rstrip("/"), f"{api}revision/main"):
                self._tell({"id": "me/runs", "sha": "0" * 40, "siblings": [], "tags": []})
            elif path.startswith(f"{api}tree/main"):
                top = folder / path.removeprefix(f"{api}tree/main").strip("/")
                if not top.is_dir():
                    self._missing("EntryNotFound")
                    return
                self._tell([entry(each) for each in sorted(top.rglob("*"))])
            elif path.startswith("/datasets/me/runs/resolve/main/"):
                file = folder / path.removeprefix("/datasets/me/runs/resolve/main/")
                if not file.is_file():
                    self._missing("EntryNotFound")
                    return
                data = file.read_bytes()
                first, _, last = (
                    self.headers.get("Range", "bytes=0-").removeprefix("bytes=").partition("-")
                )
                part = data[int(first) : int(last or len(data)) + 1]
                sent[0] += len(part)
                span = f"bytes {first}-{int(first) + len(part) - 1}/{len(data)}"
                self._answer(206, part, "application/octet-stream", Content_Range=span)
            else:
                self._missing("RepoNotFound")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if self.path != f"{api}paths-info/main":
                self._missing("RepoNotFound")
                return
            try:
                names = json.loads(body)["paths"]
            except ValueError:
                names = parse_qs(body).get("paths", [])
            there = [folder / each for each in names if (folder / each).exists()]
            self._tell([entry(each) for each in there])

    def entry(path: Path) -> dict[str, object]:
        kind = "file" if path.is_file() else "directory"
        size = path.stat().st_size if path.is_file() else 0
        oid = hashlib.sha1(path.read_bytes() if path.is_file() else b"").hexdigest()
        inside = path.relative_to(folder).as_posix()
        return {"type": kind, "path": inside, "size": size, "oid": oid}

    with serving(Handler) as port:
        options = {"endpoint": f"http://127.0.0.1:{port}", "token": False}
        yield Store(
            scheme="hf",
            url="hf://datasets/me/runs",
            options=options,
            put=partial(copied, folder),
            fetched=lambda: sent[0],
            wrong=(
                ("hf://datasets/me/none/x", options, "does not exist"),
                (
                    "hf://datasets/me/runs/x",
                    {"endpoint": "http://127.0.0.1:1", "token": False},
                    "cannot be reached",
                ),
            ),
        )


STORES = {"ssh": ssh, "gs": gs, "az": az, "http": http, "hf": hf}


@contextmanager
def serving(handler: Callable[..., BaseHTTPRequestHandler]) -> Iterator[int]:
    """The port of a web server in a thread."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()
        thread.join(_PATIENCE)


@contextmanager
def child(words: Sequence[str], **options: Any) -> Iterator[subprocess.Popen[Any]]:
    """A server as a child process, which is ended by its id."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(words, **{**quiet, **options})
    try:
        yield process
    finally:
        process.terminate()
        process.wait(_PATIENCE)
        if process.stdout is not None:
            process.stdout.close()


def copied(served: Path, files: Path, name: str) -> None:
    """Puts files below the folder that is served."""
    shutil.copytree(files, served / name, dirs_exist_ok=True)


def posted(url: str, files: Path, name: str) -> None:
    """Puts files into a bucket of Google's, each in one request."""
    for path in each_file(files):
        where = quote(f"{name}/{path.relative_to(files).as_posix()}", safe="")
        request = urllib.request.Request(f"{url}?uploadType=media&name={where}", path.read_bytes())
        request.add_header("Content-Type", "application/octet-stream")
        with urllib.request.urlopen(request, timeout=_PATIENCE):
            pass


def piped(scheme: str, top: str, options: Mapping[str, Any], files: Path, name: str) -> None:
    """Puts files into a bucket or container, which is made where it is not there."""
    import fsspec

    fs = fsspec.filesystem(scheme, **options, skip_instance_cache=True)
    if not fs.exists(top):
        fs.mkdir(top)
    for path in each_file(files):
        fs.pipe_file(f"{top}/{name}/{path.relative_to(files).as_posix()}", path.read_bytes())


def each_file(folder: Path) -> Iterator[Path]:
    """All files below a folder."""
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def free() -> int:
    """A port that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def answered(url: str) -> None:
    """Waits until a server answers, whatever it says."""
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except urllib.error.HTTPError:
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)
