"""The course's architectures against counts by hand, NumPy in float64, and the train step."""

import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from helpers.networks import (
    Tree,
    apply,
    build,
    digits,
    initial_variables,
    np_conv,
    np_dense,
    np_norm,
    parameters,
    random_images,
    random_variables,
    relu,
    windows,
    with_identity_classifier,
)

from rethinking_jax.models import create_model
from rethinking_jax.models.layers import ConvUnit
from rethinking_jax.models.mobilenet import SeparableBlock
from rethinking_jax.step.flops import forward_flops, layer_macs, product_macs
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.state import Examples, Hyper
from rethinking_jax.step.train import init_state, make_eval_step, make_train_step

NAMES = ("vgg_small", "all_cnn", "mobilenet_small", "maxout")
BATCH_NORM = ("vgg_small", "all_cnn", "mobilenet_small")


# Parameters and operations, layer by layer ------------------------------------------------

# (output positions, kernel's numbers, biases or shifts): of an image of side s, c channels.
Layer = tuple[int, int, int]


def by_hand(name: str, s: int, c: int) -> list[Layer]:
    half, quarter = -(-s // 2), -(-s // 4)
    eighth = -(-s // 8)
    if name == "vgg_small":
        return [
            (s * s, 9 * c * 64, 64), (s * s, 9 * 64 * 64, 64),
            (half**2, 9 * 64 * 128, 128), (half**2, 9 * 128 * 128, 128),
            (quarter**2, 9 * 128 * 256, 256), (quarter**2, 9 * 256 * 256, 256),
            (1, eighth**2 * 256 * 512, 512), (1, 512 * 10, 10),
        ]  # fmt: skip
    if name == "all_cnn":
        return [
            (s * s, 9 * c * 96, 96), (s * s, 9 * 96 * 96, 96), (half**2, 9 * 96 * 96, 96),
            (half**2, 9 * 96 * 192, 192), (half**2, 9 * 192 * 192, 192),
            (quarter**2, 9 * 192 * 192, 192), (quarter**2, 9 * 192 * 192, 192),
            (quarter**2, 192 * 192, 192), (quarter**2, 192 * 10, 10),
        ]  # fmt: skip
    if name == "mobilenet_small":
        return [
            (s * s, 9 * c * 32, 32),
            (s * s, 9 * 32, 32), (s * s, 32 * 64, 64),
            (half**2, 9 * 64, 64), (half**2, 64 * 128, 128),
            (half**2, 9 * 128, 128), (half**2, 128 * 128, 128),
            (quarter**2, 9 * 128, 128), (quarter**2, 128 * 256, 256),
            (quarter**2, 9 * 256, 256), (quarter**2, 256 * 256, 256),
            (1, 256 * 10, 10),
        ]  # fmt: skip
    return [(1, s * s * c * 1200, 1200), (1, 240 * 1200, 1200), (1, 240 * 10, 10)]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("side", "channels"), [(28, 1), (32, 3)])
def test_parameters_and_operations_by_hand(name: str, side: int, channels: int) -> None:
    layers = by_hand(name, side, channels)
    shape = (side, side, channels)
    model = create_model(name, num_classes=10)
    assert parameters(model, shape) == sum(kernel + bias for _, kernel, bias in layers)
    macs = [positions * kernel for positions, kernel, _ in layers]
    assert layer_macs(model, shape) == macs
    assert forward_flops(model, shape) == 2 * sum(macs)


def test_all_cnn_has_the_published_number_of_parameters() -> None:
    assert parameters(create_model("all_cnn", num_classes=10), (32, 32, 3)) == 1_369_738


def test_products_are_counted_wherever_they_are() -> None:
    a, b = jnp.ones((4, 3, 5)), jnp.ones((4, 5, 7))

    def contracted(a: jax.Array, b: jax.Array) -> jax.Array:
        return jnp.einsum("nij,njk->nik", a, b)

    assert product_macs(contracted, a, b) == [4 * 3 * 5 * 7]
    assert product_macs(jax.jit(contracted), a, b) == [4 * 3 * 5 * 7]
    assert product_macs(jax.checkpoint(contracted), a, b) == [4 * 3 * 5 * 7]

    def scanned(x: jax.Array) -> jax.Array:
        return jax.lax.scan(lambda c, _: (c @ c, None), x, None, length=6)[0]

    assert product_macs(scanned, jnp.ones((2, 2))) == [6 * 8]
    assert product_macs(lambda x: jnp.sum(x * x), jnp.ones((9, 9))) == []


# Against NumPy ----------------------------------------------------------------------------


def np_unit(
    x: np.ndarray, variables: Tree, path: tuple[str, ...], stride: int, train: bool, depthwise: bool
) -> np.ndarray:
    params, stats = variables["params"], variables.get("batch_stats", {})
    for key in path:
        params, stats = params[key], stats.get(key, {})
    layer = params["Conv_0"]
    if depthwise:  # each channel is a convolution of its own
        kernel = np.asarray(layer["kernel"], np.float64)
        x = np.concatenate(
            [
                np_conv(x[..., c : c + 1], {"kernel": kernel[..., c : c + 1]}, stride)
                for c in range(x.shape[-1])
            ],
            axis=-1,
        )
    else:
        x = np_conv(x, layer, stride)
    if "BatchNorm_0" in params:
        averages = None if train else stats["BatchNorm_0"]
        x = np_norm(x, params["BatchNorm_0"], averages, 1e-3, scale=False)
    return relu(x)


def np_vgg(images: np.ndarray, variables: Tree, train: bool) -> np.ndarray:
    x = images.astype(np.float64)
    for i in range(6):
        x = np_unit(x, variables, (f"ConvUnit_{i}",), 1, train, False)
        if i % 2:
            x = np.max([part for _, part in windows(x, 2, 2, "same", -np.inf)], axis=0)
    x = relu(np_dense(x.reshape(len(x), -1), variables["params"]["Dense_0"]))
    return np_dense(x, variables["params"]["Dense_1"])


def np_all_cnn(images: np.ndarray, variables: Tree, train: bool) -> np.ndarray:
    x = images.astype(np.float64)
    for i in range(8):
        x = np_unit(x, variables, (f"ConvUnit_{i}",), 2 if i in (2, 5) else 1, train, False)
    return np_dense(x, variables["params"]["Dense_0"]).mean((1, 2))


def np_mobilenet(images: np.ndarray, variables: Tree, train: bool) -> np.ndarray:
    x = np_unit(images.astype(np.float64), variables, ("ConvUnit_0",), 1, train, False)
    for i in range(5):
        block, stride = f"SeparableBlock_{i}", 2 if i in (1, 3) else 1
        x = np_unit(x, variables, (block, "ConvUnit_0"), stride, train, True)
        x = np_unit(x, variables, (block, "ConvUnit_1"), 1, train, False)
    return np_dense(x.mean((1, 2)), variables["params"]["Dense_0"])


def np_maxout(images: np.ndarray, variables: Tree, train: bool) -> np.ndarray:
    x = images.astype(np.float64).reshape(len(images), -1)
    for i in range(2):
        pieces = np_dense(x, variables["params"][f"Dense_{i}"])
        x = np.stack([pieces[:, 5 * unit : 5 * unit + 5].max(1) for unit in range(240)], axis=1)
    return np_dense(x, variables["params"]["Dense_2"])


FORWARD: dict[str, Callable[..., np.ndarray]] = {
    "vgg_small": np_vgg,
    "all_cnn": np_all_cnn,
    "mobilenet_small": np_mobilenet,
    "maxout": np_maxout,
}


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("shape", "train"), [((8, 8, 3), True), ((7, 10, 1), False)])
def test_forward(name: str, shape: tuple[int, ...], train: bool) -> None:
    images = random_images((3, *shape))
    model = build(name)
    variables = random_variables(model, images)
    expected = FORWARD[name](images, variables, train)
    actual = apply(model, variables, images, train)
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


