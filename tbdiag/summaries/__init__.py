"""Results written back as summaries that TensorBoard shows."""

from __future__ import annotations

from tbdiag.summaries.own import is_own, stored

__all__ = ["is_own", "stored"]
