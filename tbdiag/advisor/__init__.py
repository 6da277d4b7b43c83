"""What to try next, and what mattered in what was tried."""
