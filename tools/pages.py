"""The generated pages as text: rules, thresholds, commands."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from itertools import groupby
from typing import Any, Literal, get_args, get_origin, get_type_hints

from typer.models import ArgumentInfo, CommandInfo, ParameterInfo

from tbdiag.cli.app import app
from tbdiag.detectors import base, registry
from tbdiag.detectors.base import SearchDetector, Threshold, explanation, rule_name, thresholds

Rule = type[base.Rule]


def notice(source: str) -> str:
    """The first line of a generated page."""
    return f"<!-- Generated from {source} by tools/generate.py: edit there, then `make docs`. -->\n"


def family(rule: Rule) -> str:
    """The folder of the rule."""
    return rule.__module__.split(".")[-2]


def rule_page(rule: Rule) -> str:
    """What the rule says of itself, with its picture, its thresholds and how to set them."""
    told = explanation(rule)
    name = rule_name(rule)
    fires = next(sample.name for sample in rule.samples() if sample.fires)
    shown = "the curve, with the steps of the finding shaded"
    if issubclass(rule, SearchDetector):
        shown = "the curves of all runs, those of the finding in colour"
    lines = [
        notice(f"`{rule.__module__.replace('.', '/')}.py`"),
        f"# {rule.code} {name}\n",
        f"{told.summary}\n",
        f"![{fires}: {shown}]({rule.code}.svg)\n",
        f"Severity: {rule.severity.value}. Since {rule.since}. Needs: {needs(rule)}.\n",
    ]
    if rule.explains:
        links = ", ".join(reference(code) for code in rule.explains)
        lines.append(f"Where it fires, these are consequences and not reported apart: {links}.\n")
    if not issubclass(rule, SearchDetector) and rule.leads:
        links = ", ".join(reference(code) for code in rule.leads)
        lines.append(f"It stands before these, as their likelier cause: {links}.\n")
    for title, text in told.sections.items():
        lines.append(f"## {title}\n\n{text}\n")
        if title == "How it is detected" and thresholds(rule):
            lines.append("| threshold | default | bounds | meaning |\n|---|---|---|---|")
            lines += [f"| {' | '.join(row)} |" for row in threshold_rows(rule)]
            first, (_, default, _) = next(iter(thresholds(rule).items()))
            setting = f"[rules.{name}]\n{first} = {toml(default)}"
            lines.append(f"\nIn `tbdiag.toml`:\n\n```toml\n{setting}\n```\n")
    return "\n".join(lines)


def reference(code: str) -> str:
    """A link to the page of another rule, where there is one."""
    return f"[{code}]({code}.md)" if registry.find(code) else code


def needs(rule: Rule) -> str:
    """What the rule cannot tell without, in words."""
    if issubclass(rule, SearchDetector):
        return f"{rule.runs} comparable runs with hyperparameters and a validation curve"
    wanted = [
        " or ".join(role.phrase for role in (need if isinstance(need, tuple) else (need,)))
        for need in rule.needs
    ]
    return " and ".join(wanted) or "see below"


def threshold_rows(rule: Rule) -> Iterator[tuple[str, str, str, str]]:
    """Name, default, bounds and meaning of each threshold."""
    for name, (_, default, threshold) in thresholds(rule).items():
        yield f"`{name}`", f"`{toml(default)}`", bounds(threshold), threshold.meaning


def bounds(threshold: Threshold) -> str:
    """The bounds in words."""
    limits = ("above", threshold.above), ("at least", threshold.at_least)
    told = [f"{word} {limit:g}" for word, limit in limits if limit is not None]
    if threshold.at_most is not None:
        told.append(f"at most {threshold.at_most:g}")
    return ", ".join(told)


def toml(value: Any) -> str:
    """A default as it is written in tbdiag.toml."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return repr(round(value, 6))
    return f'"{value}"' if isinstance(value, str) else str(value)


def rule_table(folder: str) -> str:
    """One row for each rule; ``folder`` is where its page stands, as seen from the table."""
    rows = ["| code | rule | what it finds | severity |", "|---|---|---|---|"]
    for rule in registry.every_rule():
        code = f"[{rule.code}]({folder}{rule.code}.md)"
        summary = explanation(rule).summary.rstrip(".")
        rows.append(f"| {code} | {rule_name(rule)} | {summary} | {rule.severity.value} |")
    return "\n".join(rows) + "\n"


