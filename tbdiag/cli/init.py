"""``tbdiag init``: write the first configuration of a project."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag init
  tbdiag init train.py --logs runs/
  tbdiag init train.py --force"""


def init(
    script: o.Script = None,
    logs: o.Logs = None,
    force: o.Force = False,
    color: o.Colors = o.Color.AUTO,
) -> None:
    """Write tbdiag.toml: how to retrain, and what may be turned.

    The script is started and stopped where it reads its arguments; it does not train, and nothing of
    it is written.
    """
    from pathlib import Path

    from tbdiag.api.beginning import begin
    from tbdiag.api.replacing import replacing
    from tbdiag.cli.first import chosen, may_write, table
    from tbdiag.cli.output import look, say
    from tbdiag.config.read import OWN_NAME

    root = Path.cwd()
    target = Path(OWN_NAME)
    may_write(target, force=force)
    found = begin(script or chosen(root), logs, root)
    with replacing(target, force=True) as draft:
        draft.write_text(found.toml, "utf-8")
    say(table(found, target, **look(color)))
