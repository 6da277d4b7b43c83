"""``python -m tbdiag``."""

from __future__ import annotations

from tbdiag.cli.app import main

if __name__ == "__main__":  # a child process that works for this one imports it, too
    main()
