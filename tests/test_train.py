"""The train step against an independent NumPy float64 one, and what evaluation counts."""

import chex
import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
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
    prepared,
    seen,
    train_examples,
)

from rethinking_jax.models import create_model
from rethinking_jax.step.objective import Objective
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.state import Examples, Running, TrainState
from rethinking_jax.step.train import epoch_order, init_state, make_steps, make_train_step
from rethinking_jax.sweep.held import flat
from rethinking_jax.sweep.mesh import make_mesh, share, spread
from rethinking_jax.sweep.program import Program, make_program

# An independent implementation ----------------------------------------------------


@pytest.mark.parametrize("mask", ["all", "kernels"])
@pytest.mark.parametrize(
    ("decay", "kind"), [(0.0, "coupled"), (0.01, "coupled"), (0.01, "decoupled")]
)
def test_steps_agree_with_numpy_float64(mask: str, decay: float, kind: str) -> None:
    """Loss, gradient, weight decay, momentum and the learning-rate schedule, ten steps."""
    rate, momentum, factor, every = 0.3, 0.8, 0.5, 4
    build = make_optimizer("sgd", factor, every, mask, weight_decay_kind=kind)
    model, values = mlp(), hyper(3, rate, momentum, decay)
    step = jax.jit(make_train_step(model, build, prepared))
    state = init_state(model, build, values, SHAPE)
    layers = layers_of(state.params)
    velocity = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in layers]
    for i in range(10):
        images, labels = batch(16, seed=i)
        state, sums = step(state, seen(images, labels))
        loss, grads, logits = numpy_loss_and_gradient(
            layers, numpy_input(images), np.asarray(labels)
        )
        np.testing.assert_allclose(float(sums.loss) / 16, loss, rtol=1e-5)
        assert int(sums.correct) == (logits.argmax(1) == np.asarray(labels)).sum()
        for layer, grad, speed in zip(layers, grads, velocity, strict=True):
            for part in layer:
                decays = decay if mask == "all" or part == "kernel" else 0.0
                pull = decays * layer[part]
                before, after = (pull, 0.0) if kind == "coupled" else (0.0, pull)
                speed[part] = momentum * speed[part] + grad[part] + before
                layer[part] = layer[part] - rate * factor ** (i // every) * (speed[part] + after)
        for ours, theirs in zip(layers_of(state.params), layers, strict=True):
            for part in theirs:
                np.testing.assert_allclose(ours[part], theirs[part], atol=2e-5)
    assert int(state.step) == 10


@pytest.mark.parametrize("decay", [0.0, 0.3])
def test_adam_agrees_with_its_formula(decay: float) -> None:
    """With decoupled weight decay it is AdamW."""
    build = make_optimizer("adam", 1.0, 100, "all", weight_decay_kind="decoupled")
    model = mlp((4,))
    state = init_state(model, build, hyper(0, 0.01, 0.9, decay), SHAPE)
    step = jax.jit(make_train_step(model, build, prepared))
    layers = layers_of(state.params)
    m = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in layers]
    v = [{k: np.zeros_like(v) for k, v in layer.items()} for layer in layers]
    for i in range(1, 4):
        images, labels = batch(16, seed=i)
        state, _ = step(state, seen(images, labels))
        _, grads, _ = numpy_loss_and_gradient(layers, numpy_input(images), np.asarray(labels))
        for layer, grad, first, second in zip(layers, grads, m, v, strict=True):
            for part in layer:
                first[part] = 0.9 * first[part] + 0.1 * grad[part]
                second[part] = 0.999 * second[part] + 0.001 * grad[part] ** 2
                unbiased = first[part] / (1 - 0.9**i), second[part] / (1 - 0.999**i)
                move = unbiased[0] / (np.sqrt(unbiased[1]) + 1e-8) + decay * layer[part]
                layer[part] = layer[part] - 0.01 * move
    for ours, theirs in zip(layers_of(state.params), layers, strict=True):
        for part in theirs:
            np.testing.assert_allclose(ours[part], theirs[part], atol=1e-4)


