"""Inception V3, ResNet-50 and the dtype that every network computes in."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from rethinking_jax.errors import UserError
from rethinking_jax.models import DTYPES, MODELS, create_model
from rethinking_jax.models.inception_v3 import InceptionV3
from rethinking_jax.models.layers import ConvUnit, Dropout
from rethinking_jax.models.resnet import Bottleneck, ResNet
from rethinking_jax.step.flops import layer_macs
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import Examples, Hyper, TrainState
from rethinking_jax.step.train import make_train_step

Tree = dict[str, Any]
SIDES = {"inception_v3": 75, "inception_v3_aux": 75, "resnet_50": 32}
# A linear model has nothing that follows dtype; mlp_sigmoid is for two classes.
SMALL_MODELS = [name for name in MODELS if name not in (*SIDES, "linear", "mlp_sigmoid")]
CLASSES = 5
# Compiles in half the time, and these programs run once.
FAST = {"xla_backend_optimization_level": 0}


def build(name: str, **fields: Any) -> nn.Module:
    hidden_sizes = (24, 16) if name == "mlp" else ()
    return create_model(name, num_classes=CLASSES, hidden_sizes=hidden_sizes, **fields)


def random_images(n: int, side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(n, side, side, 3)).astype(np.float32)


@functools.cache
def shapes(model: nn.Module, *shape: int) -> Tree:
    """Of the variables, for one image or feature map of a shape; nothing is computed."""
    images = jnp.zeros((1, *shape))
    return jax.eval_shape(lambda: model.init(jax.random.key(0), images, train=False))


def random_variables(model: nn.Module, *shape: int) -> Tree:
    """Weights of a fitting size, nothing at 0 or 1."""
    rng = np.random.default_rng(0)

    def draw(path: Any, leaf: jax.ShapeDtypeStruct) -> np.ndarray:
        values = rng.normal(size=leaf.shape)
        match path[-1].key:
            case "kernel":
                values *= np.sqrt(2 / np.prod(leaf.shape[:-1]))
            case "bias" | "mean":
                values *= 0.1
            case "scale" | "var":
                values = np.exp(0.2 * values)
        return values.astype(np.float32)

    return jax.tree_util.tree_map_with_path(draw, shapes(model, *shape))


def outputs(model: nn.Module, shape: tuple[int, ...], train: bool = True) -> list[tuple[Any, Any]]:
    """Every module that a forward pass calls, with its output's shape and dtype."""
    seen: list[tuple[Any, Any]] = []

    def record(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        output = call(*args, **kwargs)
        seen.append((context.module, jax.ShapeDtypeStruct(output.shape, output.dtype)))
        return output

    def forward(variables: Tree) -> Any:
        rngs = {"dropout": jax.random.key(0)}
        images = jnp.zeros((1, *shape))
        return model.apply(variables, images, train=train, mutable=["batch_stats"], rngs=rngs)

    variables = shapes(model, *shape)
    with nn.intercept_methods(record):
        jax.eval_shape(forward, variables)
    return seen


# Sizes ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("model", "side", "expected"),
    [
        (create_model("inception_v3", num_classes=1000), 299, 23_817_352),
        (InceptionV3(1000, batch_norm_scale=True, auxiliary=True), 299, 27_161_264),
        (InceptionV3(1000, batch_norm_scale=True), 299, 23_834_568),
        # Without the scales of the 94 units and of the auxiliary head's two.
        (create_model("inception_v3_aux", num_classes=1000), 299, 27_161_264 - 17_216 - 896),
        (create_model("resnet_50", num_classes=1000), 224, 25_557_032),
        (ResNet(1000, stage_sizes=(3, 4, 23, 3)), 224, 44_549_160),  # published for 101 layers
    ],
)
def test_parameter_counts(model: nn.Module, side: int, expected: int) -> None:
    params = shapes(model, side, side, 3)["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(params)) == expected


@pytest.mark.parametrize(
    ("name", "side", "billions"), [("inception_v3", 299, 5.71), ("resnet_50", 224, 4.09)]
)
def test_the_published_multiplications(name: str, side: int, billions: float) -> None:
    macs = layer_macs(create_model(name, num_classes=1000), (side, side, 3))
    assert round(sum(macs) / 1e9, 2) == billions


def test_inception_grids_are_the_papers() -> None:
    model = InceptionV3(1000)
    units = [
        output.shape[1:]
        for module, output in outputs(model, (299, 299, 3))
        if isinstance(module, ConvUnit)
    ]
    assert len(units) == 94
    assert units[:5] == [
        *((149, 149, 32), (147, 147, 32), (147, 147, 64)),
        *((73, 73, 80), (71, 71, 192)),
    ]
    forward = functools.partial(model.apply, train=False, mutable=["intermediates"])
    _, seen = jax.eval_shape(forward, shapes(model, 299, 299, 3), jnp.zeros((2, 299, 299, 3)))
    grids = {name: value[0].shape[1:] for name, value in seen["intermediates"].items()}
    assert grids == {
        "stem": (35, 35, 192),
        "mixed_0": (35, 35, 256),
        "mixed_1": (35, 35, 288),
        "mixed_2": (35, 35, 288),
        **{f"mixed_{i}": (17, 17, 768) for i in range(3, 8)},
        "mixed_8": (8, 8, 1280),
        "mixed_9": (8, 8, 2048),
        "mixed_10": (8, 8, 2048),
    }


def test_resnet_grids_are_the_papers() -> None:
    seen = outputs(ResNet(1000), (224, 224, 3))
    assert seen[0][1].shape[1:] == (112, 112, 64)
    blocks = [output.shape[1:] for module, output in seen if isinstance(module, Bottleneck)]
    assert blocks == [
        *[(56, 56, 256)] * 3,
        *[(28, 28, 512)] * 4,
        *[(14, 14, 1024)] * 6,
        *[(7, 7, 2048)] * 3,
    ]


def test_inception_takes_75_pixels_and_no_fewer() -> None:
    model = InceptionV3(CLASSES, auxiliary=True)
    for shape in ((75, 75, 3), (75, 320, 1)):
        assert outputs(model, shape)[-1][1].shape == (1, CLASSES)
    with pytest.raises(UserError) as error:
        shapes(model, 299, 74, 3)
    assert str(error.value) == ("model='inception_v3' needs images of 75x75 or more, not 299x74")


# NumPy float64 implementations ------------------------------------------------------------


def relu(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 0.0)


def np_windows(x: np.ndarray, size: tuple[int, int], stride: int, pad: Any, fill: float) -> Any:
    """[b, h', w', c, *size]; pad: rows above and below, columns left and right."""
    rows, columns = pad
    edges = [(0, 0), (rows, rows), (columns, columns), (0, 0)]
    x = np.pad(x, edges, constant_values=fill)
    return sliding_window_view(x, size, axis=(1, 2))[:, ::stride, ::stride]


def np_conv(x: np.ndarray, layer: Tree, stride: int, pad: tuple[int, int]) -> np.ndarray:
    assert set(layer) == {"kernel"}
    kernel = np.asarray(layer["kernel"], np.float64)
    parts = np_windows(x, kernel.shape[:2], stride, pad, 0.0)
    return np.tensordot(parts, kernel, axes=([4, 5, 3], [0, 1, 2]))


def np_norm(x: np.ndarray, layer: Tree, stats: Tree | None, epsilon: float) -> np.ndarray:
    """By the running averages, or by the batch's own where stats is None."""
    mean = x.mean((0, 1, 2)) if stats is None else np.float64(stats["mean"])
    variance = x.var((0, 1, 2)) if stats is None else np.float64(stats["var"])
    normal = (x - mean) / np.sqrt(variance + epsilon)
    return normal * np.float64(layer.get("scale", 1.0)) + np.float64(layer["bias"])


def np_max_pool(x: np.ndarray, pad: int) -> np.ndarray:
    return np_windows(x, (3, 3), 2, (pad, pad), -np.inf).max((-2, -1))


def np_average(x: np.ndarray) -> np.ndarray:
    """3x3 SAME over the pixels that exist."""
    total = np_windows(x, (3, 3), 1, (1, 1), 0.0).sum((-2, -1))
    return total / np_windows(np.ones_like(x), (3, 3), 1, (1, 1), 0.0).sum((-2, -1))


def np_dense(x: np.ndarray, layer: Tree) -> np.ndarray:
    return x @ np.float64(layer["kernel"]) + np.float64(layer["bias"])


def np_unit(
    x: np.ndarray, params: Tree, stats: Tree | None, stride: int, padding: str, scale: bool
) -> np.ndarray:
    """Convolution, batch norm, ReLU of Inception V3."""
    height, width = params["Conv_0"]["kernel"].shape[:2]
    pad = (height // 2, width // 2) if padding == "SAME" else (0, 0)
    x = np_conv(x, params["Conv_0"], stride, pad)
    assert ("scale" in params["BatchNorm_0"]) == scale
    stats = None if stats is None else stats["BatchNorm_0"]
    return relu(np_norm(x, params["BatchNorm_0"], stats, 1e-3))


# A branch is the units one after the other, features and kernel; "/" halves the grid, "avg"
# and "max" pool, a tuple in a branch forks.
A = "64 1x1", "48 1x1, 64 5x5", "64 1x1, 96 3x3, 96 3x3"
B = "384 3x3/", "64 1x1, 96 3x3, 96 3x3/", "max"
C = (
    "192 1x1",
    "{n} 1x1, {n} 1x7, 192 7x1",
    "{n} 1x1, {n} 7x1, {n} 1x7, {n} 7x1, 192 1x7",
    "avg, 192 1x1",
)
D = "192 1x1, 320 3x3/", "192 1x1, 192 1x7, 192 7x1, 192 3x3/", "max"
FORK = "384 1x3 | 384 3x1"
E = "320 1x1", f"384 1x1, {FORK}", f"448 1x1, 384 3x3, {FORK}", "avg, 192 1x1"
GRIDS = (
    *[(*A, f"avg, {pooled} 1x1") for pooled in (32, 64, 64)],
    B,
    *[tuple(branch.format(n=n) for branch in C) for n in (128, 160, 160, 192)],
    *(D, E, E),
)


class NumpyInception:
    """The forward pass from a table of the blocks, in eval or train mode."""

    def __init__(self, variables: Tree, train: bool, scale: bool) -> None:
        self.params, self.stats = variables["params"], variables["batch_stats"]
        self.train, self.scale, self.units = train, scale, 0

    def unit(self, x: np.ndarray, text: str, padding: str = "SAME") -> np.ndarray:
        name, self.units = f"ConvUnit_{self.units}", self.units + 1
        features, size = text.rstrip("/").split()
        kernel = self.params[name]["Conv_0"]["kernel"]
        assert kernel.shape == (*map(int, size.split("x")), x.shape[-1], int(features))
        stats = None if self.train else self.stats[name]
        stride, padding = (2, "VALID") if text.endswith("/") else (1, padding)
        return np_unit(x, self.params[name], stats, stride, padding, self.scale)

    def branch(self, x: np.ndarray, text: str) -> np.ndarray:
        for step in text.split(", "):
            if step == "avg":
                x = np_average(x)
            elif step == "max":
                x = np_max_pool(x, 0)
            else:
                x = np.concatenate([self.unit(x, part) for part in step.split(" | ")], axis=-1)
        return x

    def __call__(self, images: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        x = self.unit(np.float64(images), "32 3x3/")
        x = self.unit(self.unit(x, "32 3x3", "VALID"), "64 3x3")
        x = self.unit(np_max_pool(x, 0), "80 1x1")
        x = np_max_pool(self.unit(x, "192 3x3", "VALID"), 0)
        for i, branches in enumerate(GRIDS):
            x = np.concatenate([self.branch(x, text) for text in branches], axis=-1)
            if i == 7:
                seventeen = x
        logits = np_dense(x.mean((1, 2)), self.params["Dense_0"])
        return logits, self.head(seventeen) if self.train else None

    def head(self, x: np.ndarray) -> np.ndarray:
        params = self.params["AuxiliaryHead_0"]
        assert x.shape[1:] == (3, 3, 768)  # smaller than both of the head's windows
        x = np_unit(x.mean((1, 2), keepdims=True), params["ConvUnit_0"], None, 1, "VALID", False)
        x = np_unit(x, params["ConvUnit_1"], None, 1, "VALID", False)
        return np_dense(x.mean((1, 2)), params["Dense_0"])


def np_bottleneck(x: np.ndarray, params: Tree, stats: Tree | None, stride: int) -> np.ndarray:
    def norm(x: np.ndarray, i: int) -> np.ndarray:
        name = f"BatchNorm_{i}"
        return np_norm(x, params[name], None if stats is None else stats[name], 1e-5)

    y = relu(norm(np_conv(x, params["Conv_0"], 1, (0, 0)), 0))
    y = relu(norm(np_conv(y, params["Conv_1"], stride, (1, 1)), 1))
    y = norm(np_conv(y, params["Conv_2"], 1, (0, 0)), 2)
    if "Conv_3" in params:
        x = norm(np_conv(x, params["Conv_3"], stride, (0, 0)), 3)
    return relu(x + y)


def np_resnet(images: np.ndarray, variables: Tree) -> np.ndarray:
    params, stats = variables["params"], variables["batch_stats"]
    x = np_conv(np.float64(images), params["Conv_0"], 2, (3, 3))
    x = np_max_pool(relu(np_norm(x, params["BatchNorm_0"], stats["BatchNorm_0"], 1e-5)), 1)
    for i in range(16):
        name = f"Bottleneck_{i}"
        x = np_bottleneck(x, params[name], stats[name], 2 if i in (3, 7, 13) else 1)
    return np_dense(x.mean((1, 2)), params["Dense_0"])


def check(actual: Any, expected: np.ndarray, tolerance: float = 1e-4) -> None:
    """tolerance: of the largest value."""
    assert actual.shape == expected.shape
    assert np.abs(expected).max() > 0.1 and expected.std() > 0.01
    np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * np.abs(expected).max())


def run(function: Callable[..., Any], *args: Any) -> Any:
    return jax.jit(function, compiler_options=FAST)(*args)


@pytest.mark.parametrize("size", [(1, 1), (3, 3), (5, 5), (1, 7), (7, 1)])
@pytest.mark.parametrize(("stride", "padding"), [(1, "SAME"), (2, "VALID")])
@pytest.mark.parametrize("train", [False, True])
def test_conv_unit(size: tuple[int, int], stride: int, padding: str, train: bool) -> None:
    scale = padding == "SAME"
    unit = ConvUnit(4, size, stride, padding=padding, batch_norm_scale=scale)
    variables = random_variables(unit, 9, 8, 3)
    x = 1 + random_images(3, 9)[:, :, :8]
    actual, updated = run(
        lambda v: unit.apply(v, x, train=train, mutable=["batch_stats"]), variables
    )
    params, stats = variables["params"], variables["batch_stats"]
    expected = np_unit(np.float64(x), params, None if train else stats, stride, padding, scale)
    check(actual, expected, 1e-5)
    before = stats["BatchNorm_0"]
    pad = (size[0] // 2, size[1] // 2) if padding == "SAME" else (0, 0)
    y = np_conv(np.float64(x), params["Conv_0"], stride, pad)
    for key, seen in (("mean", y.mean((0, 1, 2))), ("var", y.var((0, 1, 2)))):
        expected = 0.9 * before[key] + 0.1 * seen if train else before[key]
        np.testing.assert_allclose(updated["batch_stats"]["BatchNorm_0"][key], expected, rtol=1e-4)


@pytest.mark.parametrize(("stride", "channels"), [(1, 8), (1, 5), (2, 8), (2, 5)])
@pytest.mark.parametrize("train", [False, True])
@pytest.mark.parametrize("side", [6, 7])
def test_bottleneck(stride: int, channels: int, train: bool, side: int) -> None:
    block = Bottleneck(2, stride)
    x = np.random.default_rng(1).normal(size=(3, side, side, channels)).astype(np.float32)
    variables = random_variables(block, side, side, channels)
    actual = run(lambda v: block.apply(v, x, train=train, mutable=["batch_stats"])[0], variables)
    stats = None if train else variables["batch_stats"]
    assert ("Conv_3" in variables["params"]) == (stride == 2 or channels != 8)
    check(actual, np_bottleneck(np.float64(x), variables["params"], stats, stride), 1e-5)


@pytest.mark.slow
def test_the_whole_resnet() -> None:
    model, images = build("resnet_50"), random_images(2, 40)
    variables = random_variables(model, 40, 40, 3)
    actual = run(lambda v: model.apply(v, images, train=False), variables)
    check(actual, np_resnet(images, variables))


@pytest.mark.slow
def test_the_whole_inception_in_eval_mode() -> None:
    model, images = InceptionV3(CLASSES, batch_norm_scale=True), random_images(2, 80)
    variables = random_variables(model, 80, 80, 3)
    actual = run(lambda v: model.apply(v, images, train=False), variables)
    check(actual, NumpyInception(variables, False, True)(images)[0])


@functools.cache
def inception_in_train_mode() -> tuple[Tree, Any, Any]:
    """(variables, images, results) of one compiled function: with a head and without."""
    images = random_images(4, 75)
    headed, plain = (InceptionV3(CLASSES, auxiliary=auxiliary) for auxiliary in (True, False))
    variables = random_variables(headed, 75, 75, 3)

    def forward(variables: Tree) -> Any:
        logits, updated = headed.apply(
            variables, images, train=True, mutable=["batch_stats", "auxiliary"]
        )
        own = {key: without_head(value) for key, value in variables.items()}
        return logits, updated, plain.apply(own, images, train=True, mutable=["batch_stats"])[0]

    return variables, images, run(forward, variables)


def without_head(tree: Tree) -> Tree:
    return {key: value for key, value in tree.items() if key != "AuxiliaryHead_0"}


@pytest.mark.slow
def test_the_whole_inception_in_train_mode_with_its_auxiliary_head() -> None:
    variables, images, (logits, updated, _) = inception_in_train_mode()
    expected, auxiliary = NumpyInception(variables, True, False)(images)
    assert auxiliary is not None
    check(updated["auxiliary"]["logits"][0], auxiliary, 1e-3)
    # 1x1 grids of four images at the end: batch norm divides by small deviations.
    check(logits, expected, 1e-2)


# The auxiliary head -------------------------------------------------------------------------


@pytest.mark.slow
def test_auxiliary_logits_come_in_train_mode_only() -> None:
    model = build("inception_v3_aux")
    variables = shapes(model, 75, 75, 3)
    assert set(variables) == {"params", "batch_stats"}  # after init in eval mode
    assert "AuxiliaryHead_0" in variables["params"]
    in_train_mode = jax.eval_shape(
        lambda: model.init(jax.random.key(0), jnp.zeros((1, 75, 75, 3)), train=True)
    )
    assert jax.tree.structure(in_train_mode) == jax.tree.structure(variables)

    def updated(train: bool, *mutable: str) -> Tree:
        forward = functools.partial(model.apply, train=train, mutable=list(mutable))
        return jax.eval_shape(forward, variables, jnp.zeros((2, 75, 75, 3)))[1]

    seen = updated(True, "batch_stats", "auxiliary")
    assert [leaf.shape for leaf in jax.tree.leaves(seen["auxiliary"])] == [(2, CLASSES)]
    assert "auxiliary" not in updated(True, "batch_stats")
    assert "auxiliary" not in updated(False, "batch_stats", "auxiliary")
    for train in (False, True):
        called = {type(module).__name__ for module, _ in outputs(model, (75, 75, 3), train)}
        assert ("AuxiliaryHead" in called) == train


def test_the_auxiliary_head_changes_nothing_else() -> None:
    variables, _, (logits, updated, without) = inception_in_train_mode()
    np.testing.assert_allclose(logits, without, rtol=1e-4, atol=1e-5)
    # Its own batch norm learns from the batches too.
    before, after = (v["batch_stats"]["AuxiliaryHead_0"] for v in (variables, updated))
    for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(after), strict=True):
        assert np.abs(old - new).min() > 0


# Dropout --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", [pytest.param("inception_v3", marks=pytest.mark.slow), "resnet_50"]
)
def test_a_vmapped_dropout_rate_acts_on_the_classifiers_input(name: str) -> None:
    side, features = SIDES[name], 2048
    images = random_images(2, side)
    model = create_model(name, num_classes=features, dropout_rate=0.5)
    variables = random_variables(model, side, side, 3)
    # The logits become the classifier's input.
    variables["params"]["Dense_0"] = {"kernel": np.eye(features), "bias": np.zeros(features)}

    def forward(variables: Tree, rate: jax.Array) -> jax.Array:
        own = model.clone(dropout_rate=rate)
        rngs = {"dropout": jax.random.key(1)}
        return own.apply(variables, images, train=True, mutable=["batch_stats"], rngs=rngs)[0]

    rates = jnp.array([0.0, 0.25, 0.75])
    none, quarter, most = run(jax.vmap(forward, (None, 0)), variables, rates)
    live = none != 0
    assert live.mean() > 0.2
    for dropped, rate in ((quarter, 0.25), (most, 0.75)):
        kept = dropped != 0
        assert abs(kept[live].mean() - (1 - rate)) < 0.05
        np.testing.assert_allclose(dropped[kept] * (1 - rate), none[kept], rtol=1e-4)
    # In eval mode it asks for no key.
    jax.eval_shape(lambda v: model.apply(v, images, train=False), variables)


# Start ----------------------------------------------------------------------------------------


def test_residual_blocks_start_as_their_shortcut() -> None:
    block = Bottleneck(2)
    x = random_images(2, 6).repeat(3, axis=-1)[..., :8]

    def start(key: jax.Array) -> tuple[Tree, Any]:
        variables = block.init(key, x, train=False)
        return variables, block.apply(variables, x, train=True, mutable=["batch_stats"])[0]

    variables, result = run(start, jax.random.key(0))
    np.testing.assert_array_equal(result, relu(x))
    last = {"BatchNorm_0": 1, "BatchNorm_1": 1, "BatchNorm_2": 0}
    for name, value in last.items():
        np.testing.assert_array_equal(variables["params"][name]["scale"], value)


# Compute dtype ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*SMALL_MODELS, "inception_v3_aux", "resnet_50"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_is_float32_and_what_follows_dtype(name: str, dtype: str) -> None:
    side = SIDES.get(name, 8)
    model = build(name, dtype=dtype, dropout_rate=0.5)
    # With an array as rate and 64-bit mode on, where NumPy's and Python's floats creep in.
    model = model.clone(dropout_rate=jnp.float32(0.5))

    def forward() -> Any:
        images = jnp.zeros((2, side, side, 3), jnp.float32)
        keys = {"params": jax.random.key(0), "dropout": jax.random.key(1)}
        variables = model.init(keys, images, train=False)
        apply = functools.partial(
            model.apply, train=True, mutable=["batch_stats", "auxiliary"], rngs=keys
        )
        return variables, apply(variables, images), model.apply(variables, images, train=False)

    seen: dict[str, set[str]] = {"other": set(), "logits": set(), "biased": set(), "input": set()}

    def record(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        output = call(*args, **kwargs)
        if context.method_name != "__call__" or context.module.path == ():
            return output
        module = context.module
        logits = isinstance(module, nn.Dense) and output.shape[-1] == CLASSES
        # A bias is added in float32, so that its gradient is summed so; a cast comes after it.
        biased = isinstance(module, nn.Dense | nn.Conv) and module.use_bias
        after_pooling = type(module).__name__ in ("Dropout", "AuxiliaryHead")
        if not after_pooling:
            kind = "logits" if logits else "biased" if biased else "other"
            seen[kind].add(output.dtype.name)
            if args[0].shape[-1] != 3 and not logits and args[0].ndim == 4:  # neither end
                seen["input"].add(args[0].dtype.name)
        return output

    with jax.enable_x64(True), nn.intercept_methods(record):
        outside = jax.eval_shape(forward)
    assert {leaf.dtype.name for leaf in jax.tree.leaves(outside)} == {"float32"}
    assert seen["logits"] == {"float32"}
    assert seen["biased"] <= {"float32"}
    assert seen["other"] | seen["input"] <= {dtype}


def test_batch_statistics_are_computed_in_float32() -> None:
    unit = ConvUnit(2, (1, 1), dtype=jnp.bfloat16)
    x = 4 + random_images(8, 16)
    variables = random_variables(unit, 16, 16, 3)
    _, updated = unit.apply(
        variables,
        x,
        train=True,
        mutable=["batch_stats", "intermediates"],
        capture_intermediates=True,
    )
    seen = updated["intermediates"]["Conv_0"]["__call__"][0]
    assert seen.dtype == jnp.bfloat16
    seen = np.asarray(seen, np.float64)
    before = variables["batch_stats"]["BatchNorm_0"]
    for key, value in (("mean", seen.mean((0, 1, 2))), ("var", seen.var((0, 1, 2)))):
        expected = 0.9 * before[key] + 0.1 * value
        actual = updated["batch_stats"]["BatchNorm_0"][key]
        np.testing.assert_allclose(actual, expected, rtol=1e-5)  # bfloat16: 4e-3


def losses(name: str, dtype: str) -> np.ndarray:
    """Of three train steps on random labels, float64 [3]."""
    model = build(name, dtype=dtype)
    hyper = Hyper(*(jnp.float32(0) for _ in dataclasses.fields(Hyper)))
    hyper = dataclasses.replace(hyper, seed=jnp.int32(0), learning_rate=jnp.float32(0.002))
    optimizer = make_optimizer("sgd", 1.0, 1, "all")
    variables = random_variables(model, 8, 8, 3)
    state = TrainState(
        step=jnp.int32(0),
        hyper=hyper,
        params=variables["params"],
        batch_stats=variables.get("batch_stats", {}),
        opt_state=optimizer(hyper).init(variables["params"]),
    )
    preprocess = make_preprocess("none", jnp.zeros(3), jnp.ones(3))
    train_step = make_train_step(model, optimizer, lambda state, images, ids: preprocess(images))
    step = jax.jit(train_step, compiler_options=FAST)
    labels, ids = jnp.arange(8) % CLASSES, jnp.arange(8, dtype=jnp.uint32)
    batch = Examples(jnp.asarray(random_images(8, 8)), labels, labels, ids)
    result = []
    for _ in range(3):
        state, sums = step(state, batch)
        result.append(float(sums.loss) / 8)
    kept = jax.tree.leaves((state.params, state.batch_stats, state.opt_state))
    assert {leaf.dtype.name for leaf in kept} <= {"float32", "int32"}
    return np.array(result)


# Without batch norm the small Inception is the same code, and compiling it takes long.
DEEP = ("inception_small", "wide_resnet_28_1", "mobilenet_small")


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.slow] * (name in DEEP))
        for name in SMALL_MODELS
        if name != "inception_small_no_bn"
    ],
)
def test_train_steps_in_bfloat16_are_those_of_float32(name: str) -> None:
    """Within 3 %, forward and after two updates: bfloat16 rounds each value by up to 0.4 %."""
    exact, rounded = losses(name, "float32"), losses(name, "bfloat16")
    assert exact[2] < exact[0] and (exact != rounded).all()
    np.testing.assert_allclose(rounded, exact, rtol=0.03)


@pytest.mark.parametrize(
    ("dtype", "named"), [("float16", "float16"), (jnp.int8, "int8"), ("bf16", "bf16")]
)
def test_other_dtypes_are_refused(dtype: Any, named: str) -> None:
    with pytest.raises(UserError) as error:
        build("mlp_1x512", dtype=dtype)
    assert str(error.value) == f"dtype='{named}' must be one of: float32, bfloat16"


def test_a_dtype_has_a_name_and_a_type() -> None:
    for dtype in (jnp.bfloat16, "bfloat16", np.dtype("bfloat16")):
        assert build("mlp_1x512", dtype=dtype) == build("mlp_1x512", dtype=jnp.bfloat16)


@pytest.mark.parametrize("rate", [0.5, jnp.float32(0.5)])
def test_dropout_keeps_the_dtype(rate: Any) -> None:
    x = jnp.ones((4, 64), jnp.bfloat16)
    rngs = {"dropout": jax.random.key(0)}
    dropped = Dropout(rate).apply({}, x, train=True, rngs=rngs)
    assert dropped.dtype == jnp.bfloat16
    assert set(np.unique(np.float32(dropped))) == {0.0, 2.0}
