"""One training image: is it learned to copy it, or to copy (Zhang et al. 2020, Identity crisis)?

    python -m rethinking_jax.main --config=configs/identity.py

Convolutional networks of 1 to 20 layers, 32 channels, 5 x 5 filters, are trained to return one
digit of 14 x 14 pixels, until they do (Adam, squared loss). Then they are given 200 other digits: a
network that has learned the identity returns those, one that has learned a constant function
the digit that it was trained on. Five seeds, each with a digit and weights of its own. Arguments:
dataset, depths (joined by +), channels, filter_width, seeds, examples, image_size.

Expected: correlation of what is returned with what is given 0.998 with 1 layer, 0.92 with 5, 0.60
with 10 and 0.40 with 20, where that with the training digit is 1.000. Between 7 and 10 layers the
constant function overtakes the identity. A command that was stopped begins anew.

Takes half a minute of CPU time.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument
from rethinking_jax.theory.identity import DEPTHS
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns the config of all depths and seeds."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        depths=DEPTHS,
        channels=32,
        filter_width=5,
        seeds=5,
        examples=200,
        image_size=14,
    )
    return theory_config("identity", **chosen)
