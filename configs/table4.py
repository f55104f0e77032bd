"""The paper's Table 4: random labels of CIFAR-10 are fitted with explicit regularizers on, too.

    python -m rethinking_jax.main --config=configs/table4.py
    python -m rethinking_jax.main --config=configs/table4.py:models=mlp_1x512,dataset=mnist5k

Six runs: weight decay with four networks; random crops, and flips with rotations up to 25
degrees, with the small Inception. Arguments: models (joined by +), dataset, seeds, epochs (of
weight decay), augmented_epochs, train_examples (0: all), weight_decay (5e-4), crop_size (28).
Under augmentation the learning rate decays by 0.999 per epoch in place of 0.95, as in the
paper, and there are more epochs; how many it took is not said, 300 is our choice.

The paper's train accuracy: weight decay 100.0 (small Inception), 100.0 (MLP 3x512), 99.21 (MLP
1x512), and the small AlexNet failed to converge; random crops 99.93, flips and rotations
99.28. The last two are means over the mini-batches of an epoch, all of them new images, while
labels stay: the report puts running_accuracy beside them. The weight decay is not said;
AlexNet's failure agrees with 0.004, TensorFlow's preset of the time for its dense layers.

All runs take 40 PFLOP, nearly all of it Inception's; 35 minutes at 20 TFLOP/s, an estimate.

Needs CIFAR-10 and a GPU; the MLPs train on a CPU.
"""

from ml_collections import ConfigDict

from rethinking_jax.analysis import paper
from rethinking_jax.config import Overrides, appendix_learning_rate, parse_argument, recipe, runs
from rethinking_jax.errors import UserError

AUGMENTATIONS = {"random crop": "crop", "flip and rotation": "flip+rotate"}


def get_config(argument: str = "") -> ConfigDict:
    """Returns the runs of Table 4, or those of some models."""
    models = tuple(dict.fromkeys(model for model, _ in paper.TABLE_4))
    chosen = parse_argument(
        argument,
        positional="models",
        models="+".join(models),
        dataset="cifar10",
        seeds=1,
        epochs=100,
        augmented_epochs=300,
        train_examples=0,
        weight_decay=5e-4,
        crop_size=28,
    )
    recipe.chosen_models(chosen.models, models, "Table 4")
    if chosen.seeds < 1 or chosen.weight_decay <= 0:
        raise UserError("the config's arguments: seeds must be at least 1 and weight_decay above 0")
    config = recipe.cifar_config("table4", chosen.dataset, chosen.train_examples, chosen.epochs)
    config.corruption = "random_labels"
    config.crop_size = chosen.crop_size
    # On images as they are a network may fit long before it does on new ones.
    config.stop_when_fitted = False
    config.sweep = runs(recipe.seeded(_members(chosen), chosen.seeds))
    return config


def _members(chosen: ConfigDict) -> list[Overrides]:
    """Makes every row of the chosen models, under short names."""
    members = []
    for model, kind in paper.TABLE_4:
        names = AUGMENTATIONS.get(kind, "")
        member = {
            "name": f"{model},{names or 'weight_decay'}",
            "model": model,
            "learning_rate": appendix_learning_rate(model),
            "augmentation": names,
            "weight_decay": 0.0 if names else chosen.weight_decay,
            "lr_decay": 0.999 if names else 0.95,
            "epochs": chosen.augmented_epochs if names else chosen.epochs,
        }
        if model in chosen.models.split("+"):
            members.append(member)
    return members
