"""The commands in one place, and the one handler of what goes wrong in them."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from tbdiag import __version__
from tbdiag.cli import (
    board,
    cache,
    clean,
    compare,
    export,
    init,
    journal,
    plot,
    report,
    rules,
    scan,
    suggest,
)
from tbdiag.errors import RequestError

# Plain help starts in about half the time of Rich's panels, and keeps examples as they stand.
app = typer.Typer(
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"max_content_width": 88},
)


def _version(asked: bool) -> None:
    if asked:
        print(f"tbdiag {__version__}")
        raise typer.Exit


_CODES = "Exit codes: 0 fine, 1 findings (--fail-on), 2 bad request, 3 tbdiag failed."


@app.callback(epilog=_CODES)
def tbdiag(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """A linter for training runs: reads TensorBoard logs and says what went wrong in them."""


app.command("scan", epilog=scan.EXAMPLES)(scan.scan)
app.command("suggest", epilog=suggest.EXAMPLES)(suggest.suggest)
app.command("compare", epilog=compare.EXAMPLES)(compare.compare)
app.command("plot", epilog=plot.EXAMPLES)(plot.plot)
app.command("report", epilog=report.EXAMPLES)(report.report)
app.command("board", epilog=board.EXAMPLES)(board.board)
app.command("init", epilog=init.EXAMPLES)(init.init)
app.command("rules", epilog=rules.EXAMPLES)(rules.rules)
app.command("journal", epilog=journal.EXAMPLES)(journal.journal)
app.command("export", epilog=export.EXAMPLES)(export.export)
app.command("clean", epilog=clean.EXAMPLES)(clean.clean)
app.command("cache", epilog=cache.EXAMPLES)(cache.cache)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Runs one command and exits: 0, 1 findings, 2 bad request, 3 failed, 130 interrupted."""
    try:
        app(arguments)
    except RequestError as error:
        from tbdiag.cli.failure import refuse

        refuse(error)
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last place that can still say what happened
        from tbdiag.cli import failure

        failure.report(error)
        sys.exit(3)
    sys.exit(0)
