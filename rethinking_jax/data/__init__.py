"""Data sets as arrays in memory: the one door is `load_dataset`."""

from rethinking_jax.data.dataset import Dataset, Split, subset
from rethinking_jax.data.load import load_dataset

__all__ = ["Dataset", "Split", "load_dataset", "subset"]
