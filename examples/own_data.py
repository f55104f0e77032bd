"""Data of one's own: striped images whose class is the direction of the stripes.

    python -m rethinking_jax.main --config=examples/own_data.py

In a notebook `rj.run(config, workdir, dataset=rj.arrays(x, y, x_test, y_test))` takes arrays.
"""

import numpy as np
from ml_collections import ConfigDict

import rethinking_jax as rj


def load_stripes(request) -> rj.Dataset:
    """Draws as many training images as the name says, such as stripes:500, and half for tests."""
    count = int(request.name.removeprefix("stripes:"))
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, count + count // 2)
    images = rng.integers(0, 128, (len(labels), 16, 16)).astype(np.uint8)
    for image, label in zip(images, labels, strict=True):
        (image if label else image.T)[rng.integers(0, 4) :: 4] += 128
    classes = ("upright", "lying")
    return rj.arrays(images[:count], labels[:count], images[count:], labels[count:], classes)


rj.DATASETS["stripes"] = rj.Origin(
    "Striped images.", lambda request: request.name.startswith("stripes:"), load_stripes
)


def get_config() -> ConfigDict:
    """Two runs: on true labels, and on random ones."""
    config = rj.base_config()
    config.experiment, config.dataset, config.model = "own_data", "stripes:300", "mlp_1x512"
    config.batch_size, config.epochs = 50, 60
    config.sweep = rj.runs([{"corruption": name} for name in ("true_labels", "random_labels")])
    return config
