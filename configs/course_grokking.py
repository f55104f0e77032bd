"""Lesson: a network may fit its data long before it generalizes (Liu et al. 2023, Omnigrok).

    python -m rethinking_jax.main --config=configs/course_grokking.py

MLPs with two hidden layers of 200 on 1,000 digits, once with the initial weights of every other
experiment and once with eight times those; squared loss, Adam with decoupled weight decay (AdamW)
at 0.001, batches of 200, 4,000 epochs or 20,000 steps, three seeds. Arguments: scales (factors on
the initial weights, joined by +), dataset, seeds, epochs, weight_decay, train_examples,
measure_every.

The authors' code trains five times as long with a tenth of the weight decay, 0.01, from PyTorch's
initial weights times eight, whose standard deviation is 0.41 of ours in hidden layers, and 1.8 of
it in the last. By their account a network waits for the decay to make its weights small.

Expected: from weights of the usual size every training digit is right by epoch 40, and 0.92 of
the test digits are, then and in the end. From weights times eight it takes 1,090 epochs, when
0.23 of the test digits are right; in the end 0.89 are.

Takes 2 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import base_config, parse_argument, recipe, runs


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each size of the initial weights and each seed."""
    chosen = parse_argument(
        argument,
        positional="scales",
        scales="1+8",
        dataset="mnist5k",
        seeds=3,
        epochs=4000,
        weight_decay=0.1,
        train_examples=1000,
        measure_every=20,
    )
    config = base_config()
    config.update(
        experiment="course_grokking",
        preprocess="none",
        crop_size=0,
        model="mlp",
        hidden_sizes=(200, 200),
        loss="squared",
        optimizer="adam",
        learning_rate=0.001,
        lr_decay=1.0,
        batch_size=200,
        weight_decay_kind="decoupled",
        stop_when_fitted=False,
        checkpoint_every=500,
        **recipe.without(chosen, "scales", "seeds"),
    )
    scales = [
        {"name": f"init_scale={scale:g}", "init_scale": scale}
        for scale in recipe.numbers("scales", chosen.scales)
    ]
    config.sweep = runs(recipe.seeded(scales, chosen.seeds))
    return config
