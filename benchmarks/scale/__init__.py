"""How time, memory and the report grow with the number of runs."""
