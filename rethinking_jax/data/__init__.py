"""Data sets, in memory or streamed: `load_dataset` reads one by its name, `arrays` makes one."""

from rethinking_jax.data.arrays import arrays
from rethinking_jax.data.dataset import Dataset, Reader, Split
from rethinking_jax.data.load import DATASETS, load_dataset, open_streamed
from rethinking_jax.data.origin import Origin, Request
from rethinking_jax.data.parts import subset

__all__ = [
    "DATASETS",
    "Dataset",
    "Origin",
    "Reader",
    "Request",
    "Split",
    "arrays",
    "load_dataset",
    "open_streamed",
    "subset",
]
