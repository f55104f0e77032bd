"""The networks against closed forms and independent NumPy float64 implementations."""

import dataclasses
import functools
import itertools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
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
    shapes,
    windows,
    with_identity_classifier,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax.errors import UserError
from rethinking_jax.models import MODELS, convolves, create_model, takes_widths
from rethinking_jax.models.alexnet import local_response_normalization, max_pool

# The ImageNet networks, and the one for two classes, have tests of their own.
OTHERS = ("inception_v3", "inception_v3_aux", "resnet_50", "mlp_sigmoid")
SMALL_MODELS = [name for name in MODELS if name not in OTHERS]
# Their programs take seconds to compile.
DEEP = ("inception_small", "inception_small_no_bn", "wide_resnet_28_1")
BATCH_NORM_MODELS = ("inception_small", "wide_resnet_28_1")


# Parameter counts -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "side", "expected"),
    [
        ("mlp_1x512", 28, 1_209_866),
        ("mlp_3x512", 28, 1_735_178),
        ("alexnet_small", 28, 1_387_786),
        ("inception_small", 28, 1_649_402),
        ("inception_small_no_bn", 28, 1_649_402),
        ("wide_resnet_28_1", 32, 369_498),
    ],
)
def test_the_papers_parameter_counts(name: str, side: int, expected: int) -> None:
    assert parameters(create_model(name, num_classes=10), (side, side, 3)) == expected


@settings(max_examples=25, deadline=None)
@given(
    shape=st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 4)),
    hidden_sizes=st.lists(st.integers(1, 50), min_size=1, max_size=4),
    num_classes=st.integers(2, 12),
)
def test_mlp_parameters_follow_hidden_sizes(
    shape: tuple[int, int, int], hidden_sizes: list[int], num_classes: int
) -> None:
    model = create_model("mlp", num_classes=num_classes, hidden_sizes=tuple(hidden_sizes))
    widths = [int(np.prod(shape)), *hidden_sizes, num_classes]
    expected = sum((a + 1) * b for a, b in itertools.pairwise(widths))
    assert parameters(model, shape) == expected


# NumPy float64 implementations ------------------------------------------------------------


def np_max_pool(x: np.ndarray) -> np.ndarray:
    return np.max([part for _, part in windows(x, 3, 2, "same", -np.inf)], axis=0)


def np_lrn(x: np.ndarray) -> np.ndarray:
    result = np.zeros_like(x)
    channels = x.shape[-1]
    for d in range(channels):
        energy = np.zeros(x.shape[:-1])
        for e in range(d - 4, d + 5):
            if 0 <= e < channels:
                energy += x[..., e] ** 2
        result[..., d] = x[..., d] / (1.0 + 0.001 / 9.0 * energy) ** 0.75
    return result


def np_mlp(images: np.ndarray, variables: Tree) -> np.ndarray:
    layers = variables["params"]
    x = images.astype(np.float64).reshape(len(images), -1)
    for i in range(len(layers) - 1):
        x = relu(np_dense(x, layers[f"Dense_{i}"]))
    return np_dense(x, layers[f"Dense_{len(layers) - 1}"])


def np_alexnet(images: np.ndarray, variables: Tree) -> np.ndarray:
    layers = variables["params"]
    x = images.astype(np.float64)
    for name in ("Conv_0", "Conv_1"):
        x = np_lrn(np_max_pool(relu(np_conv(x, layers[name]))))
    x = x.reshape(len(x), -1)
    x = relu(np_dense(x, layers["Dense_0"]))
    x = relu(np_dense(x, layers["Dense_1"]))
    return np_dense(x, layers["Dense_2"])


FIGURE_3 = (
    *(("inception", 32, 32), ("inception", 32, 48), ("downsample", 80)),
    *(("inception", 112, 48), ("inception", 96, 64), ("inception", 80, 80)),
    *(("inception", 48, 96), ("downsample", 96)),
    *(("inception", 176, 160), ("inception", 176, 160)),
)


