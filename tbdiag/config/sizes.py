"""Sizes in words."""

from __future__ import annotations

import re


def size(text: str) -> int:
    """Bytes from words such as ``2GB``, ``500 MB`` or ``1.5g``, in thousands of thousands.

    Raises ValueError with what is wrong.
    """
    match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kmgt]?)b?\s*", text, re.IGNORECASE)
    if match is None:
        raise ValueError(f'"{text}" is no size: write 500MB or 2GB')
    return int(float(match[1]) * 1000 ** " kmgt".index(match[2].lower() or " "))
