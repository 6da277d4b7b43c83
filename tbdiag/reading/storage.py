"""Storage beyond the local disk, by fsspec: its one doorway, imported only where a URL is read."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from importlib import import_module
from types import MethodType
from typing import Any, TypeVar

from tbdiag.errors import NoRunsError, ReadError, RequestError
from tbdiag.model.place import UrlPath
from tbdiag.reading import ssh
from tbdiag.reading.mishaps import ShortError, passing, sentence

T = TypeVar("T")

Range = tuple[str, int, int]  # URL, first byte, end

_TRIES = 6  # of a request that may succeed the next time
_FIRST_PAUSE = 0.2  # seconds, doubled after each try
_LONGEST_PAUSE = 10.0
_GIVEN_UP = 3  # requests in a row that failed to the last, after which each is tried only once
_PART = 1 << 20  # bytes asked for at once; longer ranges are asked for in parts side by side
_CONNECTIONS = 64
_HEADS = 16  # threads that ask for files where there is no other way

_PACKAGES = {
    "s3": ("s3fs", "tbdiag[s3]"),
    "s3a": ("s3fs", "tbdiag[s3]"),
    "gs": ("gcsfs", "tbdiag[gcs]"),
    "gcs": ("gcsfs", "tbdiag[gcs]"),
    "az": ("adlfs", "tbdiag[azure]"),
    "abfs": ("adlfs", "tbdiag[azure]"),
    "abfss": ("adlfs", "tbdiag[azure]"),
    "hf": ("huggingface_hub", "tbdiag[hf]"),
    "ssh": ("sshfs", "tbdiag[ssh]"),
    "sftp": ("sshfs", "tbdiag[ssh]"),
    "http": ("aiohttp", "tbdiag[http]"),
    "https": ("aiohttp", "tbdiag[http]"),
}
_MARKS = ("ETag", "etag", "md5Hash", "md5", "content_md5", "generation", "blob_id", "checksum")
_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")


@dataclass(frozen=True, slots=True)
class Info:
    """How a file looked when it was listed: a ``mark`` of its content or 0, bytes, time of change."""

    mark: int
    size: int
    changed: int


@dataclass(slots=True, eq=False)
class Storage:
    """Where the URLs of one host lead: lists, and reads ranges, with patience.

    What may succeed the next time is tried again after a pause that doubles. ``repeated`` counts how
    often. Errors are sentences without secrets.
    """

    host: str
    options: Mapping[str, Any] = field(repr=False)
    pause: Callable[[float], object] = time.sleep
    repeated: int = 0
    _fs: Any = None
    _failed: int = 0

    def below(self, url: UrlPath) -> dict[str, Info]:
        """The files below ``url``, or the file itself, by the rest of their path (then empty).

        Raises NoRunsError, or RequestError where that kind of storage cannot be used.
        """
        fs = self.fs
        top = self._inside(str(url))

        def find() -> dict[str, dict[str, Any]]:
            fs.invalidate_cache()
            found = fs.find(top, detail=True)
            if not found and _web(self.host):
                fs.info(top)  # which says what is wrong
            elif not found and not fs.exists(top):
                raise FileNotFoundError(top)
            fs.invalidate_cache()  # it would be held in memory as long as the process lives
            return _sized(fs, found) if _web(self.host) else dict(found)

        try:
            found = self._patiently(find)
        except Exception as error:  # noqa: BLE001 - every kind of storage raises its own
            raise NoRunsError(f"{url} {self._sentence(error, listing=True)}") from None
        start = top.rstrip("/")
        listed = {}
        for path, told in found.items():
            if told.get("type", "file") == "file" and path.startswith(start):
                listed[path[len(start) :].lstrip("/")] = _info(told)
        return listed

    def ranges(self, wanted: Sequence[Range]) -> list[bytes | ReadError]:
        """The bytes of each range, all asked for side by side, or the error that each met.

        A range that is not there in full is an error.
        """
        parts = [
            (number, url, at, min(at + _PART, end))
            for number, (url, start, end) in enumerate(wanted)
            for at in range(start, end, _PART)
        ]
        found: list[bytes | Exception] = [TimeoutError()] * len(parts)
        open_ = list(range(len(parts)))
        for turn in range(_TRIES if self._failed < _GIVEN_UP else 1):
            if turn:
                self.repeated += len(open_)
                self.pause(_pause(turn))
            answers = self._asked([parts[each] for each in open_])
            for each, answer in zip(open_, answers, strict=True):
                found[each] = answer
            open_ = [e for e in open_ if isinstance(x := found[e], Exception) and passing(x)]
            if not open_:
                break
        self._failed = self._failed + len(open_) if len(open_) == len(parts) else 0
        joined: list[bytes | ReadError] = []
        pieces: list[list[bytes | Exception]] = [[] for _ in wanted]
        for piece, part in zip(found, parts, strict=True):
            pieces[part[0]].append(piece)
        for (url, _, _), own in zip(wanted, pieces, strict=True):
            bad = next((each for each in own if isinstance(each, Exception)), None)
            if bad is not None:
                joined.append(ReadError(f"{url}: {self._sentence(bad)}"))
            else:
                joined.append(b"".join(each for each in own if isinstance(each, bytes)))
        return joined

    def _asked(self, parts: Sequence[tuple[int, str, int, int]]) -> list[bytes | Exception]:
        """One try."""
        paths = [self._inside(url) for _, url, _, _ in parts]
        starts, ends = [start for *_, start, _ in parts], [end for *_, end in parts]
        try:
            answers = _side_by_side(self.fs, paths, starts, ends)
        except Exception as error:  # noqa: BLE001 - every kind of storage raises its own
            return [error] * len(parts)
        return [
            _whole(each, start, end) for each, start, end in zip(answers, starts, ends, strict=True)
        ]

    def _patiently(self, work: Callable[[], T]) -> T:
        for turn in range(1, _TRIES):
            try:
                return work()
            except Exception as error:
                if not passing(error):
                    raise
                self.repeated += 1
                self.pause(_pause(turn))
        return work()

    def _inside(self, url: str) -> str:
        path: str = self.fs._strip_protocol(url)  # fsspec's own way from a URL to its path
        return path

    @property
    def fs(self) -> Any:
        """The file system; raises RequestError where there is none of that kind."""
        if self._fs is None:
            self._fs = _opened(self.host, self.options)
        return self._fs

    def _sentence(self, error: Exception, *, listing: bool = False) -> str:
        return sentence(error, self.host, self.options, tries=_TRIES, listing=listing)


def _opened(host: str, options: Mapping[str, Any]) -> Any:
    scheme = host.partition(":")[0]
    package, extra = _PACKAGES.get(scheme, ("fsspec", "fsspec"))
    missing = RequestError(f"reading {scheme}:// needs {package}: pip install '{extra}'")
    try:
        fsspec = import_module("fsspec")
    except ImportError:
        raise missing from None
    try:
        kind = _kind(package, scheme, fsspec)
    except ImportError:
        raise missing from None
    except ValueError:
        raise RequestError(f'no storage of the kind "{scheme}://" is known') from None
    given = {**kind._get_kwargs_from_urls(host), "skip_instance_cache": True, **options}
    if package == "s3fs":  # its own patience and that of botocore would multiply with ours
        config = {"max_pool_connections": _CONNECTIONS, "retries": {"total_max_attempts": 1}}
        given["config_kwargs"] = {**config, **dict(given.get("config_kwargs", {}))}
    try:
        fs = kind(**given)
    except ImportError:
        raise missing from None
    except Exception as error:  # noqa: BLE001 - every kind of storage raises its own
        text = sentence(error, host, options, tries=_TRIES)
        raise RequestError(f"{host} {text}") from None
    with suppress(AttributeError):  # another version of theirs
        _make_impatient(package, fs)
    return fs


def _kind(package: str, scheme: str, fsspec: Any) -> Any:
    """The class of file systems; raises ImportError or ValueError where there is none."""
    if package == "sshfs":
        return ssh.file_system()
    if package == "gcsfs":  # the plain one: the other asks of what kind a bucket is, for minutes
        return import_module("gcsfs.core").GCSFileSystem
    return fsspec.get_filesystem_class(scheme)


def _make_impatient(package: str, fs: Any) -> None:
    """Takes the patience out of a file system: it would multiply with ours."""
    if package == "s3fs":
        fs.retries = 1
    elif package == "gcsfs":
        fs._request = MethodType(type(fs)._request.__wrapped__, fs)
    elif package == "adlfs":
        fs.service_client._config.retry_policy.total_retries = 0


def _side_by_side(fs: Any, paths: list[str], starts: list[int], ends: list[int]) -> Sequence[Any]:
    """The ranges; in threads where a file system cannot have several on their way, and exactly these."""
    if fs.async_impl:
        answers: Sequence[Any] = fs.cat_ranges(paths, starts, ends, on_error="return")
        return answers
    from concurrent.futures import ThreadPoolExecutor

    def one(path: str, start: int, end: int) -> Any:
        try:
            with fs.open(path, "rb", cache_type="none") as file:
                file.seek(start)
                return file.read(end - start)
        except Exception as error:  # noqa: BLE001 - every kind of storage raises its own
            return error

    with ThreadPoolExecutor(min(_HEADS, len(paths))) as pool:
        return list(pool.map(one, paths, starts, ends))


def _web(host: str) -> bool:
    """Whether it is a web server, whose lists of files are pages with links."""
    return host.partition(":")[0] in ("http", "https")


def _sized(fs: Any, found: Mapping[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The files with what the server says of each, since links tell no sizes; several at a time."""
    from concurrent.futures import ThreadPoolExecutor

    def told(path: str) -> dict[str, Any]:
        try:
            return {**found[path], **fs.info(path)}
        except FileNotFoundError:  # a link that leads nowhere
            return {"type": "other"}

    with ThreadPoolExecutor(_HEADS) as pool:
        return dict(zip(found, pool.map(told, found), strict=True))


def _whole(answer: Any, start: int, end: int) -> bytes | Exception:
    if isinstance(answer, Exception):
        return answer
    data = bytes(answer)
    if len(data) > end - start:  # a server that knows no ranges sends everything
        data = data[start:end]
    if len(data) < end - start:
        return ShortError(f"{len(data)} of {end - start} bytes came from byte {start} on")
    return data


def _pause(turn: int) -> float:
    """Seconds to wait before the ``turn``-th repetition: longer each time, and never all at once."""
    return float(min(_FIRST_PAUSE * 2 ** (turn - 1), _LONGEST_PAUSE) * random.uniform(0.5, 1))  # noqa: S311


def _info(told: Mapping[str, Any]) -> Info:
    mark = next((str(told[name]) for name in _MARKS if told.get(name)), "")
    when = next((told[name] for name in _TIMES if told.get(name)), None)
    if isinstance(when, datetime):
        changed = int(when.timestamp() * 1e6)
    elif isinstance(when, int | float):
        changed = int(when * 1e6)
    else:
        changed = _digest(str(when)) if when else 0
    return Info(_digest(mark) if mark else 0, int(told.get("size") or 0), changed)


def _digest(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big")
