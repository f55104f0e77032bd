import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from rethinking_jax.step.preprocess import (
    center_crop,
    make_preprocess,
    pixel_moments,
    standardize_per_image,
    to_unit,
)

SHAPES = st.sampled_from([(1, 2, 2, 1), (4, 12, 5, 3), (3, 7, 7, 4)])  # each is compiled once


def reference(images: np.ndarray) -> np.ndarray:
    """Appendix A in NumPy float64, from pixels on the scale 0 to 1."""
    result = np.empty(images.shape)
    for i, image in enumerate(images.astype(np.float64)):
        floor = 1 / np.sqrt(image.size)
        result[i] = (image - image.mean()) / max(image.std(), floor)
    return result


@settings(max_examples=50, deadline=None)
@given(hnp.arrays(np.uint8, SHAPES))
def test_per_image_standardization_agrees_with_numpy(images: np.ndarray) -> None:
    paper = make_preprocess("paper", jnp.zeros(1), jnp.ones(1))
    expected = reference(images / 255)
    np.testing.assert_allclose(paper(jnp.asarray(images)), expected, atol=1e-4)
    # The same picture as floats on 0 to 1 is the same input: nothing is divided twice.
    np.testing.assert_allclose(paper(jnp.asarray(images / 255, jnp.float32)), expected, atol=1e-4)


@pytest.mark.parametrize("kind", ["uint8", "float"])
def test_standardized_images_have_mean_0_and_std_1(kind: str) -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 28, 28, 3)).astype(np.uint8)
    given_images = images if kind == "uint8" else (images / 255).astype(np.float32)
    result = np.asarray(make_preprocess("paper", jnp.zeros(3), jnp.ones(3))(given_images))
    np.testing.assert_allclose(result.mean((1, 2, 3)), 0, atol=1e-5)
    np.testing.assert_allclose(result.std((1, 2, 3)), 1, atol=1e-4)


def test_the_floor_binds_only_for_nearly_constant_images() -> None:
    constant = jnp.full((1, 4, 4, 1), 0.7)
    assert float(jnp.abs(standardize_per_image(constant)).max()) < 1e-5
    faint = constant.at[0, 0, 0, 0].add(0.01)
    expected = reference(np.asarray(faint))
    np.testing.assert_allclose(standardize_per_image(faint), expected, atol=1e-4)
    assert expected.std() < 0.1


def test_dataset_standardization_agrees_with_numpy_over_the_whole_set() -> None:
    images = np.random.default_rng(0).integers(0, 200, (50, 9, 9, 3)).astype(np.uint8)
    images[..., 2] = 7  # a channel that never varies
    mean, std = pixel_moments(images)
    flat = images.reshape(-1, 3) / 255
    np.testing.assert_allclose(mean, flat.mean(0), rtol=1e-6)
    np.testing.assert_allclose(std, flat.std(0), rtol=1e-6, atol=1e-9)
    result = make_preprocess("dataset", jnp.asarray(mean), jnp.asarray(std))(jnp.asarray(images))
    flat_result = np.asarray(result, np.float64).reshape(-1, 3)
    np.testing.assert_allclose(flat_result.mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(flat_result.std(0), [1, 1, 0], atol=1e-5)


def test_no_preprocessing_is_the_scale_0_to_1() -> None:
    images = jnp.array([[[[0], [51]], [[255], [102]]]], jnp.uint8)
    result = make_preprocess("none", jnp.zeros(1), jnp.ones(1))(images)
    np.testing.assert_allclose(result[0, ..., 0], [[0, 0.2], [1, 0.4]], atol=1e-7)
    np.testing.assert_array_equal(to_unit(result), result)


def test_center_crop() -> None:
    rows = jnp.arange(32, dtype=jnp.uint8)
    images = jnp.stack(jnp.meshgrid(rows, rows, indexing="ij"), -1)[None]
    crop = center_crop(images, 28)
    assert crop.shape == (1, 28, 28, 2)
    assert crop[0, 0, 0].tolist() == [2, 2]
    assert crop[0, -1, -1].tolist() == [29, 29]
    # A side below the size stays whole.
    tall = center_crop(images[:, :, :20], 28)
    assert tall.shape == (1, 28, 20, 2)
    assert tall[0, 0, 0].tolist() == [2, 0]
    assert center_crop(images, 0) is images
