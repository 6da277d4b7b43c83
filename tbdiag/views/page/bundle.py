"""JavaScript modules as one script, so that a page holds all it runs."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_IMPORT = re.compile(
    r"^import (?:\{(?P<names>[^}]+)\}|\* as (?P<all>\w+)|(?P<default>\w+)) from '(?P<path>[^']+)';$",
    re.MULTILINE,
)
_COMMENT = re.compile(r"^[ \t]*/\*(?:(?!\*/).)*\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export (?=(?:async )?(?:function|class|const|let) (\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export \{ (\w+) as default \};$", re.MULTILINE)


def bundled(modules: Iterable[Path]) -> str:
    """The modules in this order as one script that defines no global name; the last ones run last.

    A module is known by its file's name and imports only from those before it. Only the forms of
    import and export that tbdiag's own modules use are known: ValueError for others. Comments that fill
    lines of their own are left out, but for licences.
    """
    parts = ["(() => {", "'use strict';", "const modules = {};"]
    known: set[str] = set()
    for path in modules:
        parts.append(_wrapped(path.name, path.read_text("utf-8"), known))
        known.add(path.name)
    return "\n".join([*parts, "})();", ""])


def _wrapped(name: str, text: str, known: set[str]) -> str:
    def taken(match: re.Match[str]) -> str:
        source = match["path"].rsplit("/", 1)[-1]
        if source not in known:
            raise ValueError(f"{name} imports {source}, which does not stand before it")
        whole = f"modules['{source}']"
        if match["names"]:
            return f"const {{{match['names'].replace(' as ', ': ')}}} = {whole};"
        if match["all"]:
            return f"const {match['all']} = {whole};"
        return f"const {match['default']} = {whole}.default;"

    text = _COMMENT.sub(lambda each: each[0] if "Copyright" in each[0] else "", text)
    names = _EXPORT.findall(text)
    defaults = _DEFAULT.findall(text)
    text = _DEFAULT.sub("", _EXPORT.sub("", _IMPORT.sub(taken, text)))
    if left := re.search(r"^(?:import|export)\b.*$", text, re.MULTILINE):
        raise ValueError(f"{name}: {left[0]!r} cannot be bundled")
    told = [*names, *(f"default: {each}" for each in defaults)]
    return f"modules['{name}'] = (() => {{\n{text}\nreturn {{{', '.join(told)}}};\n}})();"
