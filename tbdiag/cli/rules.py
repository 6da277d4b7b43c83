"""``tbdiag rules``: list the rules, or explain one."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag rules
  tbdiag rules GEN001
  tbdiag rules overfitting"""


def rules(code: o.OneRule = None, color: o.Colors = o.Color.AUTO) -> None:
    """List the rules, or explain one: what, why, how it is detected, what to change."""
    from tbdiag.case import Case
    from tbdiag.cli.output import look, say
    from tbdiag.detectors import registry
    from tbdiag.diagnosis.select import named
    from tbdiag.views.rules import render_list, render_one

    if code is None:
        say(render_list(registry.rules(), **look(color)))
        return
    rule = named(code)
    found = [(each, next(rule().check(Case(each.run)), None)) for each in rule.samples()]
    say(render_one(rule, found, **look(color)))
