"""The templates, styles and scripts of the page, and the policy that lets nothing else run.

The one user of Jinja.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tbdiag.views.page.bundle import bundled
from tbdiag.views.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent
_TAB = _HERE.parents[1] / "tensorboard_tab" / "static"  # whose modules draw the same things
_MODULES = (
    _TAB / "vendor" / "uPlot.esm.js",
    _TAB / "theme.js",
    _TAB / "format.js",
    _TAB / "marks.js",
    *(_HERE / "static" / f"{name}.js" for name in ("chart", "matrix", "page")),
)
_COLORS = _TAB / "colors.css"
_STYLES = (_TAB / "vendor" / "uPlot.min.css", _HERE / "static" / "page.css")
_SET_DARK, _PREFERS_DARK = (
    ":root[data-theme='dark']",
    "@media screen and (prefers-color-scheme: dark)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assets:
    """What stands in every page: its ``style``, its ``script``, and the content security ``policy``.

    The policy knows both by their digests, so that no markup out of a log could run, load or send
    anything, were it ever to get into the page.
    """

    style: str
    script: str
    policy: str


@cache
def assets() -> Assets:
    """Read once."""
    style = "\n".join((_colors(), *(path.read_text("utf-8") for path in _STYLES)))
    script = bundled(_MODULES)
    for text, end in ((style, "</style"), (script, "</script"), (script, "<!--")):
        if end in text:
            raise ValueError(f"{end} ends what it stands in")
    policy = {
        "default-src": "'none'",
        "script-src": _digest(script),
        "style-src": _digest(style),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return Assets(
        style=style,
        script=script,
        policy="; ".join(f"{name} {value}" for name, value in policy.items()),
    )


def _colors() -> str:
    """The tab's colours; the dark ones where the reader's system is dark, for no TensorBoard says so here."""
    light, dark = _COLORS.read_text("utf-8").split(_SET_DARK)
    return f"{light}{_PREFERS_DARK} {{ :root {dark} }}"


@cache
def environment() -> Environment:
    """Templates that escape whatever they are given, and show what is invisible or turns the text."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_clean,
    )


def _clean(value: Any) -> Any:
    """What is written of a value: markup of the templates themselves as it is."""
    is_text = isinstance(value, str) and not hasattr(value, "__html__")
    return printable(value) if is_text else value


def _digest(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode()}'"
