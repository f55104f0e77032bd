"""The machine and the other processes: what they are, and when they ask to stop."""
