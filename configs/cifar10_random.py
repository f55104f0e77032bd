"""CIFAR-10 with random labels: the paper's Table 1, the rows with random labels.

    python -m rethinking_jax.main --config=configs/cifar10_random.py
    python -m rethinking_jax.main --config=configs/cifar10_random.py:mlp_3x512

The argument names the model (default inception_small) and the setting, for instance
`:mlp_3x512,corruption=true_labels`. Learning rates and decay are appendix A's. The paper's Table 1
with random labels, train and test accuracy: small Inception 100.0, 9.78; small AlexNet 99.82, 9.86;
MLP 3x512 100.0, 10.48; MLP 1x512 99.34, 10.61. An epoch costs 56, 6.5, 0.52 and 0.36 TFLOP in this
order. CIFAR-10 is prepared by tfds already, or TensorFlow and a network prepare it.

Needs CIFAR-10 and a GPU; the MLPs train on a CPU.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import appendix_learning_rate, base_config, parse_argument


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run on CIFAR-10."""
    chosen = parse_argument(
        argument, positional="model", model="inception_small", corruption="random_labels"
    )
    config = base_config()
    config.experiment = "cifar10_random"
    config.dataset = "cifar10"
    config.model = chosen.model
    config.corruption = chosen.corruption
    config.learning_rate = appendix_learning_rate(chosen.model)
    return config
