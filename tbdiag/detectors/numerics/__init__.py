"""Rules about numbers that broke."""
