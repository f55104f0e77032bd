"""Section 5 and Table 3: kernel machines solved exactly, on true and on random labels."""

import json
import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import jax
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.chance import renaming_deviation
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.findings import Findings, curve
from rethinking_jax.analysis.table import Column, Table, table
from rethinking_jax.config import Member
from rethinking_jax.config.data_keys import corrupts
from rethinking_jax.config.key import ABOVE_0, AT_LEAST_1, Key, Need, Range, one_of
from rethinking_jax.corruption import CORRUPTIONS, corruption_seed
from rethinking_jax.data.watch import Spoken, Watch, silent
from rethinking_jax.host.memory import free_bytes
from rethinking_jax.theory import features, kernel_matrix, kernel_solve, random_filters
from rethinking_jax.theory.data import Task, rows
from rethinking_jax.theory.kernel_matrix import Kernel, Precision
from rethinking_jax.theory.kernel_verdicts import machine, verdicts
from rethinking_jax.theory.kind import LABEL_KEYS, Kind, Tools
from rethinking_jax.workdir.metrics import Json, text_of

# Keys in which runs may differ and still share a kernel matrix.
UNSHARED_KEYS = (*LABEL_KEYS, "ridge", "sweep")
# Keys in which the rows of a table may differ without a word besides.
SHOWN_KEYS = ("kernel", "ridge", "corruption")
COLUMNS = (
    Column("kernel", "kernel"),
    Column("ridge", "ridge", "{:g}"),
    Column("labels", "corruption"),
    Column("train error", "train_error", text_of),
    Column("test error", "test_error", text_of),
    Column("by chance ±", "test_deviation", "{:.4f}"),
    Column("norm", "norm", "{:.1f}"),
    Column("relative residual", "residual", "{:.1e}"),
    Column("seconds", "seconds", "{:.1f}"),
    Column("solver", "solver"),
)
NOTE = (
    "norm: sqrt(sum over classes of alpha' K alpha), of one-hot labels 0 and 1. linear and "
    "random_conv are scaled to a mean diagonal of 1, which the others have; gabor is the "
    "Gaussian kernel on wavelet features of the pixels' total variance. seconds: of the kernel "
    "matrix and its solution, shared by the rows that differ in labels only. by chance ±: the "
    "standard deviation of the test error over all renamings of the classes; after random labels "
    "three of it around 1 - 1/k are chance."
)
# Belkin, Ma and Mandal (2018) take this kernel beside the Gaussian one.
SCALE = Key(
    "scale",
    10.0,
    "The s of exp(-distance / s), of pixels from 0 to 1.",
    range=ABOVE_0,
    needs=one_of("kernel", "laplacian"),
)
BLOCKWISE = (
    "gaussian",
    "laplacian",
    "gabor",
)  # rows of these are cheap enough to be made again and again


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Solves for every run; those that share a kernel matrix share it.

    Raises:
      UserError: the kernel does not fit into memory, or its features need larger images.
    """
    groups: dict[str, list[Member]] = {}
    for member in members:
        groups.setdefault(_shared(member.config), []).append(member)
    found: dict[str, Json] = {}
    for group in groups.values():
        for row in _solve_group(group, tools):
            found[row["name"]] = row
    variants = _variants(members)
    measured = [found[name] | variants[name] for name, _ in members]
    first = measured[0]
    facts = {
        "data": f"{first['dataset']}: {first['train_examples']:,} training, "
        f"{first['test_examples']:,} test images, {first['num_classes']} classes, 0 to 1",
        "method": "(K + ridge I) alpha = one-hot labels, solved for the whole training set",
    }
    columns = (Column("besides", "variant"), *COLUMNS) if any(variants.values()) else COLUMNS
    made = table("kernel", "Kernel machines (Table 3)", columns, measured, NOTE)
    return Findings(measured, facts, [made, _paper()], _plots(measured), verdicts(measured))


def _variants(members: Sequence[Member]) -> dict[str, Json]:
    """Says for each run by its name in what else than kernel, ridge and labels they differ."""
    keys = [
        key
        for key in members[0].config
        if key not in (*SHOWN_KEYS, "sweep")
        and len({str(member.config[key]) for member in members}) > 1
    ]
    return {
        name: {"variant": ", ".join(f"{key}={config[key]}" for key in keys)} if keys else {}
        for name, config in members
    }


def _corrupts_by_seed(config: ConfigDict) -> bool:
    """Says whether a run draws a corruption by its own seed."""
    return corrupts(config) and config.corruption_seed is None


KIND = Kind(
    run,
    keys=(
        Key(
            "kernel",
            "gaussian",
            "The kernel: gaussian or laplacian on pixels, the gaussian one on gabor wavelets, "
            "linear, or that of random_conv, random convolutional features.",
            choices=("gaussian", "laplacian", "linear", "gabor", "random_conv"),
        ),
        Key(
            "gamma",
            0.02,
            "The gamma of exp(-gamma * squared distance), of pixels from 0 to 1; 0.02 is the first "
            "author's.",
            range=ABOVE_0,
            needs=one_of("kernel", "gaussian", "gabor"),
        ),
        SCALE,
        Key(
            "ridge",
            0.0,
            "What is added to the kernel matrix's diagonal.",
            range=Range(0, 1e12, "from 0 to 1e12"),
        ),
        Key(
            "filters",
            1024,
            "Number of random filters of random_conv.",
            range=AT_LEAST_1,
            needs=one_of("kernel", "random_conv"),
        ),
        Key(
            "whitening",
            0.0,
            "What is added to the variances of normalized patches before random_conv whitens them; "
            "0 for neither; 0.1 is Coates and Ng's.",
            range=Range(0, 1e12, "from 0 to 1e12"),
            needs=one_of("kernel", "random_conv"),
        ),
        Key(
            "threshold",
            0.0,
            "What is taken off each sign of a response of random_conv before its ReLU.",
            range=Range(0, 1e12, "from 0 to 1e12"),
            needs=one_of("kernel", "random_conv"),
        ),
        Key(
            "solver",
            "auto",
            "How the system is solved: cholesky; cg, which never holds the matrix; auto takes what "
            "fits into memory.",
            choices=("auto", "cholesky", "cg"),
        ),
        Key(
            "precision",
            "auto",
            "What the kernel matrix is held in: float64; float32, whose solution is refined in "
            "float64; auto takes what fits into memory.",
            choices=("auto", "float32", "float64"),
        ),
    ),
    needs={
        "seed": Need(
            ("kernel", "corruption"),
            lambda config: config.kernel == "random_conv" or _corrupts_by_seed(config),
            "kernel=random_conv, or a corruption without corruption_seed",
        )
    },
)


def _shared(config: ConfigDict) -> str:
    plain = {k: v for k, v in json.loads(config.to_json()).items() if k not in UNSHARED_KEYS}
    drawn = CORRUPTIONS[config.corruption].images is not None
    pixels = (config.corruption, corruption_seed(config)) if drawn else ()
    return json.dumps([plain, pixels], sort_keys=True)


def _solve_group(group: Sequence[Member], tools: Tools) -> Iterator[Json]:
    """Yields the results of runs that share a kernel matrix, those of one ridge together."""
    config, task = group[0].config, tools.tasks(group[0].config)
    size = len(task.train_labels)
    plan = plan_of(config, task, free_bytes(jax.local_devices()[0]))
    tools.say(
        f"{config.kernel}: {size:,} x {size:,} in {plan.dtype.__name__} by {plan.solver}, about "
        f"{plan.needed / 1e9:.1f} GB"
    )
    started = time.perf_counter()
    kernel = make_kernel(config, task, plan.dtype, held=plan.held, watch=Spoken(tools.say))
    jax.block_until_ready(kernel.train)
    building = time.perf_counter() - started
    tools.say(f"the kernel took {building:.0f} seconds")
    for ridge in dict.fromkeys(member.config.ridge for member in group):
        own = [member for member in group if member.config.ridge == ridge]
        each = [tools.tasks(member.config) for member in own]
        started = time.perf_counter()
        solution = _solve(kernel, plan.solver, each, ridge, config.seed, Spoken(tools.say))
        seconds = building + time.perf_counter() - started
        if "singular" in solution.solver or not solution.converged:
            tools.say(f"{config.kernel}, ridge {ridge:g}: {solution.solver}")
        predicted = kernel.predict(solution.coefficients)
        for i, member in enumerate(own):
            row = {
                **_row(member, each[i], solution, predicted, i),
                "precision": plan.dtype.__name__,
                "seconds": seconds,
            }
            tools.say(
                f"{row['name']}: test error {text_of(row['test_error'])}, norm {row['norm']:.1f}"
            )
            yield row


def _solve(
    kernel: Kernel, solver: str, tasks: Sequence[Task], ridge: float, seed: int, watch: Watch
) -> kernel_solve.Solution:
    """Solves for the one-hot labels of several tasks at once, side by side as columns."""
    labels = np.stack([task.train_labels for task in tasks], 1)
    targets = np.eye(tasks[0].num_classes)[labels].reshape(len(labels), -1)
    if solver == "cg":
        return kernel_solve.solve_cg(kernel, targets, ridge, seed, watch)
    free = free_bytes(jax.local_devices()[0])
    return kernel_solve.solve(kernel, targets, ridge, free, watch)


def _row(
    member: Member, task: Task, solution: kernel_solve.Solution, predicted: np.ndarray, index: int
) -> Json:
    """Returns the results of the run whose columns are the `index`-th of a solution's."""
    part = slice(index * task.num_classes, (index + 1) * task.num_classes)
    alpha, fitted = solution.coefficients[:, part], solution.fitted[:, part]
    keys = ["dataset", "kernel", "ridge", "corruption", "seed"]
    if member.config.kernel == "random_conv":
        keys += ["filters", "whitening", "threshold"]
    answers = predicted[:, part].argmax(1)
    return {
        "name": member.name,
        **{key: member.config[key] for key in keys},
        "flipped_fraction": task.flipped_fraction,
        "train_examples": len(task.train_labels),
        "test_examples": len(task.test_labels),
        "num_classes": task.num_classes,
        "train_error": float(np.mean(fitted.argmax(1) != task.train_labels)),
        "test_error": float(np.mean(answers != task.test_labels)),
        "test_deviation": renaming_deviation(answers, task.test_labels, task.num_classes),
        "norm": float(np.sqrt(max(0.0, (alpha * fitted).sum()))),
        "residual": solution.residual,
        "solver": solution.solver,
        "converged": solution.converged,
    }


