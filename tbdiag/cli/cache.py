"""``tbdiag cache``: what is kept of earlier scans."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag cache
  tbdiag cache --clear"""


def cache(clear: o.Clear = False) -> None:
    """Show what is kept of earlier scans, or remove it.

    TBDIAG_CACHE_DIR names another folder, TBDIAG_CACHE_MB another limit in megabytes.
    """
    from tbdiag.cli.output import say
    from tbdiag.reading.store import RUN, default_store

    store = default_store()
    if clear:
        say(f"{store.clear() / 1e6:.1f} MB removed from {store.folder}")
        return
    size = sum(size for _, size, _ in store.entries())
    logs = len(store.entries(RUN))
    say(f"{store.folder}: {logs} logs, {size / 1e6:.1f} of at most {store.limit / 1e6:.0f} MB")
