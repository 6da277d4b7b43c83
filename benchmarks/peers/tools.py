"""The peers: which version, in which environment, by which command."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.diagnosis.answers import Answer
from benchmarks.peers import forms
from benchmarks.peers.forms import Form, handed_over, names
from benchmarks.peers.messages import Message, answer, messages

_WORKER = Path(__file__).with_name("worker.py")
_FORMS = Path(forms.__file__).read_bytes()  # what was handed over depends on it
_SECONDS = 60.0
_AT_ONCE = 50  # runs between two looks at the disk


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A peer: what pip installs, the module with its ``main``, the words around the path."""

    name: str
    requirement: str
    module: str
    before: tuple[str, ...]
    after: tuple[str, ...]

    def command(self, path: Path) -> list[str]:
        """The words of the command for this path."""
        return [*self.before, str(path), *self.after]

    @property
    def version(self) -> str:
        """The version that is compared."""
        return self.requirement.rpartition("=")[2]


TOOLS = (
    Tool(
        name="runmedic",
        requirement="runmedic==0.1.1",
        module="runmedic.cli",
        before=("diagnose",),
        after=("--json",),
    ),
    Tool(
        name="trainspotter",
        requirement="trainspotter[tensorboard]==0.2.6",
        module="trainspotter.cli",
        before=("analyze",),
        after=("--output", "json"),
    ),
    Tool(
        name="trainproof",
        requirement="trainproof==0.22.0",
        module="trainproof.cli",
        before=("epoch",),
        after=("--json",),
    ),
    Tool(
        name="losslint",
        requirement="losslint[tb]==0.4.1",
        module="losslint.cli",
        before=("check",),
        after=("--format", "json"),
    ),
)


class Bench:
    """The peers on runs: environments and answers are kept below ``cache`` and used again."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache

    def answers(self, tool: Tool, folders: Sequence[Path], form: Form) -> list[Answer]:
        """What the tool says of the run in each folder. Raises CalledProcessError without pip."""
        place = self.cache / f"{tool.name}-{tool.version}.json"
        known: dict[str, list[dict[str, str]] | None] = {}
        if place.exists():
            known = json.loads(place.read_text("utf-8"))
        keys = [_key(folder, form) for folder in folders]
        new = [(key, folder) for key, folder in zip(keys, folders, strict=True) if key not in known]
        for first in range(0, len(new), _AT_ONCE):
            some = new[first : first + _AT_ONCE]
            paths = [handed_over(folder, form, self.cache / "runs" / key) for key, folder in some]
            found = self._ask(tool, paths)
            for (key, _), each in zip(some, found, strict=True):
                known[key] = None if each is None else [asdict(message) for message in each]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(known), "utf-8")
        return [
            answer(
                tool.name, None if (kept := known[key]) is None else [Message(**m) for m in kept]
            )
            for key in keys
        ]

    def _ask(self, tool: Tool, paths: Sequence[Path]) -> list[list[Message] | None]:
        python = self._environment(tool)
        commands = [tool.command(path.resolve()) for path in paths]
        with tempfile.TemporaryDirectory() as scratch:
            lines: list[dict[str, str]] = []
            while len(lines) < len(commands):
                lines += _said(python, tool, commands[len(lines) :], scratch)
        return [_understood(tool, line) for line in lines]

    def _environment(self, tool: Tool) -> Path:
        """The interpreter of the tool's own environment, made where there is none."""
        folder = self.cache / f"{tool.name}-{tool.version}"
        python = folder / "bin" / "python"
        done = folder / "installed"
        if not done.exists():
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run(
                [str(python), "-m", "pip", "install", "--quiet", tool.requirement],
                check=True,
                stdout=sys.stderr,
            )
            done.touch()
        return python


def _said(
    python: Path, tool: Tool, commands: Sequence[list[str]], scratch: str
) -> list[dict[str, str]]:
    """The answers to the first commands, one at least; where the process dies it has failed that."""
    done = subprocess.run(
        [str(python), str(_WORKER), tool.module, str(_SECONDS)],
        input="".join(json.dumps(command) + "\n" for command in commands),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        encoding="utf-8",
        cwd=scratch,
        env={"PYTHONUTF8": "1", "NO_COLOR": "1", "HOME": scratch},
        check=False,
    )
    lines: list[dict[str, str]] = [json.loads(line) for line in done.stdout.splitlines()]
    return lines if len(lines) == len(commands) else [*lines, {"failed": "the process died"}]


def _understood(tool: Tool, line: dict[str, str]) -> list[Message] | None:
    if "output" not in line:
        return None
    try:
        return messages(tool.name, line["output"])
    except ValueError:
        return None


def _key(folder: Path, form: Form) -> str:
    """A digest of the event files in the folder and of the form in which they are handed over."""
    digest = hashlib.sha256(form.encode())
    if form is not Form.EVENTS:
        digest.update(json.dumps(names(folder, form)).encode() + _FORMS)
    for path in sorted(folder.rglob("*tfevents*")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]
