"""Mappings and sequences that are made when they are first looked into."""

from __future__ import annotations

from collections.abc import Callable, ItemsView, Iterator, Mapping, Sequence
from typing import Any, TypeVar, overload

K = TypeVar("K")
T = TypeVar("T")


class Later(Mapping[K, T]):
    """A mapping that ``make`` gives when something is asked of it that is not ``known``.

    Copies are plain dicts.
    """

    __slots__ = ("_known", "_made", "_make")

    def __init__(
        self, make: Callable[[], Mapping[K, T]], known: Mapping[K, T] | None = None
    ) -> None:
        self._make, self._known = make, known
        self._made: Mapping[K, T] | None = None

    @property
    def _all(self) -> Mapping[K, T]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, name: K) -> T:
        if self._known is not None and name in self._known:
            return self._known[name]
        return self._all[name]

    def __contains__(self, name: object) -> bool:
        return (self._known is not None and name in self._known) or name in self._all

    def __iter__(self) -> Iterator[K]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)

    def items(self) -> ItemsView[K, T]:
        """The items of the mapping that was made: its own view is several times as fast."""
        return self._all.items()

    def __repr__(self) -> str:
        return repr(dict(self._all))

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self._all),)


class LaterSequence(Sequence[T]):
    """A sequence that ``make`` gives when something is asked of it; copies are plain tuples."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Sequence[T]]) -> None:
        self._make = make
        self._made: Sequence[T] | None = None

    @property
    def _all(self) -> Sequence[T]:
        if self._made is None:
            self._made = self._make()
        return self._made

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[T]: ...
    def __getitem__(self, index: int | slice) -> T | Sequence[T]:
        return self._all[index]

    def __len__(self) -> int:
        return len(self._all)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self._all) == tuple(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list: it is compared, not looked up

    def __repr__(self) -> str:
        return repr(self._all)

    def __reduce__(self) -> tuple[Any, ...]:
        return tuple, (tuple(self._all),)