def test_channels_mix_in_the_second_half_of_a_separable_block() -> None:
    """One input channel changes: the depthwise half's same one does, the block's others, too."""
    images = random_images((1, 6, 6, 4))
    changed = images.copy()
    changed[..., 2] += 1.0

    def touched(module: nn.Module) -> set[int]:
        variables = random_variables(module, images)
        before, after = (apply(module, variables, x, False) for x in (images, changed))
        return {int(c) for c in np.flatnonzero(np.abs(after - before).max((0, 1, 2)))}

    assert touched(ConvUnit(4, 3, 1, False, groups=4)) == {2}
    assert len(touched(SeparableBlock(16, 1))) > 8  # ReLU leaves some at 0


# Batch statistics, dropout, start ---------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_batch_statistics_move_in_training_alone(name: str) -> None:
    images = 2 + random_images((4, 8, 8, 1))
    model = build(name)
    variables = random_variables(model, images)
    assert ("batch_stats" in variables) == (name in BATCH_NORM)
    for train in (False, True):
        _, updated = model.apply(variables, images, train=train, mutable=["batch_stats"])
        before = jax.tree.leaves(variables.get("batch_stats", {}))
        after = jax.tree.leaves(updated.get("batch_stats", {}))
        assert [bool(np.any(a != b)) for a, b in zip(before, after, strict=True)] == (
            [train] * len(before)
        )


