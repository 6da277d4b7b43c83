"""The journal: what was tried, why, and what became of it; append-only."""
