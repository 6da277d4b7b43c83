"""``python -m tbdiag``."""

from __future__ import annotations

from tbdiag.cli.app import main

main()
