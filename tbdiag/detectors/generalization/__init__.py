"""Rules about training beside validation."""
