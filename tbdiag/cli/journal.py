"""``tbdiag journal``: what was tried, why, and what became of it."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag journal
  tbdiag journal logs/ --format markdown -o tried.md
  tbdiag journal logs/ --format csv -o tried.csv --force"""


def journal(
    path: o.OneLog = None,
    formats: o.JournalFormats = "text",
    output: o.Output = None,
    force: o.Force = False,
    config: o.ConfigFile = None,
    color: o.Colors = o.Color.AUTO,
) -> None:
    """Show what was tried: why, with which change, with which result.

    Without a path: the configured logdir, else logs/, runs/, lightning_logs/ or tb_logs/.
    """
    from tbdiag.api import read_journal
    from tbdiag.cli import notebook
    from tbdiag.cli.deliver import targets

    wanted = targets(formats, output, notebook.FORMATS)
    notebook.deliver(read_journal(path, config=config), wanted, color=color, force=force)
