"""The library's surface: load, scan and compare runs, diagnose curves, suggest runs and make them."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = [
    "Comparison",
    "History",
    "Monitor",
    "Report",
    "clean",
    "compare",
    "configured",
    "diagnose",
    "load",
    "params",
    "plot_training_curves",
    "read_journal",
    "retrain",
    "scan",
    "sheet",
    "suggest",
]

if TYPE_CHECKING:
    from tbdiag.api.advice import retrain, sheet, suggest
    from tbdiag.api.cleaning import clean
    from tbdiag.api.comparison import Comparison, compare
    from tbdiag.api.curves import diagnose, plot_training_curves
    from tbdiag.api.folders import load, scan
    from tbdiag.api.journal import History, read_journal
    from tbdiag.api.monitor import Monitor
    from tbdiag.api.parameters import params
    from tbdiag.api.report import Report
    from tbdiag.api.settings import configured
else:
    _MODULES = {
        "Comparison": "comparison",
        "History": "journal",
        "Monitor": "monitor",
        "Report": "report",
        "clean": "cleaning",
        "compare": "comparison",
        "configured": "settings",
        "diagnose": "curves",
        "load": "folders",
        "params": "parameters",
        "plot_training_curves": "curves",
        "read_journal": "journal",
        "retrain": "advice",
        "scan": "folders",
        "sheet": "advice",
        "suggest": "advice",
    }

    def __getattr__(name):
        """The names, each imported when it is first used: loading runs needs no rules."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
