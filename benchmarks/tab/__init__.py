"""What the Diagnosis tab costs: opening it on many runs, drawing a long curve."""
