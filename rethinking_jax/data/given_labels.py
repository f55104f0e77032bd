"""Labels that are given in files, such as those that people wrote: `config.labels_file`."""

import dataclasses
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.corruption import CORRUPTIONS, GivenLabels
from rethinking_jax.data.by_id import place, read_values, refuser
from rethinking_jax.data.dataset import Dataset


def with_given_labels(dataset: Dataset, configs: Iterable[ConfigDict]) -> Dataset:
    """Returns a data set that also has the labels of the files that some of its runs name.

    Args:
      dataset: the parts that the runs are trained and tested on.
      configs: the configs of the runs; of those whose labels are not given nothing is read.

    Raises:
      UserError: a file is not there or cannot be read, or its labels are not those of the training
        examples.
    """
    found = dict(dataset.given)
    for config in configs:
        if _is_given(config) and config.labels_file not in found:
            whole = not (config.train_examples or config.get("validation_examples", 0))
            ids = dataset.train.ids
            found[config.labels_file] = read_labels(
                config.labels_file, ids, dataset.num_classes, whole
            )
    return dataclasses.replace(dataset, given=found)


def files_of(configs: Iterable[ConfigDict]) -> list[Path]:
    """Returns the files that the labels of some runs are given in, each once."""
    names = [config.labels_file for config in configs if _is_given(config)]
    return list(dict.fromkeys(place(name)[0] for name in names))


def _is_given(config: ConfigDict) -> bool:
    """Says whether the labels of a run, of any kind of experiment, are given."""
    return "labels_file" in config and CORRUPTIONS[config.corruption].from_file


def read_labels(name: str, ids: np.ndarray, num_classes: int, whole: bool) -> GivenLabels:
    """Reads the labels of some examples.

    Args:
      name: PATH.npz, or PATH.npz:ARRAY.
      ids: uint32 [n], the ids of the examples in any order.
      num_classes: labels must lie in [0, num_classes).
      whole: whether these are all examples of a training set, not a part.

    Raises:
      UserError: see `with_given_labels`.
    """
    wanted = np.sort(ids)
    array, found = read_values("labels_file", name, wanted, whole, "label", "iu")
    wrong = np.flatnonzero((found < 0) | (found >= num_classes))
    if len(wrong):
        example, label = wanted[wrong[0]], found[wrong[0]]
        refuser("labels_file", name)(
            f"{array!r} gives the example with the id {example} the label {label}, outside the "
            f"classes 0..{num_classes - 1}"
        )
    return GivenLabels(wanted.astype(np.uint32), found.astype(np.int32))
