"""Explicit regularizers: against NumPy and closed forms, in groups, streams and resumed runs."""

import csv
import json
from pathlib import Path
from typing import Any

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import scipy.stats
from conftest import Command, read_metrics, read_summary
from helpers.processes import start, wait_for_lines
from helpers.results import made, run
from helpers.steps import (
    CLASSES,
    SHAPE,
    TinyConvNet,
    batch,
    hyper,
    layers_of,
    members,
    mlp,
    no_sums,
    numpy_input,
    numpy_loss_and_gradient,
    plain,
    seen,
    train_examples,
)

from rethinking_jax.analysis import beside, regularizers
from rethinking_jax.analysis.results import families, series
from rethinking_jax.analysis.tables import tables
from rethinking_jax.config import base_config
from rethinking_jax.config import members as runs_of
from rethinking_jax.corruption.randomness import PURPOSES
from rethinking_jax.data import Dataset, Split
from rethinking_jax.data.runs import cropped
from rethinking_jax.report import __main__ as report
from rethinking_jax.report import page
from rethinking_jax.step import objective
from rethinking_jax.step.objective import Objective
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.state import Steps, TrainState
from rethinking_jax.step.train import make_steps
from rethinking_jax.sweep import build, groups, resident
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.hyper import hyper as hyper_of
from rethinking_jax.sweep.mesh import make_mesh, share, spread
from rethinking_jax.sweep.program import apart, make_program

SGD = make_optimizer("sgd", 1.0, 1, "all")
AUGMENTED = "figures/augmentations.png"


def one_step(steps: Steps, state: TrainState, n: int = 16) -> tuple[TrainState, Any]:
    return jax.jit(steps.train)(state, seen(*batch(n)))


# Weight decay -----------------------------------------------------------------------------


@pytest.mark.parametrize("mask", ["all", "kernels"])
def test_coupled_weight_decay_is_an_l2_penalty_of_half_lambda(mask: str) -> None:
    """(lambda / 2) * ||w||^2 added to the loss, on a net with biases and batch norm."""
    model, decay, rate = TinyConvNet(), 0.3, 0.1
    steps = make_steps(model, make_optimizer("sgd", 1.0, 1, mask), plain, SHAPE)
    state = steps.init(hyper(0, rate, momentum=0.0, decay=decay))
    # Biases start at zero, where nothing would tell the masks apart.
    params = jax.tree.map(lambda leaf: leaf + 0.1, state.params)
    state = state.replace(params=params)
    images, labels = batch(16)

    def loss(params: Any) -> jax.Array:
        logits, _ = model.apply(
            {"params": params, "batch_stats": state.batch_stats},
            plain(images),
            train=True,
            mutable=["batch_stats"],
        )
        losses = -jax.nn.log_softmax(logits)[jnp.arange(16), labels]
        decays = [w for w in jax.tree.leaves(params) if mask == "all" or w.ndim > 1]
        return losses.mean() + decay / 2 * sum(jnp.sum(w**2) for w in decays)

    expected = jax.tree.map(lambda w, g: w - rate * g, params, jax.grad(loss)(params))
    after, _ = one_step(steps, state)
    chex.assert_trees_all_close(after.params, expected, rtol=1e-5, atol=1e-6)


# Mixup ------------------------------------------------------------------------------------


def shares(alpha: float, n: int) -> np.ndarray:
    """n draws, read off the mixture of an image of ones with one of zeros."""
    images, labels = jnp.array([1.0, 0.0]).reshape(2, 1, 1, 1), jnp.arange(2)
    draw = jax.jit(jax.vmap(lambda key: objective.mixed(key, alpha, images, labels)[0][0, 0, 0, 0]))
    return np.asarray(draw(jax.random.split(jax.random.key(0), n)), np.float64)


