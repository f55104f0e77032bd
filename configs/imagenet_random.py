"""ImageNet with random labels: one run of the paper's Table 2, or a small one to try the way.

    python -m rethinking_jax.main --config=configs/imagenet_random.py
    python -m rethinking_jax.main --config=configs/imagenet_random.py:regularizers=weight_decay
    python -m rethinking_jax.main --config=configs/imagenet_random.py:smoke

Arguments: model (inception_v3), image_size (299), batch_size (256), epochs (250), corruption
(random_labels), regularizers (none, or some of augmentation, dropout, weight_decay, joined by +)
and recipe (sgd or rmsprop); configs/table2.py says what they mean. The paper's top-1 / top-5
without regularizers after random labels: train 95.20 / 99.14, test 0.11 / 0.56. Not 100: the run
ends before every label is fitted. It takes 25 to 45 hours on one H200, an estimate. A TPU chip
wants 128 images of each batch or more: with batch_size=256 take two chips, and with more of them
a larger batch, such as `:batch_size=1024` and --config.learning_rate four times as large on
eight. `python -m rethinking_jax.train_compile` says what a slice would take.

`smoke` reads ImageNet the same way and is done soon: the small AlexNet on images of 32 x 32
in float32, batches of 50, two epochs. It shows that data, labels and report work, and fits
nothing. On 2,000 images of 1,000 classes about a minute on two busy CPU cores; on all of
ImageNet take a GPU.

Needs ImageNet and a GPU or TPU.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe
from rethinking_jax.errors import UserError

WHOLE = {"model": "inception_v3", "image_size": 299, "batch_size": 256, "epochs": 250}
SMOKE = {"model": "alexnet_small", "image_size": 32, "batch_size": 50, "epochs": 2}


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run on ImageNet."""
    smoke = argument.split(",")[0] in ("smoke", "preset=smoke")
    chosen = parse_argument(
        argument,
        positional="preset",
        preset="",
        corruption="random_labels",
        regularizers="none",
        recipe="sgd",
        **(SMOKE if smoke else WHOLE),
    )
    if chosen.preset not in ("", "smoke"):
        raise UserError(f"the config's argument preset={chosen.preset}: must be smoke, or left out")
    config = recipe.imagenet_config(
        chosen.model, chosen.image_size, chosen.batch_size, chosen.epochs, chosen.recipe
    )
    config.experiment = "imagenet_random"
    config.corruption = chosen.corruption
    names = [] if chosen.regularizers == "none" else chosen.regularizers.split("+")
    config.update(recipe.regularized(names, recipe.IMAGENET_STRENGTHS))
    if smoke:
        config.dtype = "float32"
        config.input = "stream"
    return config
