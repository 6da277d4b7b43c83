"""The advisor beside blind search: small real trainings, bad starts, equal numbers of follow-up runs."""

from __future__ import annotations

import os

# Before NumPy is there: its threads would fight over matrices that fit into a cache.
for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
