"""tbdiag: a linter for training runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

__version__ = "0.1.0"

__all__ = [
    "Comparison",
    "Finding",
    "History",
    "Monitor",
    "Report",
    "Run",
    "Series",
    "TbdiagError",
    "clean",
    "compare",
    "diagnose",
    "load",
    "params",
    "plot_training_curves",
    "read_journal",
    "retrain",
    "scan",
    "suggest",
]

if TYPE_CHECKING:
    from tbdiag.api import (
        Comparison,
        History,
        Monitor,
        Report,
        clean,
        compare,
        diagnose,
        load,
        params,
        plot_training_curves,
        read_journal,
        retrain,
        scan,
        suggest,
    )
    from tbdiag.errors import TbdiagError
    from tbdiag.model.finding import Finding
    from tbdiag.model.run import Run
    from tbdiag.model.series import Series
else:
    _MODULES = {
        "Finding": "tbdiag.model.finding",
        "Run": "tbdiag.model.run",
        "Series": "tbdiag.model.series",
        "TbdiagError": "tbdiag.errors",
    }

    def __getattr__(name):
        """The public names, each imported when it is first used (PEP 562)."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        import gc
        from importlib import import_module

        collecting = gc.isenabled()
        gc.disable()  # what is imported lasts: looking for garbage in it takes a tenth of the time
        try:
            value = getattr(import_module(_MODULES.get(name, "tbdiag.api")), name)
        finally:
            if collecting:
                gc.enable()
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *__all__})
