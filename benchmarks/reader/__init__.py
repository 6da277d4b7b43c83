"""The reader measured beside its peers; ``python -m benchmarks.reader`` writes its page."""
