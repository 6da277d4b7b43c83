"""``tbdiag board``: TensorBoard with the Diagnosis tab open."""

from __future__ import annotations

from tbdiag.cli import options as o

EXAMPLES = """\b
Examples:
  tbdiag board logs/
  tbdiag board logs/ --port 7007"""


def board(
    path: o.OneFolder = None,
    port: o.Port = 6006,
    host: o.Host = "127.0.0.1",
    config: o.ConfigFile = None,
) -> None:
    """Show TensorBoard with the Diagnosis tab open.

    It opens at once; runs appear as they are diagnosed. Without a path: the configured logdir, else
    logs/, runs/, lightning_logs/ or tb_logs/. Ends with Ctrl-C.
    """
    from tbdiag.cli.serving import serve

    serve(path, host, port, config)
