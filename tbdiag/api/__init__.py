"""The library's surface: load runs, scan and compare them, diagnose and plot curves, read journals."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = [
    "Comparison",
    "History",
    "Report",
    "compare",
    "configured",
    "diagnose",
    "load",
    "plot_training_curves",
    "read_journal",
    "scan",
]

if TYPE_CHECKING:
    from tbdiag.api.comparison import Comparison, compare
    from tbdiag.api.curves import diagnose, plot_training_curves
    from tbdiag.api.folders import load, scan
    from tbdiag.api.journal import History, read_journal
    from tbdiag.api.report import Report
    from tbdiag.api.settings import configured
else:
    _MODULES = {
        "Comparison": "comparison",
        "History": "journal",
        "Report": "report",
        "compare": "comparison",
        "configured": "settings",
        "diagnose": "curves",
        "load": "folders",
        "plot_training_curves": "curves",
        "read_journal": "journal",
        "scan": "folders",
    }

    def __getattr__(name):
        """The names, each imported when it is first used: loading runs needs no rules."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        value = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
