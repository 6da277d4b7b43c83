"""TensorBoard's two loaders as its dashboards see them, without a browser, on a folder that may grow."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import grpc
from tensorboard import context
from tensorboard.backend.event_processing import data_provider, plugin_event_multiplexer
from tensorboard.data import grpc_provider, server_ingester
from tensorboard.util import grpc_util

LOADERS = ("fast", "slow")
_PATIENCE = 20.0
_Answer = TypeVar("_Answer")


@dataclass
class Host:
    """What a running TensorBoard has loaded; ``reload`` looks for what is new."""

    provider: Any
    reload: Callable[[], object]

    def scalars(self, run: str) -> dict[str, list[tuple[int, float]]]:
        found = self._read("read_scalars", "scalars").get(run, {})
        return {tag: [(p.step, p.value) for p in points] for tag, points in found.items()}

    def strings(self, plugin: str, run: str) -> dict[str, list[tuple[int, str]]]:
        """The texts of a plugin's tensors."""
        found = self._read("read_tensors", plugin).get(run, {})
        return {
            tag: [(point.step, point.numpy.item().decode()) for point in points]
            for tag, points in found.items()
        }

    def images(self, run: str) -> dict[str, list[tuple[int, list[bytes]]]]:
        """Steps and blobs: width, height, PNG."""
        found = self._read("read_blob_sequences", "images").get(run, {})
        return {
            tag: [
                (p.step, [self.provider.read_blob(_CONTEXT, blob_key=r.blob_key) for r in p.values])
                for p in points
            ]
            for tag, points in found.items()
        }

    def metadata(self, plugin: str) -> dict[str, dict[str, bytes]]:
        """run → tag → what the plugin keeps beside its tensors."""
        found = self.provider.list_tensors(_CONTEXT, experiment_id="", plugin_name=plugin)
        return {
            run: {tag: s.plugin_content for tag, s in tags.items()} for run, tags in found.items()
        }

    def eventually(self, ask: Callable[[Host], _Answer], wanted: _Answer) -> None:
        """Asserts that the answer becomes the wanted one."""
        patience = time.monotonic() + _PATIENCE
        while (answer := ask(self)) != wanted and time.monotonic() < patience:
            self.reload()
            time.sleep(0.1)
        assert answer == wanted, f"{answer} is not {wanted}"

    def _read(self, method: str, plugin: str) -> Any:
        return getattr(self.provider, method)(
            _CONTEXT, experiment_id="", plugin_name=plugin, downsample=1000
        )


_CONTEXT = context.RequestContext()


@contextmanager
def host(loader: str, logdir: Path) -> Iterator[Host]:
    """A TensorBoard that has loaded ``logdir`` by the ``loader``, fast or slow."""
    if loader == "slow":
        loaded = plugin_event_multiplexer.EventMultiplexer(tensor_size_guidance={"scalars": 1000})

        def reload() -> None:
            loaded.AddRunsFromDirectory(str(logdir))
            loaded.Reload()

        reload()
        yield Host(data_provider.MultiplexerDataProvider(loaded, str(logdir)), reload)
        return
    port = logdir.parent / f"{logdir.name}.port"
    words = [server_ingester.get_server_binary().path, f"--logdir={logdir}", "--reload=1"]
    words += ["--port=0", f"--port-file={port}", "--die-after-stdin"]
    with subprocess.Popen(words, stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        try:
            while not (port.exists() and port.read_text().endswith("\n")):
                assert process.poll() is None
                time.sleep(0.05)
            address = f"localhost:{int(port.read_text())}"
            credentials, options = grpc_util.ChannelCredsType.LOCAL.channel_config()
            with grpc.secure_channel(address, credentials, options=options) as channel:
                stub = grpc_provider.make_stub(channel)
                yield Host(grpc_provider.GrpcDataProvider(address, stub), lambda: None)
        finally:
            process.stdin.close()  # at which it ends
            port.unlink(missing_ok=True)
