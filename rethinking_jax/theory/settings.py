"""The config of an experiment of theory: the keys it has, and what they may be."""

import math
from collections.abc import Sequence
from typing import Any

from ml_collections import ConfigDict

from rethinking_jax.config import KEYS, Key, Member, Range, base_config, check_keys
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.models import create_model
from rethinking_jax.theory.widths import parse

# Of the keys that every config shares, those that say which data and which labels.
LABEL_KEYS = ("corruption", "label_noise", "exclude_true_class")
SHARED_KEYS = (
    "experiment",
    "dataset",
    "data_dir",
    "manual_dir",
    "image_size",
    "train_examples",
    "data_seed",
    *LABEL_KEYS,
    "crop_size",
    "seed",
    "sweep",
)
# Those of experiments that train, and mean there what they mean everywhere.
TRAINING_KEYS = (
    "model",
    "hidden_sizes",
    "optimizer",
    "learning_rate",
    "batch_size",
    "epochs",
    "preprocess",
)
# Kinds that draw their labels themselves.
OWN_LABELS = ("rademacher", "shattering")
# The keys of each kind, with defaults.
OWN_KEYS: dict[str, dict[str, Any]] = {
    "theorem1": {
        "depth": 4,  # of Corollary 1's network: depth - 1 hidden layers
        "sampled_points": 500,  # at which every term of the network is summed
        "trained_widths": "",  # of 2-layer networks trained on the same labels, joined by +
        "trained_epochs": 200,  # of all points; more where there are fewer
    },
    "kernel": {
        "kernel": "gaussian",
        "gamma": 0.02,  # of exp(-gamma squared distance); the first author's, pixels from 0 to 1
        "ridge": 0.0,  # added to the kernel's diagonal
        "filters": 1024,  # random filters of kernel=random_conv
        "solver": "auto",  # cholesky; cg, which never holds the matrix; auto by memory
        "precision": "auto",  # of the kernel: float64, float32 (refined in float64), auto by memory
    },
    "min_norm": {
        "features": "fourier",  # random Fourier features, or the pixels themselves
        "num_features": 1000,  # of features=fourier
        "batch_size": 20,
        "learning_rate": 0.0,  # 0: one over the largest squared norm of an example
        "steps": 30_000,
        "start_scale": 1.0,  # norm of the other start over that of the solution
        "ntk_widths": "",  # of networks held against their tangent kernels, joined by +
        "ntk_examples": 40,
        "ntk_seeds": 3,
    },
    "rademacher": {
        "model": "mlp_1x512",
        "hidden_sizes": (),
        "optimizer": "adam",
        "learning_rate": 0.002,
        "batch_size": 50,
        "epochs": 60,
        "preprocess": "paper",
        "draws": 6,  # of random signs, for each network and number of points
        "exact_draws": 400,  # of random signs, for the classes with a closed form
        "sizes": 4,  # numbers of points: all, a quarter of them, a sixteenth, ...
        "gamma": 0.02,  # of exp(-gamma squared distance), the kernel of one of these classes
    },
    "shattering": {
        "model": "mlp",
        "hidden_sizes": (4,),
        "optimizer": "adam",
        "learning_rate": 0.03,
        "epochs": 30,  # of 100 steps
        "points": "gaussian",  # or random projections of a data set's images
        "dimensions": 4,
        "dichotomies": 64,  # the most that are trained of each set of points
        "starts": 3,  # initial weights that each is trained from
    },
    "stability": {
        "model": "mlp",
        "hidden_sizes": (128,),
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "batch_size": 50,
        "epochs": 60,
        "preprocess": "paper",
        "seeds": 4,
        "twins": 2,  # of each seed
    },
}
CHOICES = {
    "kernel": ("gaussian", "linear", "gabor", "random_conv"),
    "solver": ("auto", "cholesky", "cg"),
    "precision": ("auto", "float32", "float64"),
    "features": ("fourier", "pixels"),
    "points": ("gaussian", "images"),
}
RANGES: dict[str, tuple[float, float, str]] = {
    "depth": (2, math.inf, "at least 2, one hidden layer"),
    "sampled_points": (1, math.inf, "at least 1"),
    "trained_epochs": (1, math.inf, "at least 1"),
    "gamma": (1e-12, 1e12, "above 0"),
    "ridge": (0, 1e12, "at least 0"),
    "filters": (1, math.inf, "at least 1"),
    "num_features": (1, math.inf, "at least 1"),
    "learning_rate": (0, 1e12, "0 (its own choice) or above"),
    "steps": (1, math.inf, "at least 1"),
    "start_scale": (1e-12, 1e12, "above 0"),
    "ntk_examples": (2, math.inf, "at least 2"),
    "ntk_seeds": (1, math.inf, "at least 1"),
    "draws": (2, math.inf, "at least 2, for an error"),
    "exact_draws": (2, math.inf, "at least 2, for an error"),
    "sizes": (1, 20, "from 1 to 20"),
    "seeds": (2, math.inf, "at least 2, for an interval"),
    "twins": (1, math.inf, "at least 1"),
    "dimensions": (1, math.inf, "at least 1"),
    "starts": (1, math.inf, "at least 1"),
    "dichotomies": (2, math.inf, "at least 2"),
}


