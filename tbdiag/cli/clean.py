"""``tbdiag clean``: remove what was written for TensorBoard."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag clean logs/ --dry-run
  tbdiag clean logs/"""


def clean(paths: o.Folders = None, dry_run: o.Tries = False, config: o.ConfigFile = None) -> None:
    """Remove every summary that tbdiag wrote, and nothing else.

    Without a path: the configured logdir, else logs/, runs/, lightning_logs/ or tb_logs/.
    """
    from tbdiag import api
    from tbdiag.cli.output import say
    from tbdiag.config import shown
    from tbdiag.views.text import count, printable

    removed = api.clean(paths or None, dry_run=dry_run, config=config)
    if dry_run:
        for each in removed:
            say(printable(shown(each)))
    verb = "would be removed" if dry_run else "removed"
    say(f"{count(len(removed), 'file')} {verb}" if removed else "there is nothing to remove")
