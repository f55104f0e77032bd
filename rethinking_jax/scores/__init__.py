"""Scores of single examples, from what many runs answered: pure functions of NumPy arrays."""
