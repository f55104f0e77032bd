"""Pictures that need the data or checkpoints, not only the numbers of a run."""
