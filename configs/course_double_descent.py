"""Lesson: beyond the point where a network just fits its data, a larger one tests better again.

    python -m rethinking_jax.main --config=configs/course_double_descent.py

MLPs of nine widths with one hidden layer on 1,000 digits of 14 x 14, a fifth of whose labels is
wrong; Adam, cross-entropy, 1,000 epochs each, whether they fit or not. Arguments: widths (joined
by +), noise (several joined by +), seeds, epochs, train_examples, dataset, image_size.

Expected: test error 0.25 with 8 hidden units, 0.31 with 24 and 0.24 with 512; the training error
is 0.12 with 16 and 0 from 128 on.

`configs/double_descent.py` has this with more widths, and for random features, solved exactly.

Takes 2 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each width, label noise and seed."""
    chosen = parse_argument(
        argument,
        positional="widths",
        widths="4+8+12+16+24+32+64+128+512",
        noise="0.2",
        dataset="mnist5k",
        image_size=14,
        train_examples=1000,
        seeds=3,
        epochs=1000,
        measure_every=100,
    )
    return recipe.widths_config("course_double_descent", chosen)
