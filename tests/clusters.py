"""A Ray cluster of this machine alone, one for all tests that want one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def small_cluster() -> Iterator[None]:
    """Within it `ray` is connected to two CPUs of this machine, on the loopback interface."""
    import logging

    import ray

    os.environ["RAY_AUTH_MODE"] = "disabled"  # nobody else reaches it
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    ray.init(
        address="local",  # also where another one is running
        num_cpus=2,
        include_dashboard=False,
        object_store_memory=80 << 20,
        _node_ip_address="127.0.0.1",
        log_to_driver=False,
        logging_level=logging.ERROR,
        namespace="tbdiag",
    )
    try:
        yield
    finally:
        ray.shutdown()
