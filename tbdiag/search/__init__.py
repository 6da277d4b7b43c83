"""Runs under examination together."""

from __future__ import annotations

from tbdiag.search.families import Family, Search

__all__ = ["Family", "Search"]
