from __future__ import annotations

import subprocess
import sys
from types import SimpleNamespace

import pytest
from werkzeug.test import Client
from werkzeug.wrappers import Response

from tbdiag.tensorboard_tab.loader import DiagnosisLoader, UnavailableTab
from tests.cli.builders import ROOT


def test_the_loader_imports_nothing_heavy():
    heavy = ("numpy", "pandas", "optuna", "tbdiag.api", "tbdiag.tensorboard_tab.tab")
    code = (
        "import sys, tensorboard.plugins.base_plugin; before = set(sys.modules)\n"
        "import tbdiag.tensorboard_tab.loader\n"
        f"print([name for name in {heavy!r} if name in set(sys.modules) - before])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    "error", [ImportError("no\nnumpy"), RuntimeError('</script>"'), OSError(5)]
)
def test_whatever_breaks_tensorboard_gets_a_tab_that_says_so(monkeypatch, caplog, error):
    def broken(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("tbdiag.tensorboard_tab.tab.DiagnosisTab", broken)
    tab = DiagnosisLoader().load(SimpleNamespace(logdir="x", flags=None))
    assert isinstance(tab, UnavailableTab)
    assert not tab.is_active()
    assert caplog.text.count("The Diagnosis tab of tbdiag cannot be shown") == 1
    script = Client(tab.get_plugin_apps()["/static/index.js"], Response).get("/").text
    assert "export function render()" in script
    assert type(error).__name__ in script
    assert "\n" not in script.split("textContent = ")[1].split(";\n")[0]


def test_the_entry_point_is_the_loader():
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    module, name = project["entry-points"]["tensorboard_plugins"]["tbdiag"].split(":")
    assert (module, name) == (DiagnosisLoader.__module__, DiagnosisLoader.__name__)
