"""Figure 2 of the paper: explicit regularizers on ImageNet (a), batch norm on CIFAR-10 (b).

    python -m rethinking_jax.main --config=configs/figure2.py:a
    python -m rethinking_jax.main --config=configs/figure2.py:b,seeds=3

a is the four runs of Table 2 on true labels (configs/table2.py says how they are set up and what
they cost: about 100 to 180 hours on one H200, an estimate), with the curves that the table's
numbers end: test accuracy without regularizers peaks and falls, and early stopping would have won
3.4 points, 5.4 with weight decay. b is the small Inception with and without batch norm, all
explicit regularizers off: the curve with it is smoother, and ends at 0.86 against 0.82 to 0.85 in
the paper. b takes 11 PFLOP, 10 minutes at 20 TFLOP/s, an estimate.

Arguments after the panel: dataset, models (joined by +; of a, one), seeds, epochs,
train_examples (0: all); of a also image_size, batch_size and recipe. What is left out is the
panel's own.

Needs ImageNet (a) or CIFAR-10 (b), and a GPU.
"""

from ml_collections import ConfigDict

from rethinking_jax.analysis import paper
from rethinking_jax.config import Overrides, parse_argument, recipe, runs
from rethinking_jax.errors import UserError

PANELS: dict[str, Overrides] = {
    "a": {"dataset": paper.IMAGENET, "models": "inception_v3", "epochs": 250}
    | {"image_size": 299, "batch_size": 256, "recipe": "sgd"},
    "b": {"dataset": paper.DATASET, "models": "inception_small+inception_small_no_bn"}
    | {"epochs": 100},
}


def get_config(argument: str = "") -> ConfigDict:
    """Returns the runs of one panel."""
    parts = argument.split(",")
    named = [part.removeprefix("panel=") for part in parts if part.startswith("panel=")]
    # Which panel decides which arguments there are; what is wrong is said below.
    own = PANELS.get((named or parts)[0], PANELS["a"])
    chosen = parse_argument(
        argument, positional="panel", panel="a", seeds=1, train_examples=0, **own
    )
    if chosen.panel not in PANELS:
        raise UserError(f"the config's argument panel={chosen.panel}: must be a or b")
    return _imagenet(chosen) if chosen.panel == "a" else _batch_norm(chosen)


def _imagenet(chosen: ConfigDict) -> ConfigDict:
    config = recipe.imagenet_config(
        chosen.models, chosen.image_size, chosen.batch_size, chosen.epochs, chosen.recipe
    )
    kinds = [
        (row.setting, row.regularizers) for row in paper.TABLE_2 if row.setting == "true_labels"
    ]
    config.experiment = "figure2a"
    config.dataset = chosen.dataset
    config.train_examples = chosen.train_examples
    # The curve is the point: no run ends where its training set is fitted.
    config.stop_when_fitted = False
    config.sweep = runs(recipe.rows(kinds, recipe.IMAGENET_STRENGTHS, chosen.seeds))
    return config


def _batch_norm(chosen: ConfigDict) -> ConfigDict:
    config = recipe.cifar_config("figure2b", chosen.dataset, chosen.train_examples, chosen.epochs)
    config.stop_when_fitted = False
    kinds, seeds = [("true_labels", ())], chosen.seeds
    members = []
    for model in chosen.models.split("+"):
        members += recipe.rows(kinds, recipe.CIFAR_STRENGTHS, seeds, model)
    config.sweep = runs(members)
    return config
