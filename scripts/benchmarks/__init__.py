"""Measurements of speed and memory.  They say whether a target is met; they never assert it."""