def np_inception(
    images: np.ndarray, variables: Tree, train: bool, batch_norm: bool = True
) -> np.ndarray:
    unit = 0

    def conv(x: np.ndarray, features: int, size: int, stride: int = 1) -> np.ndarray:
        nonlocal unit
        name, unit = f"ConvUnit_{unit}", unit + 1
        layer = variables["params"][name]
        assert layer["Conv_0"]["kernel"].shape == (size, size, x.shape[-1], features)
        assert ("bias" in layer["Conv_0"]) == (not batch_norm)
        x = np_conv(x, layer["Conv_0"], stride)
        if batch_norm:
            stats = None if train else variables["batch_stats"][name]["BatchNorm_0"]
            x = np_norm(x, layer["BatchNorm_0"], stats, 1e-3, scale=False)
        return relu(x)

    x = conv(images.astype(np.float64), 96, 3)
    for kind, *features in FIGURE_3:
        if kind == "inception":
            parts = [conv(x, features[0], 1), conv(x, features[1], 3)]
        else:
            parts = [conv(x, features[0], 3, 2), np_max_pool(x)]
        x = np.concatenate(parts, axis=-1)
    return np_dense(x.mean((1, 2)), variables["params"]["Dense_0"])


def np_wide_resnet(images: np.ndarray, variables: Tree, train: bool) -> np.ndarray:
    params, averages = variables["params"], variables["batch_stats"]

    def norm(x: np.ndarray, *path: str) -> np.ndarray:
        layer, stats = params, averages
        for key in path:
            layer, stats = layer[key], stats[key]
        return relu(np_norm(x, layer, None if train else stats, 1e-5, scale=True))

    x = np_conv(images.astype(np.float64), params["Conv_0"])
    for i in range(12):
        name, stride = f"PreActivationBlock_{i}", 2 if i in (4, 8) else 1
        layer = params[name]
        convs = [layer[f"Conv_{j}"] for j in range(len(layer) - 2)]
        assert len(convs) == (3 if i in (4, 8) else 2)
        y = norm(x, name, "BatchNorm_0")
        if len(convs) == 3:
            x = np_conv(y, convs.pop(0), stride, "around")
        y = np_conv(y, convs[0], stride, "around")
        x = x + np_conv(norm(y, name, "BatchNorm_1"), convs[1])
    return np_dense(norm(x, "BatchNorm_0").mean((1, 2)), params["Dense_0"])


@pytest.mark.parametrize("name", ["mlp", "mlp_1x512", "mlp_3x512"])
@pytest.mark.parametrize("shape", [(8, 8, 1), (5, 7, 3)])
def test_mlp_forward(name: str, shape: tuple[int, ...]) -> None:
    images = random_images((4, *shape))
    model = build(name)
    variables = random_variables(model, images)
    expected = np_mlp(images, variables)
    np.testing.assert_allclose(
        apply(model, variables, images, False), expected, rtol=1e-4, atol=1e-4
    )


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 14, 3)])
def test_alexnet_forward(shape: tuple[int, ...]) -> None:
    images = 5 * random_images((3, *shape))  # large enough for the normalization to show
    model = build("alexnet_small")
    variables = random_variables(model, images)
    expected = np_alexnet(images, variables)
    actual = apply(model, variables, images, False)
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize(
    ("name", "shape", "train"),
    [
        ("inception_small", (8, 8, 3), True),
        ("inception_small", (7, 10, 1), False),
        ("inception_small_no_bn", (9, 6, 3), True),
        ("wide_resnet_28_1", (8, 8, 3), True),
        ("wide_resnet_28_1", (7, 10, 1), False),
    ],
)
def test_deep_forward(name: str, shape: tuple[int, ...], train: bool) -> None:
    images = random_images((3, *shape))
    model = build(name)
    variables = random_variables(model, images)
    if name == "wide_resnet_28_1":
        expected = np_wide_resnet(images, variables, train)
    else:
        expected = np_inception(images, variables, train, name == "inception_small")
    actual = apply(model, variables, images, train)
    np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3 * np.abs(expected).max())


# The small AlexNet's own operations ---------------------------------------------------------


@pytest.mark.parametrize("shape", [(2, 3, 3, 64), (1, 2, 2, 3), (4, 9)])
def test_local_response_normalization(shape: tuple[int, ...]) -> None:
    x = 30 * random_images(shape)  # so that alpha * energy is of order 1
    np.testing.assert_allclose(local_response_normalization(x), np_lrn(x.astype(float)), rtol=1e-5)