@pytest.mark.parametrize("alpha", [0.2, 1.0, 8.0])
def test_shares_are_drawn_from_beta(alpha: float) -> None:
    found = shares(alpha, 4000)
    assert abs(found.mean() - 0.5) < 4 * found.std() / np.sqrt(len(found))
    assert found.var() == pytest.approx(1 / (4 * (2 * alpha + 1)), rel=0.1)
    assert scipy.stats.kstest(found, scipy.stats.beta(alpha, alpha).cdf).pvalue > 0.01


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_a_mixup_step_is_numpys(smoothing: float) -> None:
    """The gradient on mixed images is the mix of both labels' gradients there."""
    model = mlp()
    steps = make_steps(
        model, SGD, plain, SHAPE, Objective(mixup_alpha=1.0, label_smoothing=smoothing)
    )
    state = steps.init(hyper(5, 1.0, momentum=0.0)).replace(step=jnp.int32(3))
    images, labels = batch(16)
    key = jax.random.fold_in(jax.random.key(5, impl="threefry2x32"), PURPOSES["mixup"])
    share = float(jax.random.beta(jax.random.fold_in(key, 3), 1.0, 1.0))
    first, second = np.asarray(labels), np.roll(labels, 1)
    inputs = numpy_input(images)
    mixtures = share * inputs + (1 - share) * np.roll(inputs, 1, axis=0)
    layers = layers_of(state.params)
    total = [{part: np.zeros_like(value) for part, value in layer.items()} for layer in layers]
    weights = [(y, (1 - smoothing) * part) for y, part in ((first, share), (second, 1 - share))]
    weights += [(np.full(16, k), smoothing / CLASSES) for k in range(CLASSES)]
    for y, weight in weights:
        _, grads, logits = numpy_loss_and_gradient(layers, mixtures, y)
        for sums, grad in zip(total, grads, strict=True):
            for part in sums:
                sums[part] += weight * grad[part]
    after, sums = one_step(steps, state)
    for old, new, grad in zip(layers, layers_of(after.params), total, strict=True):
        for part in grad:
            np.testing.assert_allclose(old[part] - new[part], grad[part], atol=2e-6)
    # What is reported: the mixed loss without smoothing, hits of the label with more weight.
    losses = [numpy_loss_and_gradient(layers, mixtures, y)[0] for y in (first, second)]
    assert float(sums.loss) / 16 == pytest.approx(share * losses[0] + (1 - share) * losses[1], 1e-5)
    major = first if share >= 0.5 else second
    assert int(sums.correct) == (logits.argmax(1) == major).sum()


def test_the_share_depends_on_seed_and_step() -> None:
    steps = make_steps(mlp(), SGD, plain, SHAPE, Objective(mixup_alpha=1.0))
    losses = []
    for seed, at in ((0, 0), (0, 1), (1, 0), (0, 0)):
        state = steps.init(hyper(0, 0.1))
        state = state.replace(step=jnp.int32(at), hyper=hyper(seed, 0.1))
        losses.append(float(one_step(steps, state)[1].loss))
    assert losses[0] == losses[3] and len(set(losses)) == 3


# Sharpness-aware minimization -------------------------------------------------------------


def test_a_sharpness_aware_step_is_numpys() -> None:
    radius, rate = 0.3, 0.7
    steps = make_steps(mlp(), SGD, plain, SHAPE, Objective(sam_radius=radius))
    state = steps.init(hyper(0, rate, momentum=0.0))
    images, labels = batch(16)
    inputs, y, layers = numpy_input(images), np.asarray(labels), layers_of(state.params)
    loss, grads, _ = numpy_loss_and_gradient(layers, inputs, y)
    length = np.sqrt(sum((value**2).sum() for grad in grads for value in grad.values()))
    worst = [
        {part: layer[part] + radius * grad[part] / length for part in layer}
        for layer, grad in zip(layers, grads, strict=True)
    ]
    uphill, grads_there, _ = numpy_loss_and_gradient(worst, inputs, y)
    assert uphill > loss
    after, sums = one_step(steps, state)
    assert float(sums.loss) / 16 == pytest.approx(loss, rel=1e-5)
    for old, new, grad in zip(layers, layers_of(after.params), grads_there, strict=True):
        for part in grad:
            np.testing.assert_allclose(old[part] - new[part], rate * grad[part], atol=5e-6)


