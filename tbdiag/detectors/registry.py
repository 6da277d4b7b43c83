"""Finding the rules: every module below this package that defines one."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from functools import cache

import tbdiag.detectors as package
from tbdiag.detectors.base import Detector, Rule, SearchDetector, rule_name


@cache
def every_rule() -> tuple[type[Rule], ...]:
    """All rules, those about single runs and those about searches, in order of their codes."""
    found: dict[str, type[Rule]] = {}
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if module.ispkg or module.name.count(".") < 3:
            continue
        for _, each in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if issubclass(each, Detector | SearchDetector) and each.__module__ == module.name:
                found[each.code] = each
    return tuple(found[code] for code in sorted(found))


@cache
def rules() -> tuple[type[Detector], ...]:
    """The rules that look at one run at a time, in order of their codes."""
    return tuple(rule for rule in every_rule() if issubclass(rule, Detector))


@cache
def search_rules() -> tuple[type[SearchDetector], ...]:
    """The rules that look at several runs together, in order of their codes."""
    return tuple(rule for rule in every_rule() if issubclass(rule, SearchDetector))


def find(word: str) -> type[Rule] | None:
    """The rule with this code or name, in any case; None where there is none."""
    wanted = word.strip().lower().replace("_", "-")
    for rule in every_rule():
        if wanted in (rule.code.lower(), rule_name(rule)):
            return rule
    return None
