"""The tab as TensorBoard sees it: where its pages are, and whether there is something to show."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tensorboard.plugins import base_plugin

from tbdiag.tensorboard_tab.diagnosis import Diagnosis
from tbdiag.tensorboard_tab.loader import ENTRY, NAME, TITLE
from tbdiag.tensorboard_tab.routes import Routes


class DiagnosisTab(base_plugin.TBPlugin):
    """The Diagnosis tab on the logs that TensorBoard was started with."""

    plugin_name = NAME

    def __init__(self, context: Any, *, scan: bool = False, config: Path | None = None) -> None:
        self._diagnosis = Diagnosis(places(context), config)
        self._routes = Routes(self._diagnosis)
        if scan:
            self._diagnosis.begin()

    def get_plugin_apps(self) -> dict[str, Any]:
        """Every page of the tab, each with its own path: no path leads to any other file."""
        return self._routes.apps()

    def is_active(self) -> bool:
        """Whether a diagnosis is there; scalars make the tab active as well."""
        return self._diagnosis.snapshot is not None

    def data_plugin_names(self) -> tuple[str, ...]:
        """Whose data the tab shows."""
        return (NAME, "scalars")

    def frontend_metadata(self) -> Any:
        """Where the tab's module is; TensorBoard's own reload does not concern it."""
        return base_plugin.FrontendMetadata(
            es_module_path=ENTRY, tab_name=TITLE, disable_reload=True
        )


def places(context: Any) -> Sequence[str]:
    """The log folders: that of ``--logdir``, or those of ``--logdir_spec``, without their names."""
    flags = context.flags
    logdir = context.logdir or getattr(flags, "logdir", "") or ""
    if logdir:
        return [os.path.expanduser(logdir)]  # noqa: PTH111 - may be a URL
    found = []
    for each in filter(None, (getattr(flags, "logdir_spec", "") or "").split(",")):
        name, colon, path = each.partition(":")
        named = colon and os.sep not in name and not path.startswith("//")
        found.append(os.path.expanduser(path if named else each))  # noqa: PTH111
    return found
