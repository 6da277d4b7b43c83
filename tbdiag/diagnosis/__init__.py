"""Which rules run, and what each of them answers."""
