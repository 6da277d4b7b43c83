"""The readers that are compared, each peer in a virtual environment of its own."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from benchmarks.reader.measure import PROGRAMS, Reader

ROOT = Path(__file__).parents[2]
OURS = {"PYTHONPATH": str(ROOT)}
LIBRARY, BARE = "`tbdiag.load`", "its reader alone"

_COMMON = ("numpy==2.4.6", "protobuf==7.36.2", "tensorboard==2.21.0")
_TOLD = ("numpy", "pandas", "protobuf")  # versions that matter for speed
_FIRST_LINE = 200


@dataclass(frozen=True, slots=True)
class Peer:
    """A reader of others: the program that runs it, and what that needs."""

    name: str
    program: str
    package: str
    requirements: tuple[str, ...]


PEERS = (
    Peer("EventAccumulator", "accumulator.py", "tensorboard", _COMMON),
    Peer("tbparse", "frames.py", "tbparse", (*_COMMON, "pandas==3.1.1", "tbparse==0.0.9")),
    Peer("tb-like", "columnar.py", "tb-like", (*_COMMON, "tb-like==0.3.6")),
    Peer(
        "rustboard",
        "rustboard.py",
        "tensorboard-data-server",
        (*_COMMON, "grpcio==1.85.3", "tensorboard-data-server==0.7.2"),
    ),
)


def ours(program: str, name: str, options: dict[str, object] | None = None) -> Reader:
    """A program of our own in this environment, with options of what it calls."""
    after = (json.dumps(options),) if options else ()
    command = (sys.executable, "-P", str(PROGRAMS / program))
    return Reader(name=name, command=command, env=OURS, after=after)


def readers() -> Iterator[tuple[Reader, str]]:
    """All readers, ours first, each with the versions that it runs on."""
    yield ours("library.py", LIBRARY), ""
    yield ours("bare.py", BARE), ""
    for peer in PEERS:
        try:
            python = _environment(peer)
            versions = _versions(python, peer)
        except (OSError, subprocess.SubprocessError) as error:
            yield Reader(name=peer.name, command=(), missing=_reason(error)), ""
            continue
        command = (str(python), "-P", str(PROGRAMS / peer.program))
        yield Reader(name=peer.name, command=command), versions


def _environment(peer: Peer) -> Path:
    """The interpreter of the peer's environment, which is made at the first call."""
    wanted = "\n".join([sys.version, *peer.requirements])
    name = f"{peer.name}-{hashlib.sha256(wanted.encode()).hexdigest()[:12]}"
    folder = user_cache_path("tbdiag-benchmarks") / name
    python = folder / "bin" / "python"
    whole = folder / "whole"
    if not whole.exists():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True, symlinks=True)
        command = [str(python), "-m", "pip", "install", "--quiet", *peer.requirements]
        subprocess.run(command, check=True, capture_output=True, text=True)
        whole.touch()
    return python


def _versions(python: Path, peer: Peer) -> str:
    command = [str(python), "-m", "pip", "list", "--format=json"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found = {each["name"].lower(): each["version"] for each in json.loads(done.stdout)}
    own = f"{peer.package} {found.pop(peer.package)}"
    return ", ".join([own, *(f"{name} {found[name]}" for name in _TOLD if name in found)])


def _reason(error: Exception) -> str:
    told = error.stderr if isinstance(error, subprocess.CalledProcessError) else str(error)
    lines = [line for line in told.splitlines() if "error" in line.lower()] or [told]
    return f"not installed: {lines[0][:_FIRST_LINE]}"