def rule_index() -> str:
    """The list of the rules by family."""
    rules = sorted(registry.every_rule(), key=lambda rule: (family(rule), rule.code))
    lines = [
        notice("the docstrings in `tbdiag/detectors/`"),
        "# Rules\n",
        f"There are {len(rules)} rules. `tbdiag rules` lists them, `tbdiag rules CODE` explains one.\n",
    ]
    for name, members in groupby(rules, key=family):
        lines.append(f"## {name.capitalize()}\n")
        lines += [
            f"- [{rule.code} {rule_name(rule)}]({rule.code}.md): {explanation(rule).summary}"
            for rule in members
        ]
        lines.append("")
    return "\n".join(lines)


def threshold_table() -> str:
    """Every threshold of every rule."""
    rows = ["| rule | threshold | default | bounds | meaning |", "|---|---|---|---|---|"]
    for rule in registry.every_rule():
        name = f"[{rule_name(rule)}](rules/{rule.code}.md)"
        rows += [f"| {name} | {' | '.join(row)} |" for row in threshold_rows(rule)]
    return "\n".join(rows) + "\n"


def command_page() -> str:
    """Every command with its arguments and options."""
    program = app.registered_callback
    assert program is not None
    lines = [
        notice("`tbdiag/cli/`"),
        "# Commands\n",
        f"{prose(inspect.getdoc(program.callback))}\n",
        f"{prose(program.epilog)}\n",
    ]
    for name, command in sorted(commands().items()):
        call = command.callback
        assert call is not None
        parameters = list(described(call))
        arguments = "".join(f" {each.spelled}" for each in parameters if each.positional)
        lines += [f"## tbdiag {name}\n", f"`tbdiag {name} [OPTIONS]{arguments}`\n"]
        lines.append(f"{prose(inspect.getdoc(call))}\n")
        if parameters:
            lines.append("| | |\n|---|---|")
            lines += [f"| `{each.spelled}` | {each.told} |" for each in parameters]
            lines.append("")
        title, _, examples = plain(command.epilog).partition("\n")
        if examples:
            lines.append(f"{title}\n\n```text\n{inspect.cleandoc(examples)}\n```\n")
    return "\n".join(lines)


def commands() -> dict[str, CommandInfo]:
    """The commands that are not hidden, by name."""
    return {
        each.name or each.callback.__name__.replace("_", "-"): each
        for each in app.registered_commands
        if each.callback is not None and not each.hidden
    }


@dataclass(frozen=True)
class Parameter:
    """An argument or option as it is typed, and what it does."""

    spelled: str
    told: str
    positional: bool


def described(command: Callable[..., Any]) -> Iterator[Parameter]:
    """The parameters of a command that are not hidden, in order."""
    hints = get_type_hints(command, include_extras=True)
    for name, parameter in inspect.signature(command).parameters.items():
        kind, *notes = get_args(hints[name]) if hasattr(hints[name], "__metadata__") else (Any,)
        info = next((each for each in notes if isinstance(each, ParameterInfo)), None)
        if info is None or info.hidden:
            continue
        positional = isinstance(info, ArgumentInfo)
        first = info.default if isinstance(info.default, str) else ""  # as `Annotated` leaves it
        words = [each for each in (first, *(info.param_decls or ())) if each.startswith("-")]
        spelled = info.metavar or name.upper() if positional else ", ".join(words)
        if not spelled:
            long = name.replace("_", "-")
            spelled = f"--{long} / --no-{long}" if kind is bool else f"--{long}"
        if info.metavar and not positional:
            spelled = f"{spelled} {info.metavar}"
        told = prose(info.help).replace("\n", " ").replace("|", "\\|")
        choices = [str(getattr(each, "value", each)) for each in choice_of(kind)]
        if choices:
            told += f" One of {', '.join(f'`{each}`' for each in choices)}."
        default = getattr(parameter.default, "value", parameter.default)
        if default not in (None, "", True, False, ..., parameter.empty, (), []):
            told += f" Default: `{default}`."
        yield Parameter(spelled, told, positional)


def choice_of(kind: Any) -> tuple[Any, ...]:
    """The values that a parameter of this type can take, where they are a closed set."""
    if isinstance(kind, type) and issubclass(kind, Enum):
        return tuple(kind)
    if get_origin(kind) is Literal:
        return get_args(kind)
    return next((found for each in get_args(kind) if (found := choice_of(each))), ())


def plain(text: object) -> str:
    """A help text without the marks by which line breaks are kept."""
    return text.replace("\b\n", "").strip() if isinstance(text, str) else ""


def prose(text: object) -> str:
    """A help text as Markdown, in which nothing is taken for a tag."""
    return plain(text).replace("<", "&lt;")
