"""``tbdiag compare``: what differs between runs, and whether that is noise."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag compare logs/lr1e-2 logs/lr3e-2
  tbdiag compare logs/ --plot curves.png
  tbdiag compare logs/ --format json --output comparison.json"""


def compare(
    runs: o.SomeRuns,
    formats: o.Formats = "text",
    output: o.Output = None,
    plot: o.Overlay = None,
    force: o.Force = False,
    config: o.ConfigFile = None,
    no_cache: o.NoCache = False,
    color: o.Colors = o.Color.AUTO,
) -> None:
    """Compare runs: what differs, and whether a lead is beyond noise.

    A folder stands for all runs below it. Of six runs and more it tells which setting matters.
    """
    from tbdiag.cli import side_by_side
    from tbdiag.cli.deliver import targets

    wanted = targets(formats, output, side_by_side.FORMATS)
    found = side_by_side.compared(runs, plot, force=force, config=config, cache=not no_cache)
    side_by_side.deliver(found, wanted, color=color)
    if plot is not None:
        side_by_side.draw(found, plot, force=force)
