"""A network of one's own learns random labels.

    python -m rethinking_jax.main --config=examples/own_model.py

In a notebook `rj.run(config, workdir, model=Averaged)` does the same.
"""

import flax.linen as nn
import jax
from ml_collections import ConfigDict

import rethinking_jax as rj


class Averaged(nn.Module):
    """Averages blocks of 2 x 2 pixels before one hidden layer."""

    num_classes: int
    hidden_sizes: tuple[int, ...] = (128,)
    convolutional = False  # which trains faster on a CPU

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps float32 [b, h, w, c] to logits, float32 [b, num_classes]."""
        x = nn.avg_pool(x, (2, 2), strides=(2, 2)).reshape(len(x), -1)
        for width in self.hidden_sizes:
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(self.num_classes)(x)


rj.MODELS["averaged"] = Averaged


def get_config() -> ConfigDict:
    """Two runs: on true labels, and on random ones."""
    config = rj.base_config()
    config.experiment, config.model = "own_model", "averaged"
    config.train_examples, config.batch_size, config.learning_rate = 300, 50, 0.05
    config.sweep = rj.runs([{"corruption": name} for name in ("true_labels", "random_labels")])
    return config
