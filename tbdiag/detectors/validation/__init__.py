"""Rules about how validation was measured."""
