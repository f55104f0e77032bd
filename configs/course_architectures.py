"""Lesson: test accuracy against what a network costs: parameters, operations, time.

    python -m rethinking_jax.main --config=configs/course_architectures.py
    python -m rethinking_jax.main --config=configs/course_architectures.py:dataset=cifar10

Eight networks: VGG-style, All-CNN-C, MobileNet, Inception and AlexNet (small ones), a wide
ResNet, an MLP and maxout, SGD with momentum; the learning rate falls by `lr_decay` an epoch.
Arguments: models (joined by +; mlp_DxW for D hidden layers of width W), dataset, seeds,
epochs, train_examples (0: all), image_size (0: as they are), batch_size, lr_decay. On mnist5k
digits are scaled to 14x14 and 500 are trained on for five epochs, which a CPU can do; with
another data set everything is at its full size.

Expected on mnist5k: test accuracy from 0.89 (MLP) to 0.94 (VGG-style); the MobileNet takes a
tenth of VGG's operations and twice its time on a CPU, whose depthwise convolutions are slow. On
2,000 images of CIFAR-10, 160 steps: from 0.36 (wide ResNet) to 0.54 (VGG-style).

Takes 2 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs

MODELS = (
    "vgg_small+all_cnn+mobilenet_small+inception_small+alexnet_small+wide_resnet_28_1"
    "+mlp_3x512+maxout"
)
# By trial on 400 to 500 digits, by the training loss; the thin networks with batch norm learn
# too slowly at 0.01, the small AlexNet unsteadily.
RATE = 0.01
RATES = {
    "mobilenet_small": 0.1,
    "inception_small_no_bn": 0.03,
    "wide_resnet_28_1": 0.03,
    "maxout": 0.02,
    "alexnet_small": 0.005,
}
SMALL = {"train_examples": 500, "epochs": 5, "image_size": 14, "batch_size": 10, "lr_decay": 0.6}
FULL = {"train_examples": 0, "epochs": 60, "image_size": 0, "batch_size": 128, "lr_decay": 0.95}


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each network and seed."""
    fixed = {"models": MODELS, "dataset": "mnist5k", "seeds": 3}
    chosen = parse_argument(argument, positional="models", **fixed, **SMALL)
    if chosen.dataset != "mnist5k":
        chosen = parse_argument(argument, positional="models", **fixed, **FULL)
    config = recipe.course_config("course_architectures", chosen)
    config.image_size = chosen.image_size
    config.batch_size = chosen.batch_size
    # 100 at a time: a CPU tests them faster than 1,000.
    config.eval_batch_size = 10 * chosen.batch_size
    config.lr_decay = chosen.lr_decay
    config.momentum = 0.9
    # A look at few training images: this lesson is about the test images.
    config.train_eval_examples = 100
    members = [recipe.network(name) for name in chosen.models.split("+")]
    for member in members:
        member["learning_rate"] = RATES.get(member["model"], RATE)
    config.sweep = runs(recipe.seeded(members, chosen.seeds))
    return config
