"""``tbdiag plot``: the training curves of one run."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag plot logs/lr1e-2
  tbdiag plot logs/lr1e-2 --findings -o curves.svg"""


def plot(
    run: o.OneRun,
    output: o.Picture = None,
    findings: o.Findings = False,
    force: o.Force = False,
    no_cache: o.NoCache = False,
    config: o.ConfigFile = None,
) -> None:
    """Plot loss and accuracy of a run, training beside validation.

    Without -o: <run>.png in the working directory.
    """
    from tbdiag.cli.drawing import plotted
    from tbdiag.cli.output import say

    file = plotted(run, output, findings=findings, force=force, config=config, cache=not no_cache)
    say(str(file))
