"""The generated pages as text: rules, thresholds, commands."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

import typer.main

from tbdiag.cli.app import app
from tbdiag.detectors import registry
from tbdiag.detectors.base import Detector, Threshold, explanation, rule_name, thresholds

Rule = type[Detector]


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
    lines = [
        notice(f"`{rule.__module__.replace('.', '/')}.py`"),
        f"# {rule.code} {name}\n",
        f"{told.summary}\n",
        f"![{fires}: the curve, with the steps of the finding shaded]({rule.code}.svg)\n",
        f"Severity: {rule.severity.value}. Since {rule.since}. Needs: {needs(rule)}.\n",
    ]
    if rule.explains:
        links = ", ".join(reference(code) for code in rule.explains)
        lines.append(f"Where it fires, these are consequences and not reported apart: {links}.\n")
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
    """The curves without which the rule cannot tell, in words."""
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
    return f'"{value}"' if isinstance(value, str) else str(value)


def rule_table(folder: str) -> str:
    """One row for each rule; ``folder`` is where its page stands, as seen from the table."""
    rows = ["| code | rule | what it finds | severity |", "|---|---|---|---|"]
    for rule in registry.rules():
        code = f"[{rule.code}]({folder}{rule.code}.md)"
        summary = explanation(rule).summary.rstrip(".")
        rows.append(f"| {code} | {rule_name(rule)} | {summary} | {rule.severity.value} |")
    return "\n".join(rows) + "\n"


def rule_index() -> str:
    """The list of the rules by family."""
    rules = sorted(registry.rules(), key=lambda rule: (family(rule), rule.code))
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
    for rule in registry.rules():
        name = f"[{rule_name(rule)}](rules/{rule.code}.md)"
        rows += [f"| {name} | {' | '.join(row)} |" for row in threshold_rows(rule)]
    return "\n".join(rows) + "\n"


def command_page() -> str:
    """Every command with its arguments and options."""
    program: Any = typer.main.get_command(app)
    lines = [notice("`tbdiag/cli/`"), "# Commands\n", f"{plain(program.help)}\n"]
    lines += options(program)
    for name, command in sorted(program.commands.items()):
        if command.hidden:
            continue
        words = " ".join(
            each.metavar or each.name.upper() for each in command.params if is_argument(each)
        )
        lines += [f"## tbdiag {name}\n", f"`tbdiag {name} [OPTIONS] {words}`\n".replace(" `", "`")]
        lines += [f"{plain(command.help)}\n", *options(command)]
    return "\n".join(lines)


def options(command: Any) -> list[str]:
    """A table of the arguments and options of a command, none where there are none."""
    rows = []
    for each in command.params:
        if getattr(each, "hidden", False) or each.name == "help":
            continue
        spelled = each.name.upper() if is_argument(each) else ", ".join(each.opts)
        if each.secondary_opts:
            spelled += " / " + ", ".join(each.secondary_opts)
        choices = getattr(each.type, "choices", None)
        if choices:
            spelled += " " + ",".join(str(getattr(choice, "value", choice)) for choice in choices)
        told = plain(getattr(each, "help", None)).replace("\n", " ").replace("|", "\\|")
        default = getattr(each.default, "value", each.default)
        if (
            isinstance(default, str | int | float)
            and not isinstance(default, bool)
            and default != ""
        ):
            told += f" Default: `{default}`."
        rows.append(f"| `{spelled}` | {told} |")
    return ["| | |\n|---|---|", *rows, ""] if rows else []


def is_argument(parameter: Any) -> bool:
    """Whether the parameter stands alone, without an option's dashes."""
    return bool(parameter.param_type_name == "argument")


def plain(text: str | None) -> str:
    """A help text without the marks by which Click keeps its line breaks."""
    return (text or "").replace("\b\n", "").strip()