@pytest.mark.parametrize("radius", [1e-3, 0.05, 2.0])
def test_it_climbs_as_far_as_the_radius(radius: float) -> None:
    steps = make_steps(TinyConvNet(), SGD, plain, SHAPE)
    state = steps.init(hyper(0))
    visited = []
    gradients = objective.make_gradients(TinyConvNet())

    def watched(state: TrainState, *args: Any) -> Any:
        visited.append(state.params)
        return gradients(state, *args)

    images, labels = batch(16)
    key = jax.random.key(0)
    stats = objective.sharpness_aware(watched, radius)(
        state, plain(images), labels, key
    ).batch_stats
    here, there = visited
    chex.assert_trees_all_equal(here, state.params)
    step = jax.tree.map(jnp.subtract, there, here)
    assert float(optax.tree.norm(step)) == pytest.approx(radius, rel=1e-3)
    # Batch norm remembers the network as it is, not the worst one.
    chex.assert_trees_all_equal(stats, gradients(state, plain(images), labels, key)[1])


def test_where_the_gradient_is_zero_it_stays() -> None:
    tree = {"w": jnp.zeros(3)}
    assert float(optax.tree.norm(objective.scaled_to(tree, 0.1))) == 0.0


def test_radius_0_and_nearly_0_are_plain_sgd() -> None:
    results = []
    for options in ({}, {"sam_radius": 0.0, "mixup_alpha": 0.0}, {"sam_radius": 1e-7}):
        steps = make_steps(TinyConvNet(), SGD, plain, SHAPE, Objective(**options))
        state = steps.init(hyper(0, 0.1))
        for _ in range(3):
            state, sums = one_step(steps, state)
        results.append((state.params, state.batch_stats, sums))
    chex.assert_trees_all_equal(results[0], results[1])
    chex.assert_trees_all_close(results[0], results[2], rtol=1e-3, atol=1e-5)


def test_switched_off_they_leave_nothing_in_the_program() -> None:
    """One gradient, and no draw but dropout's key."""

    def text(**options: float) -> str:
        steps = make_steps(mlp(), SGD, plain, SHAPE, Objective(**options))
        return str(jax.make_jaxpr(steps.train)(steps.init(hyper(0)), seen(*batch(16))))

    off = text(mixup_alpha=0.0, sam_radius=0.0)
    products = off.count("dot_general")
    assert products == 3 + 3 + 2  # forward, of three kernels, of two hidden layers
    assert text(sam_radius=0.1).count("dot_general") == 2 * products
    assert "random_gamma" not in off and "random_gamma" in text(mixup_alpha=0.5)


# Both of them in all that a run can be ------------------------------------------------------

BOTH = {"mixup_alpha": 0.7, "sam_radius": 0.1}


@pytest.mark.parametrize("options", [{"mixup_alpha": 0.7}, {"sam_radius": 0.1}, BOTH])
def test_micro_batches_make_the_step_of_the_whole_batch(options: dict[str, float]) -> None:
    results = []
    for accumulate in (1, 4):
        steps = make_steps(mlp(), SGD, plain, SHAPE, Objective(accumulate=accumulate, **options))
        state = steps.init(hyper(0, 0.1))
        for _ in range(3):
            state, sums = one_step(steps, state)
        assert int(sums.count) == 16
        results.append((state.params, sums))
    chex.assert_trees_all_close(*results, rtol=1e-5, atol=1e-6)


def epoch(values: list[Any], places: int = 1, data: int = 1) -> Any:
    """States and sums of members after an epoch of 16 examples in batches of 8."""
    steps = make_steps(TinyConvNet(), SGD, plain, SHAPE, Objective(**BOTH))
    mesh = make_mesh(jax.devices(), places, data)
    program = make_program(
        steps,
        train_size=16,
        image_shape=SHAPE,
        batch_size=8,
        eval_batch_size=8,
        scan=True,
        mesh=mesh,
    )
    given = train_examples(16, len(values))
    own = type(given)(
        share(given.images, mesh),
        spread(given.labels, mesh),
        share(given.true_labels, mesh),
        share(given.ids, mesh),
    )
    state = spread(program.init(members(values)), mesh)
    order = program.order(state.hyper.seed, np.int32(0))
    running = spread(no_sums(len(values)), mesh)
    state, running = program.train_batches(state, running, own, order, np.int32(0), count=2)
    return jax.device_get((state.params, state.batch_stats, running))


