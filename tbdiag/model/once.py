"""Properties that are worked out when first asked for, and kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

__all__ = ["once"]

if TYPE_CHECKING:
    from functools import cached_property as once
else:

    class once:  # noqa: N801 - a decorator, in lower case like `property`
        """As `functools.cached_property`, which up to Python 3.11 takes a lock that is paid for each time.

        Two threads that ask at once may both work it out, and get equal values.
        """

        def __init__(self, make):
            self._make, self._name, self.__doc__ = make, make.__name__, make.__doc__

        def __get__(self, held, _=None):
            """The value, under whose name it stands from now on."""
            if held is None:
                return self
            value = held.__dict__[self._name] = self._make(held)
            return value
