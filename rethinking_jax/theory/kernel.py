"""Section 5 and Table 3: kernel machines solved exactly, on true and on random labels."""

import json
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.beside import Columns
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.tables import Table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.data.watch import Spoken
from rethinking_jax.host.memory import free_bytes
from rethinking_jax.theory import features, kernel_matrix, kernel_solve
from rethinking_jax.theory.data import Task, Tasks, rows
from rethinking_jax.theory.findings import Findings, curve, table, verdict
from rethinking_jax.theory.kernel_matrix import Kernel

# What runs may differ in and still share a kernel matrix.
LABEL_KEYS = ("corruption", "label_noise", "exclude_true_class", "ridge", "sweep")
COLUMNS: Columns = {
    "kernel": ("kernel", "{}"),
    "ridge": ("ridge", "{:g}"),
    "labels": ("corruption", "{}"),
    "train error": ("train_error", "{:.4f}"),
    "test error": ("test_error", "{:.4f}"),
    "norm": ("norm", "{:.1f}"),
    "relative residual": ("residual", "{:.1e}"),
    "seconds": ("seconds", "{:.1f}"),
    "solver": ("solver", "{}"),
}
NOTE = (
    "norm: sqrt(sum over classes of alpha' K alpha), of one-hot labels 0 and 1. linear and "
    "random_conv are scaled to a mean diagonal of 1, which the Gaussian kernel has; gabor is the "
    "Gaussian kernel on wavelet features of the pixels' total variance. seconds: of the kernel "
    "matrix and its solution, shared by the rows that differ in labels only."
)
BLOCKWISE = ("gaussian", "gabor")  # rows of these are cheap enough to be made again and again
BELOW_CHANCE = 0.5  # of chance's error: what counts as generalizing
CHANCE_BAND = 4  # standard deviations around chance


def run(members: Sequence[Member], tasks: Tasks, say: Callable[[str], None]) -> Findings:
    """Solves for every run; those that share a kernel matrix share it.

    Raises:
      UserError: the kernel does not fit into memory, or its features need larger images.
    """
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(_shared(member.config), []).append(member)
    found: dict[str, dict[str, Any]] = {}
    for group in groups.values():
        for row in _solve_group(group, tasks, say):
            found[row["name"]] = row
    measured = [found[name] for name, _ in members]
    first = measured[0]
    facts = {
        "data": f"{first['dataset']}: {first['train_examples']:,} training, "
        f"{first['test_examples']:,} test images, {first['num_classes']} classes, 0 to 1",
        "method": "(K + ridge I) alpha = one-hot labels, solved for the whole training set",
    }
    made = table("kernel", "Kernel machines (Table 3)", COLUMNS, measured, NOTE)
    return Findings(measured, facts, [made, _paper()], _plots(measured), _verdicts(measured))


def _shared(config: ConfigDict) -> str:
    plain = {k: v for k, v in json.loads(config.to_json()).items() if k not in LABEL_KEYS}
    pixels = config.corruption if CORRUPTIONS[config.corruption].images else ""
    return json.dumps([plain, pixels], sort_keys=True)


