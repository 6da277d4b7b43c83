"""Pure renderings of a report."""
