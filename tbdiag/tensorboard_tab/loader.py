"""What TensorBoard imports when it starts: it must never fail, or TensorBoard would not start.

Nothing but the plugin's base is imported here; all else when the tab is made, under guard.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path
from typing import Any

from tensorboard.plugins import base_plugin

NAME = "tbdiag"
TITLE = "Diagnosis"
ENTRY = "/static/index.js"

_LOG = logging.getLogger("tensorboard")


class DiagnosisLoader(base_plugin.TBLoader):
    """Makes the tab; where that fails, one that says why in one sentence.

    With ``scan`` the runs are diagnosed as soon as the tab is made; ``config`` is the file of a
    configuration that counts instead of the nearest.
    """

    def __init__(self, scan: bool = False, config: Path | None = None) -> None:
        self._scan, self._config = scan, config

    def load(self, context: Any) -> Any:
        """The tab for the logs of a TensorBoard."""
        try:
            from tbdiag.tensorboard_tab.tab import DiagnosisTab

            return DiagnosisTab(context, scan=self._scan, config=self._config)
        except Exception as error:  # noqa: BLE001 - whatever is broken must not stop TensorBoard
            why = " ".join(f"{type(error).__name__}: {error}".split())
            sentence = f"The Diagnosis tab of tbdiag cannot be shown: {why}"
            _LOG.error("%s", sentence)
            return UnavailableTab(sentence)


class UnavailableTab(base_plugin.TBPlugin):
    """A tab that says why there is no diagnosis."""

    plugin_name = NAME

    def __init__(self, sentence: str) -> None:
        self._sentence = sentence

    def get_plugin_apps(self) -> dict[str, Any]:
        """The one module that says it."""
        return {ENTRY: self._module}

    def is_active(self) -> bool:
        """Never: there is nothing to see."""
        return False

    def frontend_metadata(self) -> Any:
        """Where the module is, and the tab's name."""
        return base_plugin.FrontendMetadata(es_module_path=ENTRY, tab_name=TITLE)

    def _module(self, environ: Any, start_response: Any) -> Any:
        from tensorboard.backend import http_util
        from werkzeug import wrappers

        said = json.dumps(self._sentence)
        script = (
            "export function render() {\n"
            '  const said = document.createElement("p");\n'
            '  said.style.cssText = "font: 16px sans-serif; margin: 2em; color: #b3261e";\n'
            f"  said.textContent = {said};\n"
            "  document.body.append(said);\n"
            "}\n"
        )
        answer = http_util.Respond(wrappers.Request(environ), script, "text/javascript")
        return answer(environ, start_response)
