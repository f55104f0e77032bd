"""Scores of single examples: pure functions of what networks answered, or of their weights."""