# Epochs ------------------------------------------------------------------------------


def test_an_epoch_sees_every_example_once_and_each_epoch_another_order() -> None:
    orders = [np.asarray(epoch_order(0, epoch, 1000)) for epoch in range(3)]
    for order in orders:
        assert sorted(order) == list(range(1000))
    assert not (orders[0] == orders[1]).all()
    assert not (np.asarray(epoch_order(1, 0, 1000)) == orders[0]).all()
    chex.assert_trees_all_equal(epoch_order(0, 2, 1000), jnp.asarray(orders[2]))


def make(
    n: int,
    size: int,
    scan: bool,
    model: nn.Module | None = None,
    eval_size: int = 8,
    devices: int = 1,
) -> Program:
    return make_program(
        make_steps(model or mlp(), make_optimizer("sgd", 0.95, 10, "all"), plain, SHAPE),
        train_size=n,
        image_shape=SHAPE,
        batch_size=size,
        eval_batch_size=eval_size,
        scan=scan,
        mesh=make_mesh(jax.devices(), devices),
    )


def run_epoch(
    program: Program, state: TrainState, examples: Examples, size: int, scan: bool
) -> tuple[TrainState, Running]:
    m, n = examples.labels.shape
    order = program.order(state.hyper.seed, jnp.int32(0))
    running = no_sums(m)
    if scan:
        state, running = program.train_batches(
            state, running, examples, order, jnp.int32(0), count=n // size
        )
    else:
        for k in range(n // size):
            state, running = program.train_batches(
                state, running, examples, order, jnp.int32(k), count=1
            )
    if n % size:
        state, running = program.train_rest(state, running, examples, order)
    return state, running


@pytest.mark.parametrize("n", [32, 37])
def test_scan_and_single_steps_are_the_same_epoch(n: int) -> None:
    examples = train_examples(n, 1)
    results = []
    for scan in (True, False):
        program = make(n, 8, scan)
        state = program.init(members([hyper(1)]))
        state, running = run_epoch(program, state, examples, 8, scan)
        assert int(running.count[0]) == n
        assert int(state.step[0]) == -(-n // 8)
        results.append((state.params, running.correct, program.evaluate(state, examples)))
    chex.assert_trees_all_close(*results, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("model", [mlp(), TinyConvNet()])
def test_vmapped_members_equal_runs_alone(model: nn.Module) -> None:
    """Same initial bits, same batches; after an epoch equal within float32 rounding."""
    values = [hyper(0, 0.1), hyper(1, 0.05, 0.5), hyper(2, 0.02, 0.9, 0.01)]
    examples = train_examples(20, len(values))
    program = make(20, 8, False, model)
    together = program.init(members(values))
    initial = jax.tree.map(jnp.copy, together)
    together, running = run_epoch(program, together, examples, 8, False)
    evaluated = program.evaluate(together, examples)
    for i, value in enumerate(values):
        own = examples.replace(labels=examples.labels[i : i + 1])
        alone = program.init(members([value]))
        chex.assert_trees_all_equal(alone.params, _member(initial.params, i))
        alone, sums = run_epoch(program, alone, own, 8, False)
        chex.assert_trees_all_close(alone.params, _member(together.params, i), atol=1e-4)
        chex.assert_trees_all_close(sums.loss, running.loss[i : i + 1], rtol=1e-4)
        alone_evaluated = program.evaluate(alone, own)
        loss = evaluated["loss"].sum[i : i + 1]
        chex.assert_trees_all_close(alone_evaluated["loss"].sum, loss, rtol=1e-3)
        corrupted = evaluated["accuracy_on_corrupted"].count
        assert int(alone_evaluated["accuracy_on_corrupted"].count[0]) == int(corrupted[i])


def _member(tree: object, i: int) -> object:
    return jax.tree.map(lambda leaf: leaf[i : i + 1], tree)


@pytest.mark.parametrize(
    ("n", "size", "scan"),
    [(1, 4, False), (20, 7, True), (20, 7, False), (16, 8, True), (5, 50, True)],
)
def test_evaluation_counts_every_example_once(n: int, size: int, scan: bool) -> None:
    program = make(max(n, 8), 8, scan, eval_size=size)
    state = program.init(members([hyper(0)]))
    images, true = batch(n, seed=n)
    labels = jnp.where(jnp.arange(n) % 3 == 0, (true + 1) % CLASSES, true)
    sums = program.evaluate(state, Examples(flat(images), labels[None], true, jnp.arange(n)))
    params = jax.tree.map(lambda leaf: leaf[0], state.params)
    expected_loss, _, logits = numpy_loss_and_gradient(
        layers_of(params), numpy_input(images), np.asarray(labels)
    )
    predicted, y, t = logits.argmax(1), np.asarray(labels), np.asarray(true)
    assert int(sums["accuracy"].count[0]) == n
    np.testing.assert_allclose(float(sums["loss"].sum[0]) / n, expected_loss, rtol=1e-4)
    assert int(sums["accuracy"].sum[0]) == (predicted == y).sum()
    assert int(sums["accuracy_true_labels"].sum[0]) == (predicted == t).sum()
    on_corrupted = sums["accuracy_on_corrupted"]
    assert int(on_corrupted.count[0]) == (y != t).sum()
    assert int(on_corrupted.sum[0]) == ((predicted == y) & (y != t)).sum()
    on_clean = sums["accuracy_on_clean"]
    assert int(on_clean.count[0]) == (y == t).sum()
    assert int(on_clean.sum[0]) == ((predicted == y) & (y == t)).sum()


def test_dropout_draws_anew_each_step_and_depends_on_the_seed() -> None:
    model = create_model("mlp", num_classes=CLASSES, hidden_sizes=(50,), dropout_rate=0.5)
    build = make_optimizer("sgd", 1.0, 1, "all")
    step = jax.jit(make_train_step(model, build, prepared))
    losses = []
    for seed, at in ((0, 0), (0, 1), (1, 0), (0, 0)):
        state = init_state(model, build, hyper(0, 1e-9), SHAPE)
        state = state.replace(step=jnp.int32(at), hyper=hyper(seed, 1e-9, dropout=0.5))
        losses.append(float(step(state, seen(*batch(16)))[1].loss))
    assert losses[0] == losses[3]
    assert len(set(losses)) == 3


def test_the_rate_of_dropout_is_each_run_s_own() -> None:
    """A group of rates equals models that are built with them; rate 0 drops nothing."""
    build = make_optimizer("sgd", 1.0, 1, "all")

    def loss(own: float, model_rate: float) -> float:
        model = create_model("mlp_1x512", num_classes=CLASSES, dropout_rate=model_rate)
        state = init_state(model, build, hyper(0, 1e-9, dropout=own), SHAPE)
        return float(make_train_step(model, build, prepared)(state, seen(*batch(16)))[1].loss)

    assert loss(0.2, 0.2) == loss(0.2, 0.9) != loss(0.9, 0.9)
    assert loss(0.0, 0.9) == pytest.approx(loss(0.0, 0.0), rel=1e-6)


@pytest.mark.parametrize("scan", [True, False])
@pytest.mark.parametrize("devices", [4, pytest.param(8, marks=pytest.mark.slow)])
def test_members_on_many_devices_equal_runs_alone(devices: int, scan: bool) -> None:
    """One and two members on each fake device, against the same eight on one device."""
    values = members([hyper(i, 0.1 / (i + 1)) for i in range(8)])
    examples = train_examples(20, 8)
    results = []
    for used in (1, devices):
        program = make(20, 8, scan, TinyConvNet(), devices=used)
        mesh = make_mesh(jax.devices(), used)
        own = Examples(
            share(examples.images, mesh),
            spread(examples.labels, mesh),
            share(examples.true_labels, mesh),
            share(examples.ids, mesh),
        )
        state, running = run_epoch(program, spread(program.init(values), mesh), own, 8, scan)
        assert len(jax.tree.leaves(state.params)[0].sharding.device_set) == used
        evaluated = program.evaluate(state, own)
        results.append(jax.device_get((state.params, running, evaluated)))
    chex.assert_trees_all_close(*results, rtol=1e-3, atol=1e-4)


def test_members_on_many_devices_do_not_communicate() -> None:
    program = make(20, 8, True, TinyConvNet(), devices=4)
    mesh = make_mesh(jax.devices(), 4)
    state = spread(program.init(members([hyper(i) for i in range(8)])), mesh)
    examples = train_examples(20, 8)
    own = Examples(
        share(examples.images, mesh),
        spread(examples.labels, mesh),
        share(examples.true_labels, mesh),
        share(examples.ids, mesh),
    )
    order = program.order(state.hyper.seed, jnp.int32(0))
    running = spread(no_sums(8), mesh)
    lowered = program.train_batches.lower(  # type: ignore[attr-defined]
        state, running, own, order, share(jnp.int32(0), mesh), count=2
    )
    text = lowered.compile().as_text()
    for operation in ("all-reduce", "all-gather", "all-to-all", "collective-permute"):
        assert operation not in text


@pytest.mark.parametrize("asked", [0, 1])
def test_evaluation_can_be_stopped_between_batches(asked: int) -> None:
    program = make(16, 8, False, eval_size=7)
    state, examples, shares = program.init(members([hyper(0)])), train_examples(16, 1), []

    def between(share: float) -> str | None:
        shares.append(share)
        return "enough" if len(shares) > asked else None

    assert program.evaluate(state, examples, None, between) is None
    np.testing.assert_allclose(shares, np.arange(1, asked + 2) / 3)


def test_batch_statistics_move_in_training_only() -> None:
    program = make(16, 8, False, TinyConvNet())
    examples = train_examples(16, 1)
    state = program.init(members([hyper(0)]))
    before = jax.tree.map(np.asarray, state.batch_stats)
    program.evaluate(state, examples)
    chex.assert_trees_all_equal(before, jax.tree.map(np.asarray, state.batch_stats))
    state, _ = run_epoch(program, state, examples, 8, False)
    changed = jax.tree.map(lambda a, b: bool((a != b).any()), before, state.batch_stats)
    assert all(jax.tree.leaves(changed))


# What a step can do besides ---------------------------------------------------------------


def test_micro_batches_make_the_step_of_the_whole_batch() -> None:
    """Without batch norm the mean gradient of the parts is that of the whole."""
    results = []
    for accumulate in (1, 2, 4):
        steps = make_steps(
            mlp(),
            make_optimizer("sgd", 1.0, 1, "all"),
            plain,
            SHAPE,
            Objective(accumulate=accumulate),
        )
        state = steps.init(hyper(0, 0.1))
        for i in range(3):
            state, sums = jax.jit(steps.train)(state, seen(*batch(16, seed=i)))
        assert int(sums.count) == 16
        results.append((state.params, sums))
    chex.assert_trees_all_close(*results, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("smoothing", [0.0, 0.1, 0.5])
def test_label_smoothing_is_what_is_minimized_and_not_what_is_reported(smoothing: float) -> None:
    """Against the gradient of cross-entropy with smoothed targets, in closed form."""
    model, build = mlp((4,)), make_optimizer("sgd", 1.0, 1, "all")
    step = make_train_step(model, build, prepared, Objective(label_smoothing=smoothing))
    state = init_state(model, build, hyper(0, 1.0, momentum=0.0), SHAPE)
    images, labels = batch(16)
    after, sums = jax.jit(step)(state, seen(images, labels))
    loss, _, logits = numpy_loss_and_gradient(
        layers_of(state.params), numpy_input(images), np.asarray(labels)
    )
    assert float(sums.loss) / 16 == pytest.approx(loss, rel=1e-5)
    probabilities = np.exp(logits - logits.max(1, keepdims=True))
    probabilities /= probabilities.sum(1, keepdims=True)
    targets = (1 - smoothing) * np.eye(CLASSES)[np.asarray(labels)] + smoothing / CLASSES
    expected = (probabilities - targets).mean(0)  # gradient of the last bias
    last = sorted(state.params)[-1]
    moved = np.asarray(state.params[last]["bias"] - after.params[last]["bias"], np.float64)
    np.testing.assert_allclose(moved, expected, atol=1e-6)


class TwoHeads(nn.Module):
    """Hands out a second head's logits in train mode, as Inception V3 does."""

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        x = x.reshape(len(x), -1)
        second = nn.Dense(CLASSES, name="second")(x)
        if train:
            self.sow("auxiliary", "logits", second)
        return nn.Dense(CLASSES, name="first")(x)


def test_an_auxiliary_head_is_trained_with_weight_0_4() -> None:
    build = make_optimizer("sgd", 1.0, 1, "all")
    steps = make_steps(TwoHeads(), build, plain, SHAPE)
    state = steps.init(hyper(0, 1.0, momentum=0.0))
    images, labels = batch(16)
    after, sums = jax.jit(steps.train)(state, seen(images, labels))
    inputs = numpy_input(images)
    for head, weight in (("first", 1.0), ("second", 0.4)):
        layer = {k: np.asarray(v, np.float64) for k, v in state.params[head].items()}
        loss, (grad,), _ = numpy_loss_and_gradient([layer], inputs, np.asarray(labels))
        moved = np.asarray(state.params[head]["kernel"] - after.params[head]["kernel"], np.float64)
        np.testing.assert_allclose(moved, weight * grad["kernel"], atol=2e-6)
        if head == "first":
            assert float(sums.loss) / 16 == pytest.approx(loss, rel=1e-5)


def test_top_5_counts_the_five_largest_logits() -> None:
    """Of 100 classes, against a sort in NumPy; of fewer it is not looked at."""

    class Many(nn.Module):
        @nn.compact
        def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
            return nn.Dense(100)(x.reshape(len(x), -1))

    steps = make_steps(Many(), make_optimizer("sgd", 1.0, 1, "all"), plain, SHAPE)
    state = steps.init(hyper(0))
    images, _ = batch(60)
    labels = jnp.asarray(np.random.default_rng(1).integers(0, 100, 60), jnp.int32)
    counted = jnp.arange(60) < 55
    sums = steps.evaluate(state, seen(images, labels), counted)
    logits = Many().apply({"params": state.params}, plain(images), train=False)
    best = np.argsort(-np.asarray(logits), axis=1)[:, :5]
    hits = (best == np.asarray(labels)[:, None]).any(1)
    assert int(sums["top5_accuracy"].sum) == hits[:55].sum() > 0
    few = make_steps(mlp(), make_optimizer("sgd", 1.0, 1, "all"), plain, SHAPE)
    of_few = few.evaluate(few.init(hyper(0)), seen(*batch(60)), counted)
    assert int(of_few["top5_accuracy"].sum) == 0


def test_rmsprop_agrees_with_tensorflow_s_formula() -> None:
    """Squares start at 1, epsilon lies under the root, momentum is of the scaled gradient."""
    build = make_optimizer("rmsprop", 1.0, 100, "all", epsilon=1.0)
    params = {"w": jnp.array([1.0, -2.0, 3.0])}
    transform = build(hyper(0, 0.045, 0.9))
    state = transform.init(params)
    rng = np.random.default_rng(0)
    squares, speed, expected = np.ones(3), np.zeros(3), np.array([1.0, -2.0, 3.0])
    for _ in range(5):
        grad = rng.normal(size=3)
        updates, state = transform.update({"w": jnp.asarray(grad, jnp.float32)}, state, params)
        params = jax.tree.map(jnp.add, params, updates)
        squares = 0.9 * squares + 0.1 * grad**2
        speed = 0.9 * speed + grad / np.sqrt(squares + 1.0)
        expected = expected - 0.045 * speed
    np.testing.assert_allclose(np.asarray(params["w"]), expected, rtol=1e-5)
