"""From the configuration and the command line to configured rules."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import tbdiag.config
from tbdiag import __version__
from tbdiag.config import Config, Problem, did_you_mean
from tbdiag.detectors import base
from tbdiag.detectors.base import Detector, SearchDetector, rule_name, thresholds
from tbdiag.detectors.registry import every_rule, find
from tbdiag.diagnosis.examine import SearchSelection, Selection
from tbdiag.errors import ConfigError, UnknownRuleError

Rule = type[base.Rule]


def load(path: Path) -> Config:
    """The configuration in ``path``; raises ConfigError with all problems, also those of rules."""
    config, problems = tbdiag.config.read(path)
    _refuse([*problems, *check(config)])
    return config


def select(config: Config, only: Sequence[str] = (), ignore: Sequence[str] = ()) -> Selection:
    """The rules to run, with their thresholds.

    ``only`` and ``ignore`` come from the command line and go before the configuration: ``only``
    replaces its ``select``, and a rule that it names by its own code or name is not ignored by the
    configuration. Words are codes, names or beginnings of codes (``OPT``), also several with commas
    between. Raises UnknownRuleError for a word that is none of these, ConfigError where the
    configuration names rules or thresholds wrongly.
    """
    _refuse(check(config))
    asked, unwanted = _words(only), _words(ignore)
    unknown = [_unknown(word) for word in (*asked, *unwanted) if not matching(word)]
    if unknown:
        raise UnknownRuleError(", and ".join(unknown))

    chosen = set(_rules(asked or config.select)) if asked or config.select else set(every_rule())
    named = {find(word) for word in asked}
    ignored = {
        rule.code: reason
        for word, reason in config.ignore.items()
        for rule in matching(word)
        if rule not in named
    }
    ignored |= {rule.code: "ignored on the command line" for rule in _rules(unwanted)}
    values: dict[Rule | None, dict[str, Any]] = {
        find(word): dict(table) for word, table in config.rules.items()
    }
    detectors = tuple(rule(**values.get(rule, {})) for rule in every_rule() if rule in chosen)
    ignored = {each.code: ignored[each.code] for each in detectors if each.code in ignored}
    skipped = {rule.code: "not selected" for rule in every_rule() if rule not in chosen}
    together = {rule.code for rule in every_rule() if issubclass(rule, SearchDetector)}
    return Selection(
        detectors=tuple(each for each in detectors if isinstance(each, Detector)),
        skipped={code: reason for code, reason in skipped.items() if code not in together},
        ignored={code: reason for code, reason in ignored.items() if code not in together},
        search=SearchSelection(
            detectors=tuple(each for each in detectors if isinstance(each, SearchDetector)),
            skipped={code: reason for code, reason in skipped.items() if code in together},
            ignored={code: reason for code, reason in ignored.items() if code in together},
        ),
        suspicious=config.suspicions,
        digest=_digest(detectors, ignored, config.suspicions),
    )


def matching(word: str) -> tuple[Rule, ...]:
    """The rule with this code or name, else all whose codes begin so; empty where none does."""
    rule = find(word)
    start = word.strip().upper()
    return (rule,) if rule else tuple(r for r in every_rule() if start and r.code.startswith(start))


def named(word: str) -> Rule:
    """The rule with this code or name; raises UnknownRuleError with the nearest one."""
    rule = find(word)
    if rule is None:
        raise UnknownRuleError(_unknown(word))
    return rule


def check(config: Config) -> list[Problem]:
    """Everything in the configuration that speaks of rules or thresholds which do not exist."""
    problems = [
        config.problem(("select", place), _unknown(word))
        for place, word in enumerate(config.select)
        if not matching(word)
    ]
    problems += [
        config.problem(("ignore", word), _unknown(word))
        for word in config.ignore
        if not matching(word)
    ]
    seen: dict[Rule, str] = {}
    for word, table in config.rules.items():
        rule = find(word)
        if rule is None:
            problems.append(config.problem(("rules", word), _unknown(word)))
            continue
        if rule in seen:
            sentence = f"[rules.{word}] is the same rule as [rules.{seen[rule]}]"
            problems.append(config.problem(("rules", word), sentence))
        seen[rule] = word
        problems += [
            config.problem(("rules", word, name), f'"rules.{word}.{name}" {sentence}')
            for name, sentence in _wrong(rule, table)
        ]
    return problems


def _wrong(rule: Rule, table: Mapping[str, object]) -> Iterator[tuple[str, str]]:
    known = thresholds(rule)
    for name, value in table.items():
        if name not in known:
            yield name, f"is no threshold of {rule_name(rule)}{did_you_mean(name, known)}"
            continue
        kind, _, threshold = known[name]
        kinds = (int, float) if kind is float else (kind,)
        if not isinstance(value, kinds) or (isinstance(value, bool) and kind is not bool):
            article = {int: "an integer", float: "a number", bool: "true or false", str: "a string"}
            yield name, f"must be {article.get(kind, kind.__name__)}, not {value!r}"
        elif isinstance(value, int | float):
            bound = threshold.problem(value) if math.isfinite(value) else "must be finite"
            if bound:
                yield name, f"{bound}, not {value!r}"


def _unknown(word: str) -> str:
    names = [name for rule in every_rule() for name in (rule.code, rule_name(rule))]
    families = {rule.code.rstrip("0123456789") for rule in every_rule()}
    return f'there is no rule "{word}"{did_you_mean(word, [*names, *families])}'


def _words(given: Iterable[str]) -> tuple[str, ...]:
    return tuple(word for each in given for part in each.split(",") if (word := part.strip()))


def _rules(words: Iterable[str]) -> Iterator[Rule]:
    return (rule for word in words for rule in matching(word))


def _refuse(problems: Sequence[Problem]) -> None:
    if problems:
        raise ConfigError([str(each) for each in sorted(problems)])


def _digest(detectors: Sequence[base.Rule], ignored: Mapping[str, str], suspicious: bool) -> str:
    content = {
        "version": __version__,
        "rules": {each.code: asdict(each) for each in detectors},
        "ignored": dict(ignored),
        "suspicious": suspicious,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