def _solve_group(
    group: Sequence[Member], tasks: Tasks, say: Callable[[str], None]
) -> Iterator[dict[str, Any]]:
    config, task = group[0].config, tasks(group[0].config)
    size, test_size = len(task.train_labels), len(task.test_labels)
    plan = plan_of(config, task, free_bytes(jax.local_devices()[0]))
    say(
        f"{config.kernel}: {size:,} x {size:,} in {plan.kind.__name__} by {plan.solver}, about "
        f"{plan.needed / 1e9:.1f} GB"
    )
    started = time.perf_counter()
    kernel = make_kernel(config, task, plan.kind, held=plan.held)
    jax.block_until_ready(kernel.train)
    building = time.perf_counter() - started
    say(f"the kernel took {building:.0f} seconds")
    for ridge in dict.fromkeys(member.config.ridge for member in group):
        own = [(name, c, tasks(c)) for name, c in group if c.ridge == ridge]
        targets = np.eye(task.num_classes)[np.stack([each.train_labels for _, _, each in own], 1)]
        targets = targets.reshape(size, -1)
        started = time.perf_counter()
        if plan.solver == "cg":
            solution = kernel_solve.solve_cg(kernel, targets, ridge, config.seed, Spoken(say))
        else:
            free = free_bytes(jax.local_devices()[0])
            solution = kernel_solve.solve(kernel, targets, ridge, free, Spoken(say))
        seconds = building + time.perf_counter() - started
        if "singular" in solution.solver or not solution.converged:
            say(f"{config.kernel}, ridge {ridge:g}: {solution.solver}")
        predicted = kernel.predict(solution.coefficients)
        for i, (name, each_config, each) in enumerate(own):
            part = slice(i * task.num_classes, (i + 1) * task.num_classes)
            alpha, fitted = solution.coefficients[:, part], solution.fitted[:, part]
            row = {
                "name": name,
                **{k: each_config[k] for k in ("dataset", "kernel", "ridge", "corruption", "seed")},
                "flipped_fraction": each.flipped_fraction,
                "train_examples": size,
                "test_examples": test_size,
                "num_classes": task.num_classes,
                "precision": plan.kind.__name__,
                "train_error": float(np.mean(fitted.argmax(1) != each.train_labels)),
                "test_error": float(np.mean(predicted[:, part].argmax(1) != each.test_labels)),
                "norm": float(np.sqrt(max(0.0, (alpha * fitted).sum()))),
                "residual": solution.residual,
                "solver": solution.solver,
                "converged": solution.converged,
                "seconds": seconds,
            }
            say(f"{name}: test error {row['test_error']:.4f}, norm {row['norm']:.1f}")
            yield row


def plan_of(config: ConfigDict, task: Task, free: int) -> kernel_solve.Plan:
    """Solver and precision for a config's kernel on a task's images.

    Raises:
      UserError: the kernel does not fit into `free` bytes.
    """
    size, test_size = len(task.train_labels), len(task.test_labels)
    blockwise = config.kernel in BLOCKWISE
    besides = 2 * (task.train_images.size + task.test_images.size)
    if not blockwise:
        besides += test_size * size
    return kernel_solve.plan(
        config.solver,
        config.precision,
        size,
        besides,
        free,
        host=kernel_matrix.on_host(),
        blockwise=blockwise,
    )


def make_kernel(config: ConfigDict, task: Task, kind: type, held: bool = True) -> Kernel:
    """The kernel of a config on a task's images; `kind` is np.float32 or np.float64."""
    train, test = task.train_images, task.test_images
    if config.kernel == "gaussian":
        return kernel_matrix.gaussian(rows(train), rows(test), config.gamma, kind, held=held)
    if config.kernel == "gabor":
        found, others = features.gabor(train), features.gabor(test)
        # So that one gamma means the same on both.
        scale = np.sqrt(rows(train).var(0).sum() / max(found.var(0).sum(), 1e-30))
        return kernel_matrix.gaussian(scale * found, scale * others, config.gamma, kind, held=held)
    if config.kernel == "linear":
        pairs = [(rows(train), rows(test))]
        return kernel_matrix.from_features(lambda: pairs, len(train), len(test), kind)
    filters = features.random_patches(train, config.filters, config.seed)
    return kernel_matrix.from_features(
        lambda: features.blocks(train, test, filters), len(train), len(test), kind
    )


def _paper() -> Table:
    columns: Columns = {
        "data": ("data", "{}"),
        "preprocessing": ("preprocessing", "{}"),
        "test error": ("test_error", "{:.3f}"),
        "norm": ("norm", "{:.0f}"),
    }
    conv = "32,000 random convolutional filters"
    given = (
        ("MNIST", "none", 0.012, 220),
        ("MNIST", "Gabor wavelets", 0.006, 390),
        ("CIFAR-10", "none", 0.46, None),
        ("CIFAR-10", conv, 0.17, None),
        ("CIFAR-10", f"{conv}, l2 penalty", 0.15, None),
    )
    keys = [key for key, _ in columns.values()]
    return table(
        "paper",
        "The paper's Table 3 and section 5, for comparison: all 60,000 or 50,000 examples",
        columns,
        [dict(zip(keys, row, strict=True)) for row in given],
    )


