"""What several configs share: rows of the paper's tables as runs, CIFAR-10's set-up, ImageNet's."""

import re
from collections.abc import Iterable, Sequence

from ml_collections import ConfigDict

from rethinking_jax.config.keys import base_config
from rethinking_jax.config.sweeps import Overrides, runs
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.models import MODELS, takes_widths

# What each regularizer is where it is on. The paper gives no strengths for ImageNet: these are
# those of TensorFlow's public Inception code of the time.
IMAGENET_STRENGTHS: Overrides = {
    "augmentation": "inception_crop+flip+color",
    "dropout": 0.2,
    "weight_decay": 4e-5,
}
CIFAR_STRENGTHS: Overrides = {"augmentation": "crop", "dropout": 0.0, "weight_decay": 5e-4}
OPTIMIZERS = {
    "sgd": {"optimizer": "sgd"},
    "rmsprop": {"optimizer": "rmsprop", "optimizer_epsilon": 1.0},
}
# That code's learning rate, which we take for a batch of 256. With an epsilon of 1 the divisor of
# RMSProp stays near 1, so that SGD with momentum at the same rate takes nearly the same steps.
IMAGENET_LEARNING_RATE = 0.045
IMAGENET_DECAY = 0.96954  # the factor of an epoch; that of two epochs is 0.94
# The steps of an epoch of CIFAR-10 in batches of 128, after which appendix A's decay comes. A
# smaller set decays as slowly per step, or its learning rate is gone before it fits.
CIFAR_DECAY_STEPS = 391


def appendix_learning_rate(model: str) -> float:
    """Returns the paper's learning rate of a model (appendix A).

    The wide ResNet is not in the paper; it has batch norm, as the small Inception.
    """
    large = ("inception_small", "inception_small_no_bn", "wide_resnet_28_1")
    return 0.1 if model in large else 0.01


def network(name: str) -> Overrides:
    """Returns the run of a network, a name of `MODELS`, or mlp_DxW for D layers of width W.

    Raises:
      UserError: the name is neither.
    """
    widths = re.fullmatch(r"mlp_([1-9]\d?)x([1-9]\d*)", name)
    known = [known for known in MODELS if not takes_widths(known)]
    if not widths and name not in known:
        raise UserError(
            f"the network {name!r} is not known{nearest(name, known)} (known: "
            f"{', '.join(known)}, and mlp_DxW for D hidden layers of width W, such as mlp_1x16)"
        )
    if name in known or not widths:
        return {"name": name, "model": name, "hidden_sizes": []}
    depth, width = map(int, widths.groups())
    return {"name": name, "model": "mlp", "hidden_sizes": [width] * depth}


def regularized(names: Sequence[str], strengths: Overrides) -> Overrides:
    """Returns what a run sets to have some regularizers, and no others.

    Args:
      names: some of "augmentation", "dropout" and "weight_decay".
      strengths: what each of them is where it is on.

    Raises:
      UserError: a name is not known.
    """
    for name in names:
        if name not in strengths:
            raise UserError(
                f"the config's argument regularizers={'+'.join(names)}: {name!r} is not known"
                f"{nearest(name, strengths)} (known: none, or some of {'+'.join(strengths)})"
            )
    return {
        "augmentation": strengths["augmentation"] if "augmentation" in names else "",
        "dropout_rate": strengths["dropout"] if "dropout" in names else 0.0,
        "weight_decay": strengths["weight_decay"] if "weight_decay" in names else 0.0,
    }


def rows(
    kinds: Iterable[tuple[str, Sequence[str]]],
    strengths: Overrides,
    seeds: int,
    model: str = "",
) -> list[Overrides]:
    """Returns the runs of a table: each setting with its regularizers, for every seed.

    Args:
      kinds: the setting and the names of the regularizers of each row.
      strengths: see `regularized`.
      seeds: the number of seeds, which begin at 0.
      model: the model of these rows, which is part of their names; "": the config's.

    Returns:
      Runs named such as "true_labels,dropout+weight_decay" or "random_labels,none,seed=1",
      the model before it, with the paper's learning rate of it.

    Raises:
      UserError: there is less than one seed.
    """
    own = {"model": model, "learning_rate": appendix_learning_rate(model)} if model else {}
    members = []
    for setting, names in kinds:
        name = ",".join(filter(None, [model, setting, "+".join(names) or "none"]))
        on = regularized(names, strengths)
        members.append({"name": name, **own, "corruption": setting, **on})
    return seeded(members, seeds)


def chosen_models(models: str, known: Sequence[str], table: str) -> list[str]:
    """Returns the models of an argument such as "mlp_1x512+alexnet_small".

    Args:
      models: their names, joined by +.
      known: the models of the table.
      table: the name of the table, for the message.

    Raises:
      UserError: one of them is not in the table.
    """
    for model in models.split("+"):
        if model not in known:
            raise UserError(
                f"the config's argument models={models}: {model!r} is not in {table}"
                f"{nearest(model, known)} (there: {', '.join(known)})"
            )
    return models.split("+")


def cifar_config(experiment: str, dataset: str, train_examples: int, epochs: int) -> ConfigDict:
    """Returns the paper's set-up for CIFAR-10, or the same on another data set."""
    config = base_config()
    config.experiment = experiment
    config.dataset = dataset
    config.train_examples = train_examples
    config.epochs = epochs
    config.lr_decay_steps = CIFAR_DECAY_STEPS
    config.checkpoint_every = 10
    return config