LADDERS = ("trained_widths", "ntk_widths")

# Keys that matter where another one has a certain value.
ANY = "something"
EFFECTS = {
    "filters": ("kernel", "random_conv"),
    "num_features": ("features", "fourier"),
    "trained_epochs": ("trained_widths", ANY),
    "ntk_examples": ("ntk_widths", ANY),
    "ntk_seeds": ("ntk_widths", ANY),
    **dict.fromkeys(("dataset", "image_size", "train_examples"), ("points", "images")),
}


def check_effects(config: ConfigDict, members: Sequence[Member]) -> None:
    """Refuses a key that is set and does nothing in any of the runs.

    Raises:
      UserError: with the value of the other key that it is for.
    """
    for key, (other, value) in EFFECTS.items():
        if key not in config or other not in config:
            continue
        if config[key] == OWN_KEYS[config.kind].get(key, base_config().get(key)):
            continue
        given = [member.config[other] for member in members]
        if not (any(given) if value == ANY else value in given):
            raise UserError(f"config.{key}={config[key]} has no effect: it is for {other}={value}")


def shared_keys(kind: str) -> list[str]:
    """The keys that a kind of experiment has in common with all configs."""
    return [key for key in SHARED_KEYS if kind not in OWN_LABELS or key not in LABEL_KEYS]


def theory_config(kind: str, **changes: Any) -> ConfigDict:
    """The config of one kind of experiment: which data, which labels, and its own keys.

    It has no other keys, so `--config.epochs=3` is refused and not ignored.
    """
    base = base_config()
    config = ConfigDict({"kind": kind})
    for key in shared_keys(kind):
        # A placeholder such as label_noise keeps its type this way.
        config[key] = base.get_oneway_ref(key) if base[key] is None else base[key]
    config.update(OWN_KEYS[kind])
    config.experiment = kind
    config.update(changes)
    return config


def check(config: ConfigDict) -> None:
    """Checks the keys that only such a config has.

    Raises:
      UserError: with the key, what was given and what would be right.
    """
    if config.kind not in OWN_KEYS or set(OWN_KEYS[config.kind]) - set(config):
        raise UserError(
            f"config.kind={config.kind!r} does not belong to this config file"
            f"{nearest(config.kind, OWN_KEYS)} (take configs/{'.py, configs/'.join(OWN_KEYS)}.py)"
        )
    if "model" in config:
        # Before anything is drawn, as a config that trains.
        create_model(config.model, num_classes=2, hidden_sizes=tuple(config.hidden_sizes))
        if not 0 < config.learning_rate < math.inf:
            raise UserError(f"config.learning_rate={config.learning_rate} must be above 0")
    own = {
        name: Key(name, config[name], "", "static", CHOICES.get(name, ()),
                  Range(*RANGES[name]) if name in RANGES else None)
        for name in OWN_KEYS[config.kind]
    }  # fmt: skip
    check_keys(config, {**KEYS, **own})
    for key in LADDERS:
        if key in config:
            parse(config[key], key)
