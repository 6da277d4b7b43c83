"""Work on a Ray cluster, and how one is reached."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import Any

from tbdiag import __version__
from tbdiag.errors import RequestError, TbdiagError
from tbdiag.scale.base import AHEAD, TRIES, B, R

NAMESPACE = "tbdiag"
LOCAL = "local"

_STORE = 200 << 20  # bytes of shared memory for results, on a cluster of this machine's own


def reached(address: str, wanted_by: str, runtime_env: Mapping[str, Any] | None = None) -> bool:
    """Connects this process to the Ray cluster at ``address``; whether it was not connected before.

    ``auto`` is the one of which this machine is a part, ``local`` a new one of this machine alone,
    ``ray://host:10001`` one that is reached from outside. Raises RequestError with one sentence.
    """
    if find_spec("ray") is None:
        raise RequestError(f"{wanted_by} needs Ray: pip install 'tbdiag[ray]'")
    if address.startswith("ray://") and find_spec("grpc") is None:
        raise RequestError(f"{wanted_by} at {address} needs grpcio: pip install 'tbdiag[ray]'")
    import logging

    import ray

    if ray.is_initialized():
        return False
    own = address == LOCAL
    more: dict[str, Any] = (
        {"include_dashboard": False, "object_store_memory": _STORE} if own else {}
    )
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is wrong is said below
            ray.init(
                address=address,
                namespace=NAMESPACE,
                log_to_driver=False,
                logging_level=logging.ERROR,
                runtime_env=dict(runtime_env) if runtime_env else None,
                **more,
            )
    except Exception as error:  # noqa: BLE001 - Ray has a dozen ways to say that there is nobody
        hint = f"start one with `ray start --head`, or name its address ({LOCAL} for this machine)"
        if address.startswith("ray://"):  # which is all that its client says without a token, too
            hint = "where it asks for a token, RAY_AUTH_MODE=token hands over yours"
        raise RequestError(
            f"no Ray cluster is reached at {address}: {said(error)}; {hint}"
        ) from None
    return True


def said(error: BaseException) -> str:
    """What an error of Ray's says: its first sentence."""
    lines = [line.strip() for line in str(error).splitlines()]
    first = next((line for line in lines if line), type(error).__name__).partition(". ")[0]
    return first.rstrip(".") if len(first) <= 300 else f"{first[:300]} …"


@dataclass(slots=True)
class RayPool:
    """What `Pool` promises, by tasks of a Ray cluster with a CPU each, wherever there is one.

    The nodes need tbdiag of this version, and see the files by the same paths.
    """

    address: str = "auto"
    workers: int = 0  # 0: as many as the cluster has CPUs
    _ours: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self._ours = reached(self.address, "--cluster")
        if self.workers < 1:
            import ray

            self.workers = max(1, int(ray.cluster_resources().get("CPU", 1)))

    def map(self, work: Callable[[B], R], batches: Iterable[B]) -> Iterator[R]:
        """``work(batch)`` for each batch, in the order of the batches."""
        import ray

        options = {"num_cpus": 1, "max_retries": TRIES - 1, "scheduling_strategy": "SPREAD"}
        task = ray.remote(_done).options(**options)
        given = ray.put(work)
        under_way: deque[Any] = deque()
        try:
            for batch in batches:
                under_way.append(task.remote(__version__, given, batch))
                if len(under_way) >= AHEAD * self.workers:
                    yield _result(under_way.popleft())
            while under_way:
                yield _result(under_way.popleft())
        finally:
            for each in under_way:
                ray.cancel(each, force=True)

    def __enter__(self) -> RayPool:
        return self

    def __exit__(self, *error: object) -> None:
        if self._ours:
            import ray

            ray.shutdown()


def _done(version: str, work: Callable[[B], R], batch: B) -> R | TbdiagError:
    """What the work gives, on a node; what it raises on purpose comes back as a value.

    So Ray, which does again what failed, knows what was lost from what was refused.
    """
    if version != __version__:
        return RequestError(
            f"the nodes of the cluster have tbdiag {__version__}, and this is {version}: "
            "they must be the same"
        )
    try:
        return work(batch)
    except TbdiagError as error:
        return error


def _result(reference: Any) -> Any:
    import ray

    try:
        found = ray.get(reference)
    except ray.exceptions.RayTaskError as error:
        cause = error.cause
        if isinstance(cause, ModuleNotFoundError):
            raise RequestError(
                f"the nodes of the cluster need tbdiag {__version__}: {cause}"
            ) from None
        raise (error if cause is None else cause) from None
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.OutOfMemoryError) as error:
        raise RequestError(
            f"the workers of the cluster were lost {TRIES} times: {said(error)}"
        ) from None
    except ray.exceptions.RayError as error:
        raise RequestError(f"the Ray cluster failed: {said(error)}") from None
    if isinstance(found, TbdiagError):
        raise found
    return found
