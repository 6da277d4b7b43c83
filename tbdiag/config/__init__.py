"""The configuration file: `tbdiag.toml`, or ``[tool.tbdiag]`` in `pyproject.toml`."""

from __future__ import annotations

from tbdiag.config.read import find, load, read
from tbdiag.config.settings import Config, Problem, did_you_mean, shown

__all__ = ["Config", "Problem", "did_you_mean", "find", "load", "read", "shown"]