@pytest.mark.slow
def test_members_and_devices_change_nothing() -> None:
    values = [hyper(0, 0.05), hyper(1, 0.02)]
    together = epoch(values)
    for places, data in ((1, 4), (2, 2)):
        chex.assert_trees_all_close(epoch(values, places, data), together, rtol=1e-4, atol=1e-5)
    alone = epoch(values[:1])
    chex.assert_trees_all_close(
        alone, jax.tree.map(lambda leaf: leaf[:1], together), rtol=1e-4, atol=1e-5
    )


# Augmentation within a run ------------------------------------------------------------------


class Watching(nn.Module):
    """Keeps every input that it sees in train mode; its logits are biases."""

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        if train:
            jax.debug.callback(lambda inputs: INPUTS.append(np.asarray(inputs)), x)
        return jnp.zeros((len(x), 1)) + self.param("bias", nn.initializers.zeros, (10,))


INPUTS: list[np.ndarray] = []


@pytest.mark.parametrize("corruption", ["random_labels", "shuffled_pixels"])
def test_corruption_stays_while_augmentation_varies(
    corruption: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the program's network sees in two epochs: windows of one fixed picture each."""
    config = base_config()
    config.update(
        {"corruption": corruption, "augmentation": "crop", "crop_size": 7, "batch_size": 10}
    )
    config.preprocess = "none"
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (20, 9, 9, 1)), rng.integers(0, 10, 20)
    split = Split(images.astype(np.uint8), labels.astype(np.int32), np.arange(20, dtype=np.uint32))
    data = cropped(Dataset("own", split, split, tuple("0123456789")), 0)
    monkeypatch.setattr(build, "make_model", lambda *args: Watching())
    monkeypatch.setattr(build, "is_convolutional", lambda config: False)
    program = build.build_program(config, data, "cpu", make_mesh(jax.devices(), 1))
    (member,) = runs_of(config)
    one = groups.label_run(member, data)
    engine = resident.resident_engine(program, scan=True)
    chunk = Chunk("own", (one,), data, engine, make_mesh(jax.devices(), 1))
    train = resident.examples(chunk, resident.images(chunk), [0])["train"]
    shown = np.asarray(train.images, np.float32).reshape(-1, 9, 9) / 255
    assert (one.flipped_fraction > 0.5) == (corruption == "random_labels")
    state, places = program.init(hyper_of([one])), []
    for number in range(2):
        INPUTS.clear()
        order = program.order(state.hyper.seed, np.int32(number))
        for k in range(2):
            state, _ = program.train_batches(state, no_sums(1), train, order, np.int32(k), count=1)
            jax.effects_barrier()
        seen_images = np.concatenate(INPUTS)[..., 0]
        found = np.zeros((20, 2), int)
        for example, window in zip(np.asarray(order[0]), seen_images, strict=True):
            where = [
                (top, left)
                for top in range(3)
                for left in range(3)
                if np.allclose(shown[example, top : top + 7, left : left + 7], window, atol=1e-6)
            ]
            assert len(where) == 1
            found[example] = where[0]
        places.append(found)
    assert (places[0] != places[1]).any(1).mean() > 0.5
    again = groups.label_run(member, data)
    np.testing.assert_array_equal(np.asarray(train.labels[0]), again.train_labels)
    if corruption == "shuffled_pixels":
        stored = np.float32(images / 255).reshape(20, -1)
        moved = shown.reshape(20, -1)
        assert not np.allclose(moved, stored, atol=1e-3)
        np.testing.assert_allclose(np.sort(moved), np.sort(stored), atol=1e-6)


