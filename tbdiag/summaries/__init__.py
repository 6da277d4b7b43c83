"""Results written back as summaries that TensorBoard shows, found again, and taken away again."""

from __future__ import annotations

from tbdiag.summaries.cleaning import clean
from tbdiag.summaries.own import is_own, stored
from tbdiag.summaries.write import Written, write

__all__ = ["Written", "clean", "is_own", "stored", "write"]
