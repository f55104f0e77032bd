"""One run's training and evaluation as pure functions of plain values."""