def test_local_response_normalization_gradient() -> None:
    x = 30 * random_images((2, 12))
    weight = random_images(x.shape, seed=1)
    gradient = jax.grad(lambda x: jnp.sum(weight * local_response_normalization(x)))(x)
    step = 1e-4
    for index in np.ndindex(*x.shape):
        move = np.zeros(x.shape)
        move[index] = step
        difference = np_lrn(x + move) - np_lrn(x - move)
        expected = np.sum(weight * difference) / (2 * step)
        np.testing.assert_allclose(gradient[index], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("h", "w"), [(1, 1), (2, 5), (8, 7)])
def test_max_pool_and_its_gradient(h: int, w: int) -> None:
    rng = np.random.default_rng(0)
    x = rng.permutation(2 * h * w * 2).reshape(2, h, w, 2).astype(np.float32)  # no ties
    expected = np_max_pool(x)
    weight = rng.normal(size=expected.shape)
    by_hand = np.zeros(x.shape)
    for index in np.ndindex(*expected.shape):
        by_hand[x == expected[index]] += weight[index]  # the values name their places
    pooled, backward = jax.vjp(jax.jit(max_pool), x)
    np.testing.assert_array_equal(pooled, expected)
    gradient = backward(weight.astype(np.float32))[0]
    np.testing.assert_allclose(gradient, by_hand, rtol=1e-5, atol=1e-6)


# Batch norm ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["mlp", "alexnet_small", "inception_small_no_bn"])
def test_without_batch_norm_examples_are_independent(name: str) -> None:
    images = random_images((4, 8, 8, 3))
    model = build(name)
    variables = random_variables(model, images)
    assert "batch_stats" not in variables
    alone = apply(model, variables, images[:1], True)
    np.testing.assert_allclose(apply(model, variables, images, True)[:1], alone, atol=1e-5)


@pytest.mark.parametrize("name", BATCH_NORM_MODELS)
def test_batch_norm_ties_examples_in_train_mode_only(name: str) -> None:
    images = random_images((4, 8, 8, 3))
    model = build(name)
    variables = random_variables(model, images)
    alone, together = (apply(model, variables, x, False) for x in (images[:1], images))
    np.testing.assert_allclose(together[:1], alone, rtol=1e-4, atol=1e-4 * np.abs(alone).max())
    alone, together = (apply(model, variables, x, True) for x in (images[:1], images))
    assert np.abs(together[:1] - alone).max() > 0.01 * np.abs(alone).max()


def test_running_averages_follow_the_batches() -> None:
    images = 2 + random_images((6, 8, 8, 3))
    model = build("inception_small")
    variables = random_variables(model, images)
    forward = functools.partial(model.apply, train=True, mutable=["batch_stats"])
    _, updated = jax.jit(forward)(variables, images)
    x = np_conv(images, variables["params"]["ConvUnit_0"]["Conv_0"])
    stats = updated["batch_stats"]["ConvUnit_0"]["BatchNorm_0"]
    before = variables["batch_stats"]["ConvUnit_0"]["BatchNorm_0"]
    for key, seen in (("mean", x.mean((0, 1, 2))), ("var", x.var((0, 1, 2)))):
        expected = 0.9 * before[key] + 0.1 * seen
        np.testing.assert_allclose(stats[key], expected, rtol=1e-3, atol=1e-4)


# Dropout ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow if name in DEEP else ())
        for name in SMALL_MODELS
        if name != "linear"
    ],
)
def test_dropout_acts_in_train_mode_only(name: str) -> None:
    images = random_images((4, 8, 8, 3))
    plain, dropped = build(name), build(name, dropout_rate=0.5)
    variables = random_variables(plain, images)
    assert shapes(dropped, (8, 8, 3)) == shapes(plain, (8, 8, 3))
    for train in (False, True):
        first, second = (apply(dropped, variables, images, train, seed) for seed in (1, 2))
        without = apply(plain, variables, images, train)
        if train:
            assert not np.allclose(first, second) and not np.allclose(first, without)
        else:
            np.testing.assert_array_equal(first, without)


