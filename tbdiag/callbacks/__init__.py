"""Callbacks that watch a training from within; each module imports its framework."""
