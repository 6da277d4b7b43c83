"""``tbdiag rules``: list the rules, or explain one."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag rules
  tbdiag rules GEN001
  tbdiag rules overfitting"""


def rules(code: o.OneRule = None, color: o.Colors = o.Color.AUTO) -> None:
    """List the rules, or explain one: what, why, how, what to change."""
    from tbdiag.cli.output import look, say
    from tbdiag.detectors import registry
    from tbdiag.diagnosis.examine import tried
    from tbdiag.diagnosis.select import named
    from tbdiag.views.rules import render_list, render_one

    if code is None:
        say(render_list(registry.every_rule(), **look(color)))
        return
    rule = named(code)
    say(render_one(rule, tried(rule), **look(color)))