def _plots(measured: list[dict[str, Any]]) -> list[Plot]:
    """A point for each solution: were a small norm what generalizes, they would line up."""
    curves = []
    for kernel in dict.fromkeys(row["kernel"] for row in measured):
        for setting in dict.fromkeys(row["corruption"] for row in measured):
            own = [r for r in measured if (r["kernel"], r["corruption"]) == (kernel, setting)]
            own.sort(key=lambda row: row["norm"])
            norms, errors = ([row[key] for row in own] for key in ("norm", "test_error"))
            if own:
                curves.append(curve(f"{kernel}, {setting}", norms, errors))
    caption = "Each point is one exact solution; a line joins the ridges of one kernel."
    title = "Norm and test error of kernel machines"
    return [Plot("kernel", title, caption, "norm in the kernel's space", "test error", curves)]


def _verdicts(measured: list[dict[str, Any]]) -> list[Verdict]:
    measured = [row for row in measured if row["converged"]]  # what is no solution says nothing
    plain = [row for row in measured if row["ridge"] == 0]
    true = [row for row in plain if row["corruption"] == "true_labels"]
    random = [row for row in measured if row["corruption"] == "random_labels"]
    fits = all(row["train_error"] == 0 for row in plain)
    learns = all(row["test_error"] < BELOW_CHANCE * _chance(row) for row in true)
    at_chance = all(abs(row["test_error"] - _chance(row)) < _band(row) for row in random)
    return [
        verdict(
            "Without a ridge the solution fits all labels, true or random.",
            "section 5",
            fits if plain else None,
            f"Train error: {_list(plain, 'train_error', '{:.4f}')}." if plain else "Needs ridge=0.",
            "K alpha = Y is solved exactly.",
        ),
        verdict(
            "Fitting the training set exactly, without a regularizer, generalizes.",
            "Table 3",
            learns if true else None,
            f"Test error on true labels: {_list(true, 'test_error', '{:.4f}')}."
            if true
            else "Needs true_labels with ridge=0.",
            "Test error 0.012 (MNIST), 0.46 (CIFAR-10), no preprocessing.",
        ),
        verdict(
            "The same machines test at chance after random labels.",
            "section 2, for kernels",
            at_chance if random else None,
            f"Test error: {_list(random, 'test_error', '{:.4f}')}."
            if random
            else "Needs random_labels.",
            "Networks: test error 0.90 (CIFAR-10).",
        ),
        _larger_norm(true),
        _random_norm(plain),
    ]


def _larger_norm(true: list[dict[str, Any]]) -> Verdict:
    by_kernel = {row["kernel"]: row for row in true}
    raw, wavelets = by_kernel.get("gaussian"), by_kernel.get("gabor")
    held, ours = None, "Needs gaussian and gabor on true_labels with ridge=0."
    if raw and wavelets:
        held = wavelets["norm"] > raw["norm"] and wavelets["test_error"] < raw["test_error"]
        ours = (
            f"Norm and test error: {raw['norm']:.1f} and {raw['test_error']:.4f} on pixels, "
            f"{wavelets['norm']:.1f} and {wavelets['test_error']:.4f} on wavelets."
        )
    return verdict(
        "The larger norm generalizes better: wavelets against pixels.",
        "section 5",
        held,
        ours,
        "220 and 0.012 on pixels, 390 and 0.006 on wavelets (MNIST).",
    )


def _random_norm(plain: list[dict[str, Any]]) -> Verdict:
    pairs = [
        (a["kernel"], b["norm"] / a["norm"])
        for a in plain
        for b in plain
        if a["kernel"] == b["kernel"]
        and (a["corruption"], b["corruption"]) == ("true_labels", "random_labels")
    ]
    ratios = ", ".join(f"{kernel} {ratio:.2f}" for kernel, ratio in pairs)
    return verdict(
        "Random labels need a larger norm than true ones with the same kernel.",
        "not a claim of the paper",
        all(ratio > 1 for _, ratio in pairs) if pairs else None,
        f"Norm over that of true labels: {ratios}."
        if pairs
        else "Needs both settings with ridge=0.",
        "No number in the paper.",
    )


def _chance(row: dict[str, Any]) -> float:
    return 1 - 1 / row["num_classes"]


def _band(row: dict[str, Any]) -> float:
    chance = _chance(row)
    return float(CHANCE_BAND * np.sqrt(chance * (1 - chance) / row["test_examples"]))


def _list(found: list[dict[str, Any]], key: str, form: str) -> str:
    return ", ".join(
        f"{row['kernel']}"
        + (f" ridge {row['ridge']:g}" if row["ridge"] else "")
        + f" {row['corruption'].replace('_', ' ')} {form.format(row[key])}"
        for row in found
    )