def test_what_is_computed_apart_is_not_inlined_and_the_same() -> None:
    x = jnp.linspace(-2.0, 2.0, 24).reshape(4, 6)
    own = jax.jit(lambda x: apart(lambda y: jnp.sin(y) * y)(x).sum(-1))
    np.testing.assert_allclose(own(x), (jnp.sin(x) * x).sum(-1), rtol=1e-5)
    np.testing.assert_allclose(jax.vmap(own)(x[None])[0], own(x), rtol=1e-5)
    assert " call(" in own.lower(x).compile().as_text()


# Through the real command -------------------------------------------------------------------

SMALL = (
    "--config=configs/quickstart.py",
    "--config.corruption=random_labels",
    "--config.stop_when_fitted=False",
    "--config.learning_rate=0.01",
)
# Batch norm, dropout and augmentation; pictures of 8x8 keep the network small.
REGULARIZED = (
    *SMALL,
    '--config.sweep=[{"seed": 0}, {"seed": 1}]',
    "--config.model=mobilenet_small",
    "--config.dropout_rate=0.2",
    "--config.weight_decay=0.0005",
    "--config.augmentation=crop+flip+rotate",
    "--config.image_size=10",
    "--config.crop_size=8",
    "--config.train_examples=64",
    "--config.batch_size=32",
    "--config.epochs=3",
)