def plan_of(config: ConfigDict, task: Task, free: int) -> kernel_solve.Plan:
    """Chooses solver and precision for a config's kernel on a task's images.

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


def make_kernel(
    config: ConfigDict, task: Task, dtype: Precision, held: bool = True, watch: Watch = silent
) -> Kernel:
    """Makes the kernel of a config on a task's images; `watch` is told how far it is."""
    train, test = task.train_images, task.test_images
    of_rows: dict[str, Any] = {"dtype": dtype, "held": held, "watch": watch}
    if config.kernel == "gaussian":
        return kernel_matrix.gaussian(rows(train), rows(test), config.gamma, **of_rows)
    if config.kernel == "laplacian":
        return kernel_matrix.laplacian(rows(train), rows(test), config.scale, **of_rows)
    if config.kernel == "gabor":
        found, others = features.gabor(train), features.gabor(test)
        # With this scale one gamma means the same on pixels and on wavelets.
        scale = np.sqrt(rows(train).var(0).sum() / max(found.var(0).sum(), 1e-30))
        return kernel_matrix.gaussian(scale * found, scale * others, config.gamma, **of_rows)
    if config.kernel == "linear":
        pairs = [(rows(train), rows(test))]
        return kernel_matrix.from_features(lambda: pairs, len(train), len(test), dtype)
    filters = random_filters.draw(
        train, config.filters, config.seed, config.whitening, config.threshold
    )
    return kernel_matrix.from_features(
        lambda: random_filters.blocks(train, test, filters, watch), len(train), len(test), dtype
    )


def _paper() -> Table:
    columns = (
        Column("data", "data"),
        Column("preprocessing", "preprocessing"),
        Column("test error", "test_error", partial(text_of, digits=3)),
        Column("norm", "norm", "{:.0f}"),
    )
    return table(
        "paper",
        "The paper's Table 3 and section 5, for comparison: all 60,000 or 50,000 examples",
        columns,
        [row._asdict() for row in paper.TABLE_3],
    )


def _plots(measured: list[Json]) -> list[Plot]:
    """Draws a point for each solution: were a small norm what generalizes, they would line up."""
    curves = []
    for kernel in dict.fromkeys(map(machine, measured)):
        for setting in dict.fromkeys(row["corruption"] for row in measured):
            own = [r for r in measured if (machine(r), r["corruption"]) == (kernel, setting)]
            own.sort(key=lambda row: row["norm"])
            norms, errors = ([row[key] for row in own] for key in ("norm", "test_error"))
            if own:
                curves.append(curve(f"{kernel}, {setting}", norms, errors))
    caption = "Each point is one exact solution; a line joins the ridges of one kernel."
    title = "Norm and test error of kernel machines"
    return [Plot("kernel", title, caption, "norm in the kernel's space", "test error", curves)]
