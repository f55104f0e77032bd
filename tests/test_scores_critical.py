"""The search for critical samples, against the exact answer for linear classifiers."""

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import rethinking_jax as rj
from rethinking_jax.corruption import Moments
from rethinking_jax.models import create_model
from rethinking_jax.scores.critical import critical_samples
from rethinking_jax.step.preprocess import make_preprocess, pixel_moments
from rethinking_jax.step.train import make_apply
from rethinking_jax.sweep.engine import Run

SHAPE, COUNT = (12, 12, 1), 600
IDS = np.arange(COUNT, dtype=np.uint32)


def exact(weights: np.ndarray, logits: np.ndarray) -> np.ndarray:
    """The least radius at which each example has another answer: the definition, in float64.

    weights are [features, k], of features on the scale of the radius, and logits [n, k].
    """
    predicted = logits.argmax(-1)
    own = np.take_along_axis(logits, predicted[:, None], -1)
    apart = np.abs(weights.T[predicted][:, None] - weights.T[None]).sum(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (own - logits) / apart
    ratios[np.arange(len(logits)), predicted] = np.inf
    return ratios.min(-1)


def drawn(seed: int) -> tuple[dict, np.ndarray]:
    rng = np.random.default_rng(seed)
    kernel = rng.normal(size=(144, 10)).astype(np.float32)
    bias = rng.normal(size=10).astype(np.float32)
    images = rng.integers(0, 256, (COUNT, *SHAPE)).astype(np.uint8)
    return {"params": {"Dense_0": {"kernel": kernel, "bias": bias}}}, images


def check(found: np.ndarray, least: np.ndarray, radius: float) -> None:
    """Nearly all with slack are found, and none that is not critical."""
    assert not found[least > radius * (1 + 1e-5)].any()
    clear = least < 0.9 * radius
    assert 20 < clear.sum() < len(clear) - 20
    assert (found[clear] > 0).mean() >= 0.99


# What a preprocessing subtracts from pixels on the scale 0 to 1, and what it divides by.
SCALES = {"none": (0.0, 1.0), "dataset": (0.4, 0.3)}


@cache
def search(scale: str) -> Callable[..., jax.Array]:
    """The search around a linear classifier with 10 classes, compiled once."""
    shift, spread = (np.float32([value]) for value in SCALES[scale])
    apply = make_apply(
        create_model("linear", num_classes=10), make_preprocess(scale, shift, spread)
    )

    def searched(variables: dict, *given: object, **options: object) -> jax.Array:
        return critical_samples(partial(apply, variables), *given, **options)

    return jax.jit(searched, static_argnames=("iterations", "unroll"))


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from([*SCALES]))
def test_of_a_linear_classifier_the_search_finds_what_is_critical(seed: int, scale: str) -> None:
    variables, images = drawn(seed)
    shift, spread = SCALES[scale]
    dense = variables["params"]["Dense_0"]
    kernel = dense["kernel"].astype(np.float64)
    inputs = (images.reshape(COUNT, -1).astype(np.float64) / 255 - shift) / spread
    least = exact(kernel / (255 * spread), inputs @ kernel + dense["bias"])
    radius = float(np.median(least))
    found = np.asarray(search(scale)(variables, images, IDS, radius, seed=seed))
    check(found, least, radius)
    assert found.dtype == np.int32 and found.max() <= 10


class Normalized(nn.Module):
    """Batch norm and dropout before a dense layer: in eval mode alone it is linear."""

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        x = nn.BatchNorm(use_running_average=not train)(x.reshape(len(x), -1))
        return nn.Dense(10)(nn.Dropout(0.5, deterministic=not train)(x))


def test_networks_are_searched_in_eval_mode() -> None:
    rng = np.random.default_rng(3)
    model = Normalized()
    images = rng.integers(0, 256, (COUNT, *SHAPE)).astype(np.uint8)
    variables = model.init(jax.random.key(0), jnp.zeros((1, *SHAPE)), train=False)
    mean, var = rng.normal(size=144), rng.uniform(0.1, 3, 144)
    stats = {"mean": jnp.float32(mean), "var": jnp.float32(var)}
    variables = {"params": variables["params"], "batch_stats": {"BatchNorm_0": stats}}
    apply = partial(make_apply(model, make_preprocess("none", mean, var)), variables)
    slope = np.asarray(variables["params"]["Dense_0"]["kernel"], np.float64)
    least = exact(slope / np.sqrt(var + 1e-5)[:, None] / 255, np.asarray(apply(images), np.float64))
    radius = float(np.median(least))
    found = critical_samples(apply, images, IDS, radius)
    check(np.asarray(found), least, radius)


def test_the_noise_depends_on_seed_step_and_id_alone() -> None:
    variables, images = drawn(0)

    def searched(images: np.ndarray, ids: np.ndarray, seed: int, step: int, **options: bool):
        return np.asarray(
            search("none")(variables, images, ids, 10.0, seed=seed, step=step, **options)
        )

    found = searched(images, IDS, 1, 5)
    order = np.random.default_rng(1).permutation(COUNT)
    np.testing.assert_array_equal(searched(images[order], IDS[order], 1, 5), found[order])
    np.testing.assert_array_equal(searched(images, IDS, 1, 5, unroll=True), found)
    assert (found > 1).any()
    for other in ((IDS, 2, 5), (IDS, 1, 6), (IDS + COUNT, 1, 5)):
        assert (searched(images, *other) != found).any()


def test_more_iterations_find_no_less_and_a_box_of_no_size_finds_nothing() -> None:
    variables, images = drawn(4)
    few, many = (
        np.asarray(search("none")(variables, images, IDS, 10.0, iterations=count))
        for count in (2, 10)
    )
    np.testing.assert_array_equal(few[few > 0], many[few > 0])
    assert (many > 2).any() and ((few == 0) == ((many == 0) | (many > 2))).all()
    assert not np.asarray(search("none")(variables, images, IDS, 0.0)).any()


@pytest.mark.slow
def test_in_a_notebook_a_trained_linear_classifier_is_searched_as_exactly(tmp_path: Path) -> None:
    """The whole way from stored pixels: the radius is of them, before they are standardized."""
    held = rj.load_dataset("mnist5k").test
    pixels = np.asarray(held.images, np.float64).reshape(len(held), -1) / 255
    shares = []

    def measure(run: Run, variables: dict, apply: Callable[..., jax.Array]) -> dict[str, float]:
        dense = variables["params"]["Dense_0"]
        spread = float(np.asarray(moments.std)[0])
        logits = np.asarray(apply(held.images), np.float64)
        least = exact(dense["kernel"].astype(np.float64) / (255 * spread), logits)
        radius = float(np.median(least))
        check(np.asarray(critical_samples(apply, held.images, held.ids, radius)), least, radius)
        shift = float(np.asarray(moments.mean)[0])
        inputs = (pixels - shift) / spread
        np.testing.assert_allclose(inputs @ dense["kernel"] + dense["bias"], logits, atol=1e-3)
        shares.append(radius)
        return {"radius": radius}

    moments = Moments(*pixel_moments(np.asarray(rj.load_dataset("mnist5k").train.images)))
    config = rj.base_config()
    config.update(model="linear", preprocess="dataset", epochs=2, checkpoint_every=0)
    rj.run(config, tmp_path / "run", measure=measure, report=False)
    assert len(shares) == 2