@pytest.fixture(scope="module")
def augmented(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a network that is compiled at once."""
    workdir = tmp_path_factory.mktemp("augmented") / "run"
    changes = ("--config.model=mlp", "--config.hidden_sizes=(16,)", f"--workdir={workdir}")
    result = answer(*REGULARIZED, *changes)
    assert result.returncode == 0, result.stderr
    return workdir


@pytest.mark.slow
def test_killed_and_resumed_it_ends_the_same(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    whole, workdir = tmp_path / "whole", tmp_path / "run"
    words = (*REGULARIZED, "--config.vectorize=loop")
    result = command(*words, f"--workdir={whole}")
    assert result.returncode == 0, result.stderr
    process = start(environment, *words, f"--workdir={workdir}")
    wait_for_lines(workdir, 2, process)
    process.kill()
    process.communicate()
    assert len(read_metrics(workdir)) < 6
    result = command(*words, f"--workdir={workdir}")
    assert result.returncode == 0, result.stderr
    assert read_metrics(workdir) == read_metrics(whole)
    assert read_summary(workdir) == read_summary(whole)
    for name in ("report.html", AUGMENTED):
        assert (workdir / name).exists()
    assert (workdir / AUGMENTED).read_bytes() == (whole / AUGMENTED).read_bytes()


def first_epoch(workdir: Path) -> dict[str, dict[str, Any]]:
    return {line["member"]: line for line in read_metrics(workdir) if line["epoch"] == 1}


@pytest.mark.slow
def test_a_group_starts_as_its_runs_alone(answer: Command, tmp_path: Path) -> None:
    for kind in ("vmap", "loop"):
        changes = (f"--config.vectorize={kind}", f"--workdir={tmp_path / kind}")
        result = answer(*REGULARIZED, "--config.epochs=1", *changes)
        assert result.returncode == 0, result.stderr
    assert len(json.loads((tmp_path / "vmap" / "chunks.json").read_text())) == 1
    together, alone = first_epoch(tmp_path / "vmap"), first_epoch(tmp_path / "loop")
    assert together.keys() == alone.keys() == {"seed=0", "seed=1"}
    for name, line in together.items():
        for key in ("running_loss", "train_loss", "test_loss"):
            assert line[key] == pytest.approx(alone[name][key], rel=2e-3), (name, key)
    assert alone["seed=0"]["running_loss"] != alone["seed=1"]["running_loss"]


@pytest.mark.slow
def test_a_stream_gives_the_losses_of_the_memory(answer: Command, tmp_path: Path) -> None:
    """Crops of stored images that are larger; mixup and sharpness-aware steps besides."""
    lines = {}
    for kind in ("memory", "stream"):
        result = answer(
            *SMALL,
            "--config.sweep=",
            "--config.augmentation=crop+flip",
            "--config.crop_size=24",
            "--config.train_examples=300",
            "--config.mixup_alpha=0.4",
            "--config.sam_radius=0.02",
            "--config.epochs=2",
            f"--config.input={kind}",
            f"--workdir={tmp_path / kind}",
        )
        assert result.returncode == 0, result.stderr
        lines[kind] = read_metrics(tmp_path / kind)
    assert len(lines["memory"]) == 2
    for here, there in zip(lines["memory"], lines["stream"], strict=True):
        for key in ("running_loss", "train_loss", "test_loss"):
            assert here[key] == pytest.approx(there[key], rel=1e-5)


# In the report ------------------------------------------------------------------------------


def test_the_report_shows_augmented_images_and_what_early_stopping_would_win(
    augmented: Path,
) -> None:
    text = (augmented / "report.html").read_text()
    assert "Augmented training images" in text and "data:image/png;base64," in text
    svg = (augmented / AUGMENTED.replace(".png", ".svg")).read_text()
    assert svg.count("<image") == 4 * 2 * 5  # three alone and all: two images, as stored and 4
    with (augmented / "tables" / "results.csv").open() as file:
        found = list(csv.DictReader(file))
    for row, member in zip(found, read_summary(augmented)["members"], strict=True):
        own = [x for x in read_metrics(augmented) if x["member"] == member["name"]]
        accuracies = [line["test_accuracy"] for line in own]
        assert float(row["early_stopping_gain"]) == max(accuracies) - accuracies[-1]
        assert int(row["best_epoch"]) == 1 + accuracies.index(max(accuracies))


def test_a_report_written_again_keeps_the_images(augmented: Path) -> None:
    before = (augmented / "report.html").read_bytes()
    assert report.main([str(augmented)]) == 0
    assert (augmented / "report.html").read_bytes() == before


def with_keys(override: dict[str, Any], corruption: str, test: float, fit: int | None = 2) -> Any:
    swept, member, lines = run(corruption, fit, test)
    name = f"{corruption},{override}"
    own = [{**line, "member": name} for line in lines]
    return {**swept, **override}, {**member, "name": name}, own


def test_what_came_later_is_no_row_of_the_papers_and_no_claim_of_its() -> None:
    runs = [
        with_keys({"mixup_alpha": 0.0}, "random_labels", 0.1),
        with_keys({"mixup_alpha": 1.0}, "random_labels", 0.1, fit=None),
        with_keys({"weight_decay": 5e-4}, "random_labels", 0.1),
    ]
    results = made(*runs, dataset="cifar10", train_examples=50_000)
    (family,) = families(series(results))
    assert [g.regularizers for g in family.groups("random_labels")] == [
        (),
        ("mixup",),
        ("weight_decay",),
    ]
    judged, told, _ = regularizers.noise_despite_regularizers(family)
    assert judged == "yes" and "mixup" not in told
    rows = beside.paper_rows(series(results))
    assert [row["series"] for row in rows] == [
        one.name for one in family.series if "mixup" not in one.name
    ]
    assert "sam" not in page.page([results]) or "mixup_alpha" in page.page([results])


def test_decoupled_weight_decay_is_not_the_papers() -> None:
    for kind, expected in (("coupled", "yes"), ("decoupled", "not comparable: weight decay is")):
        keys = {"weight_decay": 5e-4, "weight_decay_kind": kind, "augmentation": ""}
        results = made(
            with_keys(keys, "true_labels", 0.5), dataset="cifar10", train_examples=50_000
        )
        (row,) = beside.paper_rows(series(results))
        assert row["comparable"].startswith(expected)


def test_best_and_last_are_in_the_table_of_results() -> None:
    (table, *_) = tables(made(run("true_labels", 2, 0.9)))
    gain = table.keys.index("early_stopping_gain")
    best, last = (table.keys.index(key) for key in ("best_test_accuracy", "test_accuracy"))
    (row,) = table.exact
    assert row[gain] == row[best] - row[last]
    assert table.columns[gain] == "early stopping wins" and "noise wins" in table.note
