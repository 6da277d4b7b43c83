"""The nouns of tbdiag: frozen values without input, output or policy."""
