"""Other linters of training logs, from the package index, on the same runs."""
