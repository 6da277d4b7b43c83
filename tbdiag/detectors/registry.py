"""Finding the rules: every module below this package that defines one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

import tbdiag.detectors as package
from tbdiag.detectors.base import Detector, rule_name


@cache
def rules() -> tuple[type[Detector], ...]:
    """All rules, in order of their codes."""
    found = {}
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.ispkg or module.name.count(".") < 3:
            continue
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(each, Detector) and each.__module__ == module.name:
                found[each.code] = each
    return tuple(found[code] for code in sorted(found))


def find(word: str) -> type[Detector] | None:
    """The rule with this code or name, in any case; None where there is none."""
    wanted = word.strip().lower().replace("_", "-")
    for rule in rules():
        if wanted in (rule.code.lower(), rule_name(rule)):
            return rule
    return None
