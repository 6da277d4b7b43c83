"""Which script ``tbdiag init`` is about, and how it shows what it understood."""

from __future__ import annotations

import sys
from pathlib import Path

from tbdiag.api.beginning import Beginning, candidates
from tbdiag.config import find, shown
from tbdiag.config.read import SHARED_NAME
from tbdiag.errors import RequestError
from tbdiag.views.text import count
from tbdiag.views.understood import Line, render

_READ = {
    "argparse": "told by its parser",
    "click": "told by its command",
    "help": "read from its --help",
    "hydra": "told by its Hydra configuration",
    "source": "read from its source",
    "tbdiag.params": "read from its call of tbdiag.params",
}


def may_write(target: Path, *, force: bool) -> None:
    """Raises RequestError where there is a configuration already, unless it may be replaced."""
    if force:
        return
    if target.exists():
        raise RequestError(f"{target} exists; --force overwrites it")
    shared = target.with_name(SHARED_NAME)
    if find(Path.cwd()) == shared.resolve():
        raise RequestError(
            f"{shared} has a [tool.tbdiag], which {target} would hide; --force writes it all the same"
        )


def chosen(root: Path) -> Path:
    """The one script in the folder that trains; of several the one that the user picks.

    Asks only on a terminal. Raises RequestError where there is none, or nobody to ask.
    """
    found = [path.relative_to(root) for path in candidates(root)]
    if len(found) == 1:
        return found[0]
    if not found:
        raise RequestError(
            "no training script was found here; name it: tbdiag init path/to/train.py"
        )
    names = ", ".join(map(str, found))
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise RequestError(f"several scripts may be the one that trains: {names}; name one")
    import typer

    for number, path in enumerate(found, start=1):
        typer.echo(f"{number}  {path}")
    asked: int = typer.prompt("Which one trains?", type=int)
    if not 1 <= asked <= len(found):
        raise RequestError(f"there is no script number {asked}")
    return found[asked - 1]


def table(found: Beginning, target: Path, *, color: bool, width: int, ascii: bool) -> str:  # noqa: A002 - as views call it
    """What was understood, and what comes next."""
    logs = f"{count(found.runs, 'run')} in {shown(found.logs)}" if found.logs else "no logs yet"
    flags = count(len(found.flags.flags), "flag")
    lines = [
        Line(
            flag=row.option,
            knob=row.knob.value if row.knob else "",
            default=row.default,
            dimension=row.axis.dimension if row.axis else None,
            source=row.axis.source if row.axis else "",
        )
        for row in found.draft.rows
    ]
    return render(
        lines,
        found.notes,
        title=f"{shown(found.script)}: {flags}, {_READ[found.flags.how]}; {logs}",
        end=f"{target} written; look at it, then: tbdiag suggest",
        color=color,
        width=width,
        ascii=ascii,
    )
