"""Rules about where training started."""
