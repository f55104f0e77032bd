"""The folder of a run: where its files lie, what is written and read back."""