def test_without_dropout_no_key_is_needed() -> None:
    images = random_images((2, 8, 8, 3))
    for name in ("mlp", "alexnet_small"):
        model = build(name)
        # It would raise for want of a key.
        logits = model.apply(random_variables(model, images), images, train=True)
        assert np.isfinite(logits).all()


@pytest.mark.parametrize(
    ("name", "features"),
    [("mlp_1x512", 512), ("inception_small_no_bn", 336), ("wide_resnet_28_1", 64)],
)
def test_dropout_is_on_the_classifiers_input(name: str, features: int) -> None:
    images = random_images((4, 8, 8, 3))
    plain, dropped = (build(name, features, rate) for rate in (0.0, 0.75))
    variables = with_identity_classifier(random_variables(plain, images))
    expected = apply(plain, variables, images, True)
    actual = apply(dropped, variables, images, True)
    kept = actual != 0
    assert 0.2 < kept[expected != 0].mean() < 0.3
    np.testing.assert_allclose(actual[kept], 4 * expected[kept], rtol=1e-4)


@pytest.mark.parametrize(("name", "features"), [("mlp", 16), ("alexnet_small", 192)])
def test_dropout_is_on_every_hidden_dense_layer(name: str, features: int) -> None:
    images = random_images((64, 8, 8, 3))
    plain, dropped = (build(name, features, rate) for rate in (0.0, 0.5))
    variables = with_identity_classifier(random_variables(plain, images))
    expected = apply(plain, variables, images, True)
    actual = apply(dropped, variables, images, True)
    live = (actual != 0) & (expected != 0)
    assert 0.2 < live[expected != 0].mean() < 0.55  # the last layer's, on top of the first's
    as_if_alone = np.isclose(actual[live], 2 * expected[live], rtol=1e-2)
    assert as_if_alone.mean() < 0.1  # but for the first's


# Images and members -------------------------------------------------------------------------


@pytest.mark.parametrize("name", SMALL_MODELS)
@pytest.mark.parametrize("shape", [(28, 28, 1), (13, 8, 2)])
def test_the_last_pixels_last_channel_counts(name: str, shape: tuple[int, ...]) -> None:
    images = np.repeat(random_images((1, *shape)), 3, axis=0)
    images[1, -1, -1, -1] += 3.0
    images[2, 0, 0, 0] += 3.0
    model = build(name, num_classes=3)
    logits = apply(model, random_variables(model, images), images, False)
    assert np.isfinite(logits).all()
    assert np.abs(logits[1] - logits[0]).max() > 1e-5
    assert np.abs(logits[2] - logits[0]).max() > 1e-5


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_vmapped_members_equal_single_ones(name: str) -> None:
    images = random_images((4, 8, 8, 3))
    model = build(name)
    members = [random_variables(model, images, seed) for seed in (0, 1)]

    def forward(variables: Tree) -> tuple[jax.Array, Tree]:
        return model.apply(variables, images, train=True, mutable=["batch_stats"])

    check_members(forward, members)


def test_vmapped_gradients_equal_single_ones() -> None:
    images, labels = random_images((4, 8, 8, 3)), np.arange(4)
    model = build("alexnet_small")
    members = [random_variables(model, images, seed) for seed in (0, 1)]
    check_members(jax.grad(lambda variables: loss(model, variables, images, labels)), members)


def check_members(function: Callable[[Tree], Any], members: list[Tree]) -> None:
    """vmapped over stacked members, a function gives what it gives for each alone."""
    stacked = jax.tree.map(lambda *leaves: np.stack(leaves), *members)
    together = jax.tree.leaves(jax.jit(jax.vmap(function))(stacked))
    single = jax.jit(function)
    for i, member in enumerate(members):
        for expected, actual in zip(jax.tree.leaves(single(member)), together, strict=True):
            tolerance = 1e-4 * np.abs(expected).max()
            np.testing.assert_allclose(actual[i], expected, rtol=1e-3, atol=tolerance)


@pytest.mark.parametrize("name", SMALL_MODELS)
def test_everything_is_float32(name: str) -> None:
    images = random_images((2, 8, 8, 3))
    model = build(name)

    def both() -> Any:
        variables = model.init(jax.random.key(0), images, train=False)
        return variables, model.apply(variables, images, train=True, mutable=["batch_stats"])

    with jax.enable_x64(True):
        assert {leaf.dtype for leaf in jax.tree.leaves(jax.eval_shape(both))} == {
            jnp.dtype("float32")
        }


