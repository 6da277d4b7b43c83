"""Mappings that are made when they are first looked into."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

T = TypeVar("T")


class Later(Mapping[str, T]):
    """A mapping that ``make`` gives when something is asked of it that is not ``known``.

    Copies are plain dicts.
    """

    __slots__ = ("_known", "_made", "_make")

    def __init__(
        self, make: Callable[[], Mapping[str, T]], known: Mapping[str, T] | None = None
    ) -> None:
        self._make, self._known = make, known
        self._made: Mapping[str, T] | None = None

    @property
    def _all(self) -> Mapping[str, T]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: str) -> T:
        if self._known is not None and name in self._known:
            return self._known[name]
        return self._all[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def __repr__(self) -> str:
        return repr(dict(self._all))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self._all),)
