"""``tbdiag scan``: diagnose every run below the paths."""

from __future__ import annotations

from functools import partial

from typer import Exit

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag scan logs/
  tbdiag scan logs/ --select OPT,GEN001 --fail-on warning
  tbdiag scan logs/ --format text,json --output report.json --plots plots/
  tbdiag scan logs/ --format markdown >> "$GITHUB_STEP_SUMMARY"
  tbdiag scan logs/ --watch
  tbdiag scan logs/ --write"""


def scan(
    paths: o.Paths = None,
    formats: o.ReportFormats = "text",
    output: o.Output = None,
    select: o.Select = None,
    ignore: o.Ignore = None,
    fail_on: o.FailsOn = o.FailOn.ERROR,
    show: o.Shows = None,
    watch: o.Watches = False,
    plots: o.Plots = None,
    write: o.Writes = False,
    out: o.Out = None,
    config: o.ConfigFile = None,
    no_cache: o.NoCache = False,
    jobs: o.Jobs = None,
    cluster: o.Cluster = None,
    memory: o.Memory = None,
    verify: o.Verify = False,
    color: o.Colors = o.Color.AUTO,
) -> None:
    """Diagnose every run below the paths.

    Without a path: the configured logdir, else logs/, runs/, lightning_logs/ or tb_logs/. With
    --watch it looks again and again, says what comes up, and reports when you press Ctrl-C.
    """
    from tbdiag.cli import deliver

    targets = deliver.targets(formats, output)
    look = partial(
        deliver.scanned,
        paths,
        select,
        ignore,
        config,
        cache=not no_cache,
        jobs=jobs,
        cluster=cluster,
        memory=memory,
        verify=verify,
    )
    if watch:
        from tbdiag.cli.watching import watched

        found = watched(look, color)
    else:
        found = look()
    deliver.report(found, targets, color=color, show_passed=show is not None)
    if plots is not None:
        deliver.plots(found, plots)
    if write or out is not None:
        deliver.written(found, out)
    if deliver.fails(found, fail_on):
        raise Exit(1)
