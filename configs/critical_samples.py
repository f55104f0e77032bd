"""Critical samples: is another answer near? Arpit et al. (2017), section 4, Figures 7 to 9.

python -m rethinking_jax.main --config=configs/critical_samples.py

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
