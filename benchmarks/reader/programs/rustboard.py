"""TensorBoard's data server: its own CPU seconds until all is loaded, and what it then serves.

The server listens on 127.0.0.1 alone and ends with this program.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import grpc
import tensorboard_data_server
from tensorboard.data.proto import data_provider_pb2 as messages
from tensorboard.data.proto.data_provider_pb2_grpc import TensorBoardDataProviderStub

_PAUSE = 0.02  # seconds between two looks at the server
_CALM = 5  # looks at which it does nothing before it is asked
_ALL = 1 << 30
_LARGEST = 1 << 30


def main(folder: str) -> None:
    """Writes points, CPU seconds and peak bytes of the server as JSON."""
    with tempfile.TemporaryDirectory() as place:
        port = Path(place, "port")
        command = [
            tensorboard_data_server.server_binary(),
            f"--logdir={folder}",
            "--host=127.0.0.1",
            "--port=0",
            f"--port-file={port}",
            "--reload=once",
            "--samples-per-plugin=scalars=all",
            "--die-after-stdin",
            f"--error-file={place}/error",
        ]
        with subprocess.Popen(command, stdin=subprocess.PIPE) as server:
            try:
                print(json.dumps(_measured(server, port, folder)))
            finally:
                server.kill()


def _measured(server: subprocess.Popen[bytes], port: Path, folder: str) -> dict[str, float]:
    while not (port.exists() and port.read_text().endswith("\n")):
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode}")
        time.sleep(_PAUSE)
    expected = {
        path.parent.relative_to(folder).as_posix() for path in Path(folder).rglob("*tfevents*")
    }
    told = {"points": -1.0}
    answering = 0.0
    options = [("grpc.max_receive_message_length", _LARGEST)]
    with grpc.insecure_channel(f"127.0.0.1:{port.read_text().strip()}", options=options) as channel:
        stub = TensorBoardDataProviderStub(channel)
        while True:
            clock = _calm(server.pid)
            seen = {"cpu": clock - answering, "peak": _peak(server.pid)}
            runs = {run.name for run in stub.ListRuns(messages.ListRunsRequest()).runs}
            points = sum(_points(stub, run) for run in sorted(runs))
            answering += _clock(server.pid) - clock
            if runs == expected and points == told["points"]:
                return told  # there was no more to load than at the look before
            told = {"points": points, **seen}


def _points(stub: TensorBoardDataProviderStub, run: str) -> int:
    """The points that the server has of a run."""
    request = messages.ReadScalarsRequest(downsample=messages.Downsample(num_points=_ALL))
    request.plugin_filter.plugin_name = "scalars"
    request.run_tag_filter.runs.names.append(run)
    answer = stub.ReadScalars(request)
    return sum(len(tag.data.step) for each in answer.runs for tag in each.tags)


def _calm(process: int) -> float:
    """CPU seconds of the server, as soon as it has nothing to do: all threads sleep."""
    looks, before = 0, -1.0
    while looks < _CALM:
        time.sleep(_PAUSE)
        now = _clock(process)
        looks = looks + 1 if _asleep(process) and now == before else 0
        before = now
    return before


def _asleep(process: int) -> bool:
    try:
        tasks = [task.read_text() for task in Path(f"/proc/{process}/task").glob("*/stat")]
    except OSError:  # one has just ended
        return False
    return all(task.rpartition(")")[2].split()[0] == "S" for task in tasks)


def _clock(process: int) -> float:
    """CPU seconds of another process and its threads: the clock of clock_getcpuclockid(3)."""
    return time.clock_gettime(~process << 3 | 2)


def _peak(process: int) -> int:
    """The largest resident set of the process so far, in bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


if __name__ == "__main__":
    main(sys.argv[1])
