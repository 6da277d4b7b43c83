"""Files of hosts that are reached by ssh, as fsspec's file systems are: its doorway to sshfs."""

from __future__ import annotations

from typing import Any


def file_system() -> Any:
    """A class like those of fsspec; raises ImportError where sshfs is not installed.

    Unlike sshfs it fetches the ranges that it is asked for, and not whole files for each, and does not
    connect to a host whose key is not known.
    """
    from sshfs import SSHFileSystem
    from sshfs.utils import wrap_exceptions

    class Ranged(SSHFileSystem):  # type: ignore[misc,unused-ignore]  # has no types
        def __init__(self, host: str, **options: Any) -> None:
            super().__init__(host, **{"known_hosts": (), **options})

        @wrap_exceptions  # type: ignore[untyped-decorator,unused-ignore]
        async def _cat_file(
            self, path: str, start: int | None = None, end: int | None = None, **_: Any
        ) -> bytes:
            async with self._pool.get() as channel, channel.open(path, "rb") as file:
                size = -1 if end is None else end - (start or 0)
                found: bytes = await file.read(size, start or 0)
                return found

    return Ranged
