"""The first configuration of a project."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tbdiag.advisor.defaults import read_flags
from tbdiag.advisor.drafting import Draft, draft, unlogged
from tbdiag.advisor.flags import Flags
from tbdiag.advisor.source import read_source
from tbdiag.api.folders import DEFAULT_FOLDERS, load
from tbdiag.config import Config
from tbdiag.config.write import written
from tbdiag.errors import NoRunsError, RequestError
from tbdiag.model.run import Run

_LOGS = ("tensorboard", "tbdiag", "summarywriter", "report_to")  # words of scripts that log
_NAMES = ("train", "main", "fit", "finetune", "run", "pretrain")  # what others are called
_NEVER = ("setup.py", "conftest.py", "noxfile.py")
_MOST = 200  # scripts looked at
_LARGEST = 2 << 20  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What was understood of a project, and the text of its `tbdiag.toml`."""

    script: Path
    logs: Path | None
    runs: int
    flags: Flags
    draft: Draft
    notes: tuple[str, ...]
    toml: str


def begin(script: Path, logs: Path | None, root: Path) -> Beginning:
    """The configuration, to lie in the folder ``root``, for a script and the runs below ``logs``.

    Without ``logs`` the first of the usual folders below ``root`` counts, where there is one. Raises
    NoRunsError where ``logs`` is given and holds no run, RequestError where there is no script.
    """
    if not script.is_file():
        raise RequestError(f"there is no script {script}")
    folder = logs or next((root / n for n in DEFAULT_FOLDERS if (root / n).is_dir()), None)
    runs = _runs(folder, given=logs is not None)
    command = ("python", Path(os.path.relpath(script, root)).as_posix())
    flags = read_flags(command, root)
    if not flags.flags:
        raise RequestError(
            f"{script}: {flags.why}; take the parameters by argparse, or by tbdiag.params(lr=1e-3, …)"
        )
    drafted = draft(command, flags, runs)
    notes = list(drafted.notes)
    blind = unlogged(drafted, flags, runs) if runs else ()
    if blind:
        notes.append(
            f"no run has logged {', '.join(blind)}: past runs are taken to have had the defaults"
        )
    if not drafted.space.axes:
        notes.append("no flag is a setting that tbdiag knows: name those to turn in [space]")
    place = Path(os.path.relpath(folder, root)).as_posix() if folder else ""
    toml = written(
        command=drafted.command,
        space=drafted.space.dimensions,
        objective=drafted.objective,
        logdir=place,
        budget=drafted.budget,
        comments={name: axis.source for name, axis in drafted.space.axes.items()},
        head=(
            f"How runs of {command[1]} are retrained: `tbdiag suggest`. Written by `tbdiag init`.",
            "What is not in [space] stays as in the run that a follow-up answers.",
        ),
    )
    return Beginning(
        script=script,
        logs=folder,
        runs=len(runs),
        flags=flags,
        draft=drafted,
        notes=tuple(notes),
        toml=toml,
    )


def candidates(root: Path) -> list[Path]:
    """The scripts in a folder that read arguments and look like training, by name.

    Those that speak of TensorBoard, else those that are called like one.
    """
    readable = []
    for path in sorted(root.glob("*.py"))[:_MOST]:
        if path.name in _NEVER or path.name.startswith("test_") or not path.is_file():
            continue
        source = read_source(path)
        if (source.answers or source.params) and not source.broken:
            readable.append(path)
    talking = [path for path in readable if _speaks(path)]
    if talking:
        return talking
    return [path for path in readable if path.stem.lower().startswith(_NAMES)]


def _speaks(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            text = file.read(_LARGEST).decode("utf-8", "replace").lower()
    except OSError:
        return False
    return any(word in text for word in _LOGS)


def _runs(folder: Path | None, *, given: bool) -> Sequence[Run]:
    if folder is None:
        return ()
    try:
        return load(folder, config=Config())
    except NoRunsError:
        if given:
            raise
        return ()
