"""The paper's Table 1: five networks on CIFAR-10, random crops and weight decay on and off.

    python -m rethinking_jax.main --config=configs/table1.py
    python -m rethinking_jax.main \\
        --config=configs/table1.py:models=mlp_1x512,dataset=mnist5k,epochs=30

Nineteen runs. Arguments: models (joined by +), dataset, seeds, epochs, train_examples (0: all),
crop_size (28: random crops of it with augmentation, else the central one; images must be
larger for crops to differ). Weight decay is 5e-4 on all parameters. Every run trains all its
epochs, as the paper's do: regularizers go on working when the training set is fitted.

The paper's train / test accuracy in percent (crop + decay; crop; decay; none; random labels):

    small Inception     100.0 / 89.05  100.0 / 89.31  100.0 / 86.03  100.0 / 85.75  100.0 / 9.78
    without batch norm  -              -              100.0 / 83.00  100.0 / 82.00  100.0 / 10.12
    small AlexNet       99.90 / 81.22  99.82 / 79.66  100.0 / 77.36  100.0 / 76.07  99.82 / 9.86
    MLP 3x512           -              -              100.0 / 53.35  100.0 / 52.39  100.0 / 10.48
    MLP 1x512           -              -              99.80 / 50.39  100.0 / 50.51  99.34 / 10.61

All runs take 48 PFLOP, nearly all of it Inception's; 40 minutes at 20 TFLOP/s, an estimate. The
six MLPs alone are 0.3 PFLOP. Other runs of the paper differ from its table by two points with
Inception, five to six with AlexNet and without batch norm.

Needs CIFAR-10 and a GPU; the MLPs train on a CPU.
"""

from ml_collections import ConfigDict

from rethinking_jax.analysis import paper
from rethinking_jax.config import parse_argument, recipe, runs


def get_config(argument: str = "") -> ConfigDict:
    """Returns the runs of Table 1, or those of some models."""
    chosen = parse_argument(
        argument,
        positional="models",
        models="+".join(paper.MODELS),
        dataset="cifar10",
        seeds=1,
        epochs=100,
        train_examples=0,
        crop_size=28,
    )
    models = recipe.chosen_models(chosen.models, list(paper.MODELS), "Table 1")
    config = recipe.cifar_config("table1", chosen.dataset, chosen.train_examples, chosen.epochs)
    config.crop_size = chosen.crop_size
    config.stop_when_fitted = False
    members = []
    for model in models:
        kinds = [(row.setting, row.regularizers) for row in paper.TABLE_1 if row.model == model]
        members += recipe.rows(kinds, recipe.CIFAR_STRENGTHS, chosen.seeds, model)
    config.sweep = runs(members)
    return config
