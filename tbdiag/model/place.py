"""Where something stands: a path of this machine, or a URL."""

from __future__ import annotations

import os
import re
from functools import lru_cache
from pathlib import Path, PurePath, PurePosixPath

_URL = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]+):(?P<slashes>//?)(?P<rest>.*)", re.DOTALL)
_SECRET = re.compile(r"^([^/@]*?):[^/]*@")  # user:password@host
_LOCAL = ("file", "local")


class UrlPath(PurePosixPath):
    """A place that a URL names, split at its slashes like a path; as text it is the URL.

    It never holds a password.
    """

    __slots__ = ()

    def __str__(self) -> str:
        return super().__str__().replace(":/", "://", 1)

    @property
    def scheme(self) -> str:
        """The kind of storage: ``s3``."""
        return self.parts[0][:-1]

    @property
    def host(self) -> str:
        """Scheme and bucket, host or container: ``s3://bucket``."""
        return "://".join((self.scheme, *self.parts[1:2]))


Place = Path | UrlPath


def place(given: str | os.PathLike[str]) -> Place:
    """What is meant by a path or a URL; ``file://`` is a path.

    A URL that somebody took for a path (``Path("s3://bucket")``, which has lost a slash) is known by its
    scheme where there is no such file.
    """
    if isinstance(given, UrlPath):
        return given
    text = os.fspath(given)
    found = _URL.fullmatch(text)
    if found is None or (len(found["slashes"]) == 1 and _is_path(given, text)):
        return Path(text)
    scheme = found["scheme"].lower()
    if scheme in _LOCAL:
        return Path("/" + found["rest"].lstrip("/"))
    rest = _SECRET.sub(r"\1@", found["rest"])
    return UrlPath(f"{scheme}://{rest}")


def secret(given: str | os.PathLike[str]) -> tuple[str, str] | None:
    """The host that a URL names and the password that stands in it; None where there is none."""
    found = _URL.fullmatch(os.fspath(given))
    if found is None or not _SECRET.match(found["rest"]):
        return None
    word = _SECRET.match(found["rest"])
    assert word is not None
    password = word[0].partition(":")[2][:-1]
    where = place(given)
    return (where.host, password) if isinstance(where, UrlPath) else None


def is_url(text: str) -> bool:
    """Whether an absolute path or URL, as text, is a URL."""
    return not text.startswith(os.sep) and "://" in text


@lru_cache(maxsize=256)
def back(text: str) -> Place:
    """The place that was written as ``text``, absolute or a URL; it is asked for again and again."""
    return UrlPath(text) if is_url(text) else Path(text)


def _is_path(given: object, text: str) -> bool:
    return not isinstance(given, PurePath) or os.path.lexists(text)