# Initial weights ----------------------------------------------------------------------------


def loss(model: nn.Module, variables: Tree, images: Any, labels: Any) -> jax.Array:
    logits, _ = model.apply(variables, images, train=True, mutable=["batch_stats"])
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()


@pytest.mark.parametrize(
    ("name", "train", "tolerance"),
    [
        ("mlp_1x512", True, 0.5),
        ("mlp_3x512", True, 0.5),
        ("alexnet_small", True, 1.0),
        ("inception_small", True, 1.0),
        ("inception_small", False, 1.0),
        ("inception_small_no_bn", True, 1.0),
        ("wide_resnet_28_1", True, 1.0),
    ],
)
@pytest.mark.parametrize("data", ["digits", "noise"])
def test_initial_loss_is_that_of_a_guess(
    name: str, train: bool, tolerance: float, data: str
) -> None:
    images, labels = digits(50)
    if data == "noise":
        images = random_images((50, 28, 28, 3))
    model = build(name)
    logits = apply(model, initial_variables(name, (28, 28, 3)), images, train)
    assert 0.02 < logits.std() < 2  # neither vanished nor exploded
    value = optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()
    assert abs(value - np.log(10)) < tolerance


def test_without_batch_norm_the_features_keep_their_size() -> None:
    images, _ = digits(10)
    variables = with_identity_classifier(initial_variables("inception_small_no_bn", (28, 28, 3)))
    features = apply(build("inception_small_no_bn", 336), variables, images, False)
    assert 0.1 < np.sqrt(np.mean(features**2)) < 10
    assert features.std(axis=0).mean() > 0.01 * features.mean()  # and tell images apart


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "spacing", "learning_rate"),
    [("alexnet_small", 1, 0.01), ("inception_small_no_bn", 2, 0.001)],
)
def test_it_learns_from_this_start(name: str, spacing: int, learning_rate: float) -> None:
    images, labels = digits(20)
    images = images[:, ::spacing, ::spacing]
    model = build(name)
    optimizer = optax.sgd(learning_rate, momentum=0.9)

    @jax.jit
    def step(params: Tree, state: Any) -> tuple[Tree, Any, jax.Array]:
        value, gradient = jax.value_and_grad(
            lambda params: loss(model, {"params": params}, images, labels)
        )(params)
        updates, state = optimizer.update(gradient, state)
        return optax.apply_updates(params, updates), state, value

    params = initial_variables(name, (28, 28, 3))["params"]
    state = optimizer.init(params)
    losses = []
    for _ in range(80):
        params, state, value = step(params, state)
        losses.append(float(value))
    assert losses[-1] < 0.5 * losses[0], losses


# Names --------------------------------------------------------------------------------------


def test_unknown_name_gives_the_nearest() -> None:
    with pytest.raises(UserError) as error:
        create_model("inceptoin_small", num_classes=10)
    assert str(error.value) == (
        "model='inceptoin_small' is not known: did you mean 'inception_small'? "
        "(known: mlp_1x512, mlp_3x512, mlp, mlp_sigmoid, linear, alexnet_small, inception_small, "
        "inception_small_no_bn, wide_resnet_28_1, vgg_small, all_cnn, mobilenet_small, maxout, "
        "inception_v3, inception_v3_aux, resnet_50)"
    )
    with pytest.raises(UserError, match=r"^model='zebra' is not known \(known: mlp_1x512,"):
        create_model("zebra", num_classes=10)


@pytest.mark.parametrize("name", [name for name in MODELS if not takes_widths(name)])
def test_hidden_sizes_are_for_some_alone(name: str) -> None:
    with pytest.raises(UserError, match=rf"hidden_sizes=\(64,\) has no effect on model='{name}'"):
        create_model(name, num_classes=10, hidden_sizes=(64,))


@pytest.mark.parametrize("hidden_sizes", [(), (0,), (64, -1), (64.5,)])
def test_mlp_needs_positive_widths(hidden_sizes: tuple[int, ...]) -> None:
    with pytest.raises(UserError, match=r"hidden_sizes=.*model='mlp' needs"):
        create_model("mlp", num_classes=10, hidden_sizes=hidden_sizes)


