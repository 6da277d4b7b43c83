"""Whether it pays to look for records that come back in rounds."""

from __future__ import annotations

from dataclasses import dataclass

_PRICE = 800  # records that are read in the time in which a round is tried
_CREDIT = 4 * _PRICE


@dataclass(slots=True, eq=False, repr=False)
class Pace:
    """Whether rounds are tried: as long as that pays, and again some chunks after it did not."""

    trying: bool
    credit: int = 0  # records that came in rounds, less what trying cost
    wait: int = 0
    patience: int = 2

    def paid(self, count: int) -> None:
        """So many records came in a round."""
        self.credit = min(self.credit + count - _PRICE, _CREDIT)
        if self.credit < -_CREDIT:
            self.give_up()

    def chunk(self) -> None:
        """A chunk was read without rounds."""
        if self.wait:
            self.wait -= 1
            self.trying = not self.wait

    def give_up(self) -> None:
        """Nothing comes in rounds here."""
        self.trying, self.credit, self.wait = False, 0, self.patience
        self.patience *= 2
