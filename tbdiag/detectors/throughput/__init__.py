"""Rules about the pace of a run."""
