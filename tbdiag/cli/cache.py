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
    from tbdiag.reading.store import default_store

    store = default_store()
    if clear:
        say(f"{store.clear() / 1e6:.1f} MB removed from {store.folder}")
        return
    shelves = store.shelves()
    size = sum(size for _, size, _ in shelves)
    folders = f"{len(shelves)} log folder{'s' if len(shelves) != 1 else ''}"
    say(f"{store.folder}: {folders}, {size / 1e6:.1f} of at most {store.limit / 1e6:.0f} MB")