@pytest.mark.parametrize(
    ("name", "features"), [("mobilenet_small", 256), ("vgg_small", 512), ("maxout", 240)]
)
def test_dropout_is_on_the_classifiers_input(name: str, features: int) -> None:
    images = random_images((16, 8, 8, 1))
    plain, dropped = (build(name, features, rate) for rate in (0.0, 0.75))
    variables = with_identity_classifier(random_variables(plain, images))
    expected, actual = (apply(model, variables, images, True) for model in (plain, dropped))
    kept = (actual != 0)[expected != 0].mean()
    assert 0.2 < kept < 0.3
    if name != "maxout":  # which drops in its first layer, too
        live = actual != 0
        np.testing.assert_allclose(actual[live], 4 * expected[live], rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_initial_loss_is_near_that_of_a_guess(name: str) -> None:
    images, labels = digits(50)
    images = images[:, ::3, ::3, :1]
    logits = apply(build(name), initial_variables(name, images.shape[1:]), images, True)
    assert 0.02 < logits.std() < 2  # neither vanished nor exploded
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    assert abs(-log_p[np.arange(50), labels].mean() - np.log(10)) < 0.5


def test_maxout_keeps_the_size_of_its_input() -> None:
    """What the weights' scale is for: the mean square after each layer is about that before."""
    images = random_images((200, 12, 12, 1))
    variables = with_identity_classifier(initial_variables("maxout", (12, 12, 1)))
    features = apply(build("maxout", 240), variables, images, False)
    assert 0.7 < np.mean(features**2) < 1.4


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_logits_and_parameters_are_float32(name: str, dtype: str) -> None:
    images = random_images((2, 8, 8, 1))
    model = create_model(name, num_classes=10, dtype=dtype)
    variables = random_variables(model, images)
    logits = jax.eval_shape(functools.partial(model.apply, train=False), variables, images)
    assert logits.dtype == jnp.float32
    assert {leaf.dtype for leaf in jax.tree.leaves(variables)} == {np.dtype("float32")}
    if dtype == "bfloat16":
        apart = apply(model, variables, images, False) - apply(
            build(name), variables, images, False
        )
        assert np.abs(apart).max() > 0  # it does compute in another precision


# The real train step ----------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "rate"),
    [("vgg_small", 0.01), ("all_cnn", 0.01), ("mobilenet_small", 0.02), ("maxout", 0.01)],
)
def test_it_fits_ten_digits_through_the_train_step(name: str, rate: float) -> None:
    images, labels = digits(10)
    images = images[:, ::3, ::3, :1]
    batch = Examples(images, *2 * [jnp.asarray(labels, jnp.int32)], jnp.arange(10, dtype="uint32"))
    model = build(name)
    optimizer = make_optimizer("sgd", 1.0, 1, "all")
    hyper = Hyper(jnp.int32(0), *map(jnp.float32, (rate, 0.9, 0.0, 0.0, 0.0)))
    state = jax.jit(lambda: init_state(model, optimizer, hyper, image_shape=images.shape[1:]))()

    def given(state: Any, images: jax.Array, ids: jax.Array) -> jax.Array:
        return images

    step: Any = jax.jit(make_train_step(model, optimizer, given))
    look: Any = jax.jit(make_eval_step(model, lambda images: images))
    every = jnp.ones(10, bool)
    losses = []
    for _ in range(60):
        state, sums = step(state, batch)
        losses.append(float(sums.loss / sums.count))
    assert losses[-1] < 0.1 * losses[0], losses
    assert int(look(state, batch, every)["accuracy"].sum) == 10


def test_every_course_model_is_a_module_with_the_common_fields() -> None:
    for name in NAMES:
        model: nn.Module = build(name)
        assert model.convolutional == (name != "maxout")
