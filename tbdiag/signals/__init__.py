"""Pure functions of curves."""