@pytest.mark.parametrize("rate", [-0.1, 1.0, float("nan")])
def test_dropout_rate_is_a_probability_below_one(rate: float) -> None:
    with pytest.raises(UserError, match="dropout_rate="):
        create_model("mlp_1x512", num_classes=10, dropout_rate=rate)


@pytest.mark.parametrize("option", [{"dropout_rate": 0.5}, {"dtype": "bfloat16"}])
def test_linear_has_no_hidden_layer(option: dict) -> None:
    variables = initial_variables("linear", (4, 4, 1))
    assert jax.tree.map(np.shape, variables) == {
        "params": {"Dense_0": {"kernel": (16, 10), "bias": (10,)}}
    }
    with pytest.raises(UserError, match="no effect on model='linear'"):
        create_model("linear", num_classes=10, **option)


def test_convolutional_is_a_fact_of_the_class() -> None:
    models = {name: build(name, num_classes=2) for name in MODELS}
    assert {name for name, model in models.items() if not model.convolutional} == {
        "mlp",
        "mlp_sigmoid",
        "linear",
        "mlp_1x512",
        "mlp_3x512",
        "maxout",
    }
    for model in models.values():
        assert "convolutional" not in {field.name for field in dataclasses.fields(model)}


# A model of one's own -----------------------------------------------------------------------


class Smallest(nn.Module):
    """What is required of a class, and nothing else."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        return nn.Dense(self.num_classes)(x.reshape(len(x), -1))


class Ragged(Smallest):
    """Widths and dropout of its own, arithmetic in float32 alone."""

    hidden_sizes: tuple[int, ...] = (3,)
    dropout_rate: float = 0.25


class Silent(nn.Module):
    """Takes no `train`."""

    num_classes: int

    def __call__(self, x: jax.Array) -> jax.Array:
        return x


class Unfinished(Smallest):
    """A field that nothing gives."""

    depth: int = dataclasses.field(kw_only=True)


class Countless(nn.Module):
    """No `num_classes`."""

    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        return x


def test_a_class_is_given_the_fields_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODELS, "mine", Smallest)
    for model in ("mine", Smallest):
        made = create_model(model, num_classes=4)
        assert made == Smallest(num_classes=4) and convolves(made)
        assert apply(made, random_variables(made, random_images((2, 3, 3, 1))),
                     random_images((2, 3, 3, 1)), train=True).shape == (2, 4)  # fmt: skip
    assert not takes_widths("mine")
    made = create_model(Ragged, num_classes=4)
    assert (made.hidden_sizes, made.dropout_rate) == ((3,), 0.0)
    assert create_model(Ragged, num_classes=4, hidden_sizes=(5, 6)).hidden_sizes == (5, 6)
    assert create_model(functools.partial(Unfinished, depth=3), num_classes=4).depth == 3


@pytest.mark.parametrize(
    ("model", "asked", "words"),
    [
        (Smallest, {"dropout_rate": 0.5}, "dropout_rate=0.5 has no effect on model='Smallest'"),
        (Smallest, {"dtype": "bfloat16"}, "dtype=bfloat16 has no effect on model='Smallest'"),
        (Smallest, {"hidden_sizes": (5,)}, r"hidden_sizes=\(5,\) has no effect on .*'Smallest'"),
        (Ragged, {"hidden_sizes": (0,)}, "needs one or more widths of at least 1"),
        (Ragged, {"dtype": "bfloat16"}, "whose class has no field dtype: leave it at float32"),
        (Silent, {}, "model='Silent': its __call__ must take the argument train"),
        (Unfinished, {}, "model='Unfinished' needs a value for depth"),
        (Countless, {}, "model='Countless' has no field num_classes"),
        (lambda num_classes: "none", {}, "must be a class of flax.linen, not str"),
    ],
)
def test_what_a_class_cannot_take_is_one_line(model: Any, asked: dict, words: str) -> None:
    with pytest.raises(UserError, match=words) as error:
        create_model(model, num_classes=4, **asked)
    assert "\n" not in str(error.value)
