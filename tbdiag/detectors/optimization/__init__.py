"""Rules about the optimizer's progress."""