def hidden_layers(sizes: str) -> list[list[int]]:
    """Returns the hidden sizes of each MLP of an argument such as "120-84+480-240-120".

    Raises:
      UserError: the argument is something else.
    """
    found = []
    for text in sizes.split("+"):
        widths = text.split("-")
        if not all(width.isdecimal() and int(width) for width in widths):
            raise UserError(f"the config's argument sizes={sizes}: {text!r} must be such as 120-84")
        found.append([int(width) for width in widths])
    return found


def numbers(key: str, text: str) -> list[float]:
    """Returns the numbers of an argument such as "0.01+0.1".

    Raises:
      UserError: the argument is something else.
    """
    try:
        return [float(number) for number in text.split("+")]
    except ValueError:
        raise UserError(
            f"the config's argument {key}={text}: must be numbers joined by +, such as 0.01+0.1"
        ) from None


def without(chosen: ConfigDict, *keys: str) -> Overrides:
    """Returns the arguments of a config file without some: those that are keys of its config."""
    return {key: value for key, value in chosen.items() if key not in keys}


def course_config(name: str, chosen: ConfigDict | Overrides) -> ConfigDict:
    """Returns a lesson's set-up: the MLP 120-84, SGD without momentum at a constant rate.

    Args:
      name: the name of the experiment, and of the lesson.
      chosen: the arguments dataset, train_examples (0 where there is none) and epochs (1 where
        there is none, for every run has its own).
    """
    config = base_config()
    config.experiment = name
    config.dataset = chosen["dataset"]
    config.train_examples = chosen.get("train_examples", 0)
    config.epochs = chosen.get("epochs", 1)
    config.crop_size = 0
    config.preprocess = "dataset"
    config.model = "mlp"
    config.hidden_sizes = (120, 84)
    config.momentum = 0.0
    config.lr_decay = 1.0
    # The curves are the point: no run ends where its training set is fitted.
    config.stop_when_fitted = False
    config.checkpoint_every = 10
    return config


def noisy(noise: str) -> list[Overrides]:
    """Returns a run for each label noise of an argument such as "0+0.2".

    With that probability a label is a wrong one, as in Nakkiran et al. (2020).

    Raises:
      UserError: the argument is something else.
    """
    partly = {"corruption": "partially_corrupted_labels", "exclude_true_class": True}
    return [
        {"name": f"noise={level:g}", **partly, "label_noise": level}
        if level
        else {"name": "noise=0", "corruption": "true_labels"}
        for level in numbers("noise", noise)
    ]


def widths_config(name: str, chosen: ConfigDict) -> ConfigDict:
    """Returns MLPs of many widths, which are trained as long as each other, for double descent.

    Args:
      name: the name of the experiment.
      chosen: the arguments widths, noise and seeds, and keys of the config.
    """
    config = base_config()
    config.update(
        experiment=name,
        preprocess="none",
        crop_size=0,
        model="mlp",
        hidden_sizes=(1,),
        optimizer="adam",
        learning_rate=0.001,
        lr_decay=1.0,
        # What differs is the size: no run ends where its training set is fitted.
        stop_when_fitted=False,
        checkpoint_every=500,
        **without(chosen, "noise", "widths", "seeds"),
    )
    members = [
        {**labels, "name": f"width={sizes[0]},{labels['name']}", "hidden_sizes": sizes}
        for sizes in hidden_layers(chosen.widths)
        for labels in noisy(chosen.noise)
    ]
    config.sweep = runs(seeded(members, chosen.seeds))
    return config


def seeded(members: Sequence[Overrides], seeds: int) -> list[Overrides]:
    """Returns each named run with every seed, which its name tells where there are several.

    Raises:
      UserError: there is less than one seed.
    """
    if seeds < 1:
        raise UserError(f"the config's argument seeds={seeds}: must be at least 1")
    return [
        {**member, "seed": seed, "name": member["name"] + (f",seed={seed}" if seeds > 1 else "")}
        for member in members
        for seed in range(seeds)
    ]


def imagenet_config(
    model: str, image_size: int, batch_size: int, epochs: int, recipe: str
) -> ConfigDict:
    """Returns the set-up for ImageNet of the paper's Table 2, as far as the paper says it.

    Args:
      model: a name of `MODELS`.
      image_size: the side of the images, in pixels.
      batch_size: the examples of a step; the learning rate is in proportion to it.
      epochs: the most epochs that a run trains.
      recipe: "sgd" (momentum 0.9) or "rmsprop" (momentum 0.9, epsilon 1).

    Raises:
      UserError: the recipe is not known, or a batch is empty.
    """
    if recipe not in OPTIMIZERS:
        raise UserError(f"the config's argument recipe={recipe}: must be sgd or rmsprop")
    if batch_size < 1:
        raise UserError(f"the config's argument batch_size={batch_size}: must be at least 1")
    config = base_config()
    config.dataset = "imagenet2012"
    config.image_size = image_size
    config.crop_size = 0
    config.preprocess = "inception"
    config.model = model
    config.dtype = "bfloat16"
    config.batch_size = config.eval_batch_size = batch_size
    config.last_batch = "drop"
    config.epochs = epochs
    config.update(OPTIMIZERS[recipe])
    config.learning_rate = IMAGENET_LEARNING_RATE * batch_size / 256
    config.lr_decay = IMAGENET_DECAY
    config.weight_decay_mask = "kernels"
    # A look at all 1.28 million would cost a third of an epoch.
    config.train_eval_examples = 50_000
    config.checkpoint_every_steps = 1000
    return config
