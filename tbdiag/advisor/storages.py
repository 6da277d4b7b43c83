"""Where studies are kept: a file beside the logs, a database, Redis, or a proxy of one of them."""

from __future__ import annotations

import random
import re
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from tbdiag.errors import RequestError

if TYPE_CHECKING:
    from optuna.storages import BaseStorage

T = TypeVar("T")

MEMORY = "memory://"  # a study that ends with the process

_PATIENCE = 10.0  # seconds for a proxy to answer
_OUTAGE = 60.0  # seconds for which a storage may be away
_ABSENT = 3.0  # seconds for which one may be away that was never there
_PAUSE = 0.25

# What a storage of each kind needs beside Optuna: module, what to call it, extra.
_NEEDS = {
    "postgresql": ("psycopg", "psycopg", "postgres"),
    "postgres": ("psycopg", "psycopg", "postgres"),
    "postgresql+psycopg": ("psycopg", "psycopg", "postgres"),
    "redis": ("redis", "redis", "redis"),
    "rediss": ("redis", "redis", "redis"),
    "grpc": ("grpc", "grpcio", "grpc"),
}


def shown(storage: Path | str) -> str:
    """The place of a study as people may see it: without the password."""
    return re.sub(r"(?<=://)([^/@\s:]*):[^/\s]*@", r"\1:***@", str(storage))


def password(storage: Path | str) -> str:
    """The password in a URL, "" where there is none."""
    match = re.search(r"://[^/@\s:]*:([^/\s]*)@", str(storage))
    return match[1] if match else ""


@contextmanager
def silence() -> Iterator[None]:
    """Within it Optuna says nothing: a study in memory is nobody's news."""
    import optuna

    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # experimental; low targets count, as they should
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)


@contextmanager
def told(storage: Path | str) -> Iterator[None]:
    """Within it what the storage's own libraries raise is one sentence, without the password."""
    try:
        yield
    except RequestError:
        raise
    except Exception as error:  # noqa: BLE001 - each kind of storage has errors of its own
        raise RequestError(_sentence(storage, error)) from None


def opened(storage: Path | str) -> BaseStorage:
    """The storage in a file or at a URL; raises RequestError where a library is missing.

    ``postgresql://`` means psycopg, ``redis://`` a journal in Redis, ``grpc://host:port`` Optuna's proxy
    of another storage; other URLs are SQLAlchemy's.
    """
    if isinstance(storage, Path):
        return _file(storage)
    if storage == MEMORY:
        from optuna.storages import InMemoryStorage

        return InMemoryStorage()
    kind, separator, place = storage.partition("://")
    if (need := _NEEDS.get(kind)) is not None:
        module, name, extra = need
        if find_spec(module) is None:
            raise RequestError(f"--storage {kind}://… needs {name}: pip install 'tbdiag[{extra}]'")
    if kind in ("redis", "rediss"):
        from optuna.storages import JournalStorage
        from optuna.storages.journal import JournalRedisBackend

        return JournalStorage(JournalRedisBackend(storage))
    if kind == "grpc":
        return _proxy(place)
    if kind in ("postgresql", "postgres"):
        storage = f"postgresql+psycopg{separator}{place}"
    import optuna

    # a connection that the server has closed meanwhile is replaced
    engine = {"pool_pre_ping": True} if kind.startswith("postgres") else None
    return optuna.storages.get_storage(optuna.storages.RDBStorage(storage, engine_kwargs=engine))


def closed(storage: BaseStorage) -> None:
    """Lets go of the connections of a storage, in this thread and the pool of all."""
    storage.remove_session()
    engine = getattr(getattr(storage, "_backend", storage), "engine", None)
    if engine is not None:
        engine.dispose()


@dataclass(frozen=True, slots=True)
class Steady:
    """Calls of a storage that may be away for ``outage`` seconds, or is opened by several at once.

    Where it is not reached at all it is given up after ``absent`` seconds.
    """

    storage: Path | str
    outage: float = _OUTAGE
    absent: float = _OUTAGE
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    @classmethod
    def opening(cls, storage: Path | str) -> Steady:
        """For the first calls: an address that is wrong is told soon."""
        return cls(storage, absent=_ABSENT)

    def __call__(self, act: Callable[[], T]) -> T:
        """What ``act`` gives, tried again where it fails for reasons of the storage's.

        Raises RequestError with one sentence where that goes on for too long.
        """
        from optuna.exceptions import OptunaError, StorageInternalError

        since, pause = self.clock(), _PAUSE
        while True:
            try:
                return act()
            except StorageInternalError as error:
                reason: Exception = error
            except (OptunaError, RequestError, ValueError, KeyError, TypeError, ImportError):
                raise
            except Exception as error:  # noqa: BLE001 - each kind of storage has errors of its own
                reason = error
            if self.clock() - since >= (self.absent if _unreached(reason) else self.outage):
                raise RequestError(_sentence(self.storage, reason)) from None
            self.sleep(pause * (0.5 + random.random()))  # noqa: S311 - so that several do not meet again
            pause = min(2 * pause, 5.0)


def _unreached(error: BaseException | None) -> bool:
    """Whether an error, or what it comes from, says that nobody answers, or refuses to."""
    while error is not None:
        if {each.__name__ for each in type(error).__mro__} & {
            "OperationalError",
            "ConnectionError",
        }:
            return True
        error = error.__cause__
    return False


def _sentence(storage: Path | str, error: BaseException) -> str:
    """What is wrong, in one sentence, without the password in whatever the library says."""
    innermost = error
    while innermost.__cause__ is not None and not str(innermost).strip():
        innermost = innermost.__cause__
    cause = getattr(innermost, "orig", None) or innermost.__cause__ or innermost
    lines = str(cause).strip().splitlines() or str(error).strip().splitlines()
    reason = " ".join(lines[0].split()) if lines else type(error).__name__
    secret = password(storage)
    if secret:
        reason = reason.replace(secret, "***")
    return f"the storage {shown(storage)} cannot be used: {shown(reason)}"


def _proxy(place: str) -> BaseStorage:
    from optuna.storages import GrpcStorageProxy

    host, _, port = place.rstrip("/").rpartition(":")
    if not host or not port.isdecimal():
        raise RequestError(f"--storage grpc://{place} names no port: write grpc://host:13000")
    proxy = GrpcStorageProxy(host=host, port=int(port))
    try:
        proxy.wait_server_ready(timeout=_PATIENCE)
    except ConnectionError:
        raise RequestError(
            f"the storage grpc://{place} cannot be used: nobody answers within {_PATIENCE:.0f} s"
        ) from None
    return proxy


def _file(storage: Path) -> BaseStorage:
    """A file in which Optuna keeps a journal.

    A record that a killed process did not end is cut off: nobody was told that it was written, and
    Optuna would append to it and never read on.
    """
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    storage.parent.mkdir(parents=True, exist_ok=True)
    if storage.exists():
        with storage.open("rb+") as file:
            content = file.read()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                file.truncate(whole)
    return JournalStorage(JournalFileBackend(str(storage)))
