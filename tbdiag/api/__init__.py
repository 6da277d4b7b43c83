"""The library's surface: load runs, scan them, diagnose and plot curves."""

from __future__ import annotations

from tbdiag.api.curves import diagnose, plot_training_curves
from tbdiag.api.folders import load, scan
from tbdiag.api.report import Report
from tbdiag.api.settings import configured

__all__ = ["Report", "configured", "diagnose", "load", "plot_training_curves", "scan"]
