"""Critical samples: is another answer near? Arpit et al. (2017), section 4, Figures 7 to 9.

    python -m rethinking_jax.main --config=configs/critical_samples.py

An example is critical where the network answers something else in a small box around it. 4,000
digits of mnist5k (no download) with true labels, with 20, 50, 80 and 100 % of their labels drawn
anew, with the pixels of each image permuted, and with Gaussian noise in the place of images; of
each three seeds of an MLP with two hidden layers of 512. Every third epoch the paper's search looks
for another answer around 500 test images, which are corrupted as the training images are. The
argument names the data set, noise (0 to 1, joined by +), images (corruptions of images, joined by
+; empty: none), radius (half the side of the box on the scale 0 to 255 of pixels before any
preprocessing; several joined by +, of which the first is judged), iterations, examples (0: all),
model, seeds, epochs, measure_every and train_examples (0: all), for instance
`:dataset=cifar10,radius=0.3,noise=0+1,images=gaussian`.

Expected at radius 1: 0.05 of the test digits are critical on true labels; 0.20, 0.51, 0.70 and
0.73 with label noise of 0.2, 0.5, 0.8 and 1; 0.51 with permuted pixels and 0.55 with Gaussian
noise. At the paper's radius, 0.3, 0.01 and up to 0.31. With label noise the share grows while the
network trains, as in the paper; on true labels it does not. A command that was stopped goes on
with the first runs that are not through.

Takes 3 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import Overrides, parse_argument, recipe, runs
from rethinking_jax.theory.critical_samples import RADIUS
from rethinking_jax.theory.settings import theory_config


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each setting, each of which trains as many networks as `seeds` says."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        noise="0+0.2+0.5+0.8+1",
        images="random_pixels+gaussian",
        radius=RADIUS,
        iterations=10,
        examples=500,
        model="mlp_2x512",
        seeds=3,
        epochs=60,
        measure_every=3,
        train_examples=0,
    )
    network = recipe.network(chosen.model)
    config = theory_config("critical_samples", **recipe.without(chosen, "noise", "images", "model"))
    config.model = network["model"]
    config.hidden_sizes = tuple(network["hidden_sizes"])
    settings: list[Overrides] = [
        {"name": "true_labels", "corruption": "true_labels"}
        if not level
        else {
            "name": f"noise={level:g}",
            "corruption": "partially_corrupted_labels",
            "label_noise": level,
        }
        for level in recipe.numbers("noise", chosen.noise)
    ]
    settings += [{"name": name, "corruption": name} for name in chosen.images.split("+") if name]
    config.sweep = runs(settings)
    return config
