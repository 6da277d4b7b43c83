"""Rules about a search as a whole: several comparable runs together."""
