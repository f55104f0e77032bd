"""Belkin, Ma and Mandal (2018): kernels that fit noisy labels exactly, and nearest neighbours.

A kernel machine of least norm fits every label, however many of them are noise, and its test error
stays near the smallest one that is possible. Labels are drawn anew from all k classes with
probability p, in training and in the test set, so no classifier has an error below p (k - 1) / k.
"""

from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.config import Member
from rethinking_jax.config.key import ABOVE_0, Key, Need, one_of
from rethinking_jax.data import Dataset
from rethinking_jax.errors import UserError
from rethinking_jax.host.memory import free_bytes
from rethinking_jax.theory import kernel_matrix, kernel_solve
from rethinking_jax.theory.interpolation import COUNTED, Make, Outcome, by_kernel, by_neighbours
from rethinking_jax.theory.kernel import SCALE
from rethinking_jax.theory.kernel_noise_pages import plots, tables
from rethinking_jax.theory.kernel_noise_verdicts import verdicts
from rethinking_jax.theory.kind import DATA_KEYS, Kind, Tools, at_least
from rethinking_jax.theory.noisy_draws import noisy_draw
from rethinking_jax.workdir.metrics import Json, text_of

NEIGHBOURS = (1, 5)  # the paper's numbers of nearest neighbours
KERNELS = ("gaussian", "laplacian")


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Measures every kernel, or the neighbours, at each size and level of noise.

    Raises:
      UserError: a size is larger than the data set, or its kernel does not fit into memory.
    """
    config = members[0].config
    dataset = tools.tasks.dataset(config)
    check_sizes(config, dataset)
    measured = []
    for _, own in members:
        for size in numbers_of(own, "sizes"):
            found = _rows(own, dataset, int(size))
            for learner in dict.fromkeys(row["learner"] for row in found):
                tools.say(_told([row for row in found if row["learner"] == learner]))
            measured += found
    count = len(dataset.train)
    facts = {
        "data": f"{config.dataset}: {count:,} training images to draw from, "
        f"{len(dataset.test):,} test images, {dataset.num_classes} classes, pixels from 0 to 1",
        "method": "K alpha = one-hot labels, solved for the whole training set: the function of "
        "least norm that fits them",
        "noise": "training and test labels are drawn anew from all classes with the probability "
        "that is called noise",
        "draws": f"{config.draws} draws of training set and noise; two sets of n examples share "
        f"about n² / {count:,} of them",
    }
    return Findings(measured, facts, tables(measured), plots(measured), verdicts(measured))


def numbers_of(config: ConfigDict, key: str) -> list[float]:
    """Reads numbers joined by +, each larger than the one before; '' gives none.

    Raises:
      UserError: the config's `key` holds something else.
    """
    allowed = ALLOWED[key]
    try:
        found = [float(word) for word in config[key].split("+")] if config[key] else []
    except ValueError:
        found = [np.nan]
    right = all(allowed(number) for number in found) and found == sorted(set(found))
    if not right or not (found or key == "ridges"):
        raise UserError(f"config.{key}={config[key]!r} must be {WANTED[key]}, rising, joined by +")
    return found


ALLOWED: dict[str, Callable[[float], bool]] = {
    "sizes": lambda number: number >= 1 and number.is_integer(),
    "noise": lambda number: 0 <= number <= 1,
    "ridges": lambda number: 0 < number < np.inf,
}
WANTED = {
    "sizes": "whole numbers from 1 on",
    "noise": "probabilities from 0 to 1",
    "ridges": "numbers above 0, or empty,",
}


def check(config: ConfigDict) -> None:
    """Checks the lists of numbers of a run.

    Raises:
      UserError: one of them is something else.
    """
    for key in ALLOWED:
        numbers_of(config, key)


def check_sizes(config: ConfigDict, dataset: Dataset) -> None:
    """Refuses sizes that the data set or the memory has no room for.

    Raises:
      UserError: the message says which size is the largest one.
    """
    count, largest = len(dataset.train), int(max(numbers_of(config, "sizes")))
    least = int(min(numbers_of(config, "sizes")))
    if largest > count or least < max(NEIGHBOURS):
        raise UserError(
            f"config.sizes={config.sizes}: {config.dataset} has {count:,} training examples, so "
            f"each must be from {max(NEIGHBOURS)} to {count}"
        )
    plan_of(config, dataset, largest)


def plan_of(config: ConfigDict, dataset: Dataset, size: int) -> kernel_solve.Plan:
    """Chooses the precision of a kernel on so many training examples.

    Raises:
      UserError: it does not fit into memory.
    """
    pixels = int(np.prod(dataset.image_shape))
    # Coefficients and outputs of all levels, and those of the ridges beside them.
    columns = 4 * len(numbers_of(config, "noise")) * dataset.num_classes
    return kernel_solve.plan(
        "cholesky",
        "auto",
        size,
        (size + len(dataset.test)) * (2 * pixels + columns),
        free_bytes(jax.local_devices()[0]),
        host=kernel_matrix.on_host(),
        blockwise=True,
        key="sizes",
    )


KIND = Kind(
    run,
    keys=(
        Key(
            "kernel",
            "gaussian",
            "What learns: the gaussian or the laplacian kernel, or the nearest neighbours, one and "
            "five of them.",
            choices=(*KERNELS, "nearest"),
        ),
        Key(
            "gamma",
            0.02,
            "The gamma of exp(-gamma * squared distance), of pixels from 0 to 1; 0.02 is the "
            "paper's width of 5.",
            range=ABOVE_0,
            needs=one_of("kernel", "gaussian"),
        ),
        SCALE,
        Key("sizes", "500+1500+3000", "Numbers of training examples, joined by +."),
        Key(
            "noise",
            "0+0.01+0.1+0.3+0.5+0.8+1",
            "Probabilities with which a label is drawn anew, joined by +.",
        ),
        Key(
            "draws",
            5,
            "Draws of the training set and of its noise, by the seeds from seed on.",
            range=at_least(2, ", for an interval"),
        ),
        Key(
            "ridges",
            "0.01+0.1+1+10",
            "Ridges, joined by +, of which a held-out fifth of the training set chooses one to "
            "compare with; empty: none.",
            needs=Need(("kernel",), lambda c: c.kernel in KERNELS, "kernel=gaussian or laplacian"),
        ),
    ),
    shared=DATA_KEYS,
    needs={"seed": None},
    one_for_all=(
        *("dataset", "image_size", "train_examples", "data_seed", "crop_size", "seed"),
        *("sizes", "noise", "draws", "gamma", "scale", "ridges"),
    ),
    check=check,
)


def _rows(config: ConfigDict, dataset: Dataset, size: int) -> list[Json]:
    """Returns a row for each learner and level of noise, with the values of all draws."""
    levels = numbers_of(config, "noise")
    draws: dict[str, list[Outcome]] = {}
    for seed in range(config.seed, config.seed + config.draws):
        draw = noisy_draw(dataset, size, levels, seed, config.crop_size)
        if config.kernel == "nearest":
            found = {f"{k}-NN": own for k, own in by_neighbours(draw, NEIGHBOURS).items()}
        else:
            counted = [i for i, p in enumerate(levels) if p in (0, 1) and size <= COUNTED]
            free = free_bytes(jax.local_devices()[0])
            make = _make(config, plan_of(config, dataset, size).dtype)
            ridges = numbers_of(config, "ridges")
            found = {config.kernel: by_kernel(make, draw, ridges, counted, free)}
        for learner, outcome in found.items():
            draws.setdefault(learner, []).append(outcome)
    k = dataset.num_classes
    return [
        {
            "name": f"{learner},n={size},noise={level:g}",
            "dataset": config.dataset,
            "learner": learner,
            "examples": size,
            "test_examples": len(dataset.test),
            "num_classes": k,
            "noise": level,
            "bayes_error": level * (k - 1) / k,
            "converged": all(one.converged for one in outcomes),
            **_values(outcomes, i),
        }
        for learner, outcomes in draws.items()
        for i, level in enumerate(levels)
    ]


def _make(config: ConfigDict, dtype: kernel_matrix.Precision) -> Make:
    if config.kernel == "gaussian":
        return partial(kernel_matrix.gaussian, gamma=config.gamma, dtype=dtype)
    return partial(kernel_matrix.laplacian, scale=config.scale, dtype=dtype)


def _values(outcomes: Sequence[Outcome], level: int) -> Json:
    """Returns what each draw came to at a level; None for what is not measured in every one."""
    values: Json = {}
    for key in Outcome._fields[:-1]:
        own = [getattr(one, key) for one in outcomes]
        found = [each[level] for each in own if each is not None and each[level] is not None]
        values[key] = [float(each) for each in found] if len(found) == len(outcomes) else None
    return values


def _told(rows: Sequence[Json]) -> str:
    errors = ", ".join(
        f"{text_of(np.mean(row['test_errors']))} at noise {row['noise']:g}" for row in rows
    )
    return f"{rows[0]['learner']}, {rows[0]['examples']:,} examples: test error {errors}"
