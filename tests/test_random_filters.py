"""Random convolutional features against their definition, patch by patch in float64."""

import json
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from conftest import Command

from rethinking_jax.errors import UserError
from rethinking_jax.theory import kernel_matrix, random_filters

SIDE = random_filters.PATCH


def images(count: int, channels: int, seed: int = 0) -> np.ndarray:
    """Smooth images from 0 to 1, whose neighbouring pixels are alike as those of photographs."""
    rng = np.random.default_rng(seed)
    coarse = rng.uniform(size=(count, 5, 6, channels))
    fine = coarse.repeat(3, 1).repeat(3, 2) + 0.05 * rng.normal(size=(count, 15, 18, channels))
    return np.clip(fine, 0, 1).astype(np.float32)


def patches_of(image: np.ndarray) -> np.ndarray:
    """All patches of an image in float64, [rows, columns, 36 c]."""
    height, width, _ = image.shape
    found = np.array(
        [
            image[i : i + SIDE, j : j + SIDE].astype(np.float64).ravel()
            for i, j in product(range(height - SIDE + 1), range(width - SIDE + 1))
        ]
    )
    return found.reshape(height - SIDE + 1, width - SIDE + 1, -1)


def pooled(responses: np.ndarray, threshold: float) -> np.ndarray:
    """Both signs of responses [rows, columns, f] by quadrants, [8 f]."""
    top, left = (length // 2 for length in responses.shape[:2])
    quadrants = [
        responses[:top, :left], responses[:top, left:], responses[top:, :left],
        responses[top:, left:],
    ]  # fmt: skip
    return np.concatenate(
        [
            np.maximum(sign * part - threshold, 0).mean((0, 1))
            for part in quadrants
            for sign in (1, -1)
        ]
    )


@pytest.mark.parametrize("threshold", [0.0, 0.2])
@pytest.mark.parametrize("channels", [1, 3])
def test_features_are_those_of_patches_taken_one_by_one(channels: int, threshold: float) -> None:
    some = images(4, channels)
    filters = random_filters.draw(some, 70, seed=4, threshold=threshold)
    weights = filters.weights.reshape(-1, 70).astype(np.float64)
    np.testing.assert_allclose((weights**2).sum(0), 1, rtol=1e-5)
    assert np.abs(weights.mean(0)).max() < 1e-6
    expected = [pooled(patches_of(image) @ weights, threshold) for image in some]
    np.testing.assert_allclose(random_filters.features(some, filters), expected, atol=2e-5)


@pytest.mark.parametrize("threshold", [0.0, 0.5])
@pytest.mark.parametrize("channels", [1, 3])
def test_whitened_features_are_products_with_whitened_patches(
    channels: int, threshold: float
) -> None:
    some, whitening = images(30, channels), 0.1
    filters = random_filters.draw(some, 40, seed=1, whitening=whitening, threshold=threshold)
    every = np.concatenate([patches_of(image).reshape(-1, 36 * channels) for image in some])

    def normalized(patches: np.ndarray) -> np.ndarray:
        of_255 = 255 * patches  # as in the publication: 10 is added to the variance of these
        centred = of_255 - of_255.mean(-1, keepdims=True)
        return centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 10)

    drawn = normalized(random_filters._anywhere(some, random_filters.WHITENING_PATCHES, 1))
    mean, covariance = drawn.mean(0), np.cov(drawn.T)
    # The draws are of the same patches as all there are.
    np.testing.assert_allclose(covariance, np.cov(normalized(every).T), atol=0.05)
    values, vectors = np.linalg.eigh(covariance)
    whitener = vectors @ np.diag((values + whitening) ** -0.5) @ vectors.T
    white = (normalized(random_filters._with_edges(some, 40, 1)) - mean) @ whitener
    white /= np.linalg.norm(white, axis=1)[:, None]
    expected = [
        pooled((normalized(patches_of(image)) - mean) @ whitener @ white.T, threshold)
        for image in some[:3]
    ]
    found = random_filters.features(some[:3], filters)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert (found == 0).mean() < 0.5 and found.max() > 0.3  # there is something to compare


def test_whitening_forgets_brightness_and_contrast() -> None:
    """What is normalized has neither; without whitening responses grow with contrast."""
    some = images(8, 1)
    darker = (0.1 + 0.5 * some).astype(np.float32)
    whitened = random_filters.draw(some, 20, seed=0, whitening=0.1)
    plain = random_filters.draw(some, 20, seed=0)
    # Only what is added to the variance tells them apart.
    np.testing.assert_allclose(
        random_filters.features(darker, whitened), random_filters.features(some, whitened), rtol=0.1
    )
    np.testing.assert_allclose(
        random_filters.features(darker, plain),
        0.5 * random_filters.features(some, plain),
        atol=1e-5,
    )


@pytest.mark.parametrize("host", [True, False])
@pytest.mark.parametrize("whitening", [0.0, 0.1])
def test_a_kernel_made_block_by_block_is_that_of_all_features(
    whitening: float, host: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kernel_matrix, "ROWS", 12)
    monkeypatch.setattr(random_filters, "BLOCK_FILTERS", 32)
    monkeypatch.setattr(random_filters, "HOST_IMAGES", 7)
    some = images(40, 3)
    train, test = some[:30], some[30:]
    filters = random_filters.draw(train, 70, seed=4, whitening=whitening, threshold=0.1)
    made = kernel_matrix.from_features(
        lambda: random_filters.blocks(train, test, filters), 30, 10, np.float64, host=host
    )
    whole, others = (random_filters.features(part, filters).astype(float) for part in (train, test))
    gram = whole @ whole.T
    np.testing.assert_allclose(made.train, gram / np.diag(gram).mean(), rtol=1e-5)
    np.testing.assert_array_equal(made.train, np.asarray(made.train).T)
    cross = made.predict(np.eye(30))
    np.testing.assert_allclose(cross, others @ whole.T / np.diag(gram).mean(), rtol=1e-5)


def test_draws_hang_on_the_seed_and_on_no_number_of_filters() -> None:
    some = images(6, 1)
    few, many, other = (
        random_filters.draw(some, count, seed, 0.1).weights
        for count, seed in ((5, 3), (9, 3), (5, 4))
    )
    np.testing.assert_allclose(few, many[..., :5], rtol=1e-5, atol=1e-6)
    assert np.abs(few - other).max() > 0.01


def test_flat_and_small_images_are_refused() -> None:
    with pytest.raises(UserError, match="flat"):
        random_filters.draw(np.full((3, 9, 9, 1), 0.5, np.float32), 2, seed=0)
    with pytest.raises(UserError, match=r"larger than 6 x 6, these are 6 x 9"):
        random_filters.draw(np.zeros((3, 6, 9, 1), np.float32), 2, seed=0)


def test_the_command_takes_whitening_and_a_threshold(answer: Command, tmp_path: Path) -> None:
    kinds: list[dict[str, float]] = [{}, {"whitening": 0.1}, {"whitening": 0.1, "threshold": 1.0}]
    sweep = [{"kernel": "random_conv", "ridge": 0.01, **kind} for kind in kinds]
    done = answer(
        "--config=configs/kernel.py:train_examples=300", f"--config.sweep={json.dumps(sweep)}",
        "--config.filters=50", f"--workdir={tmp_path / 'run'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    runs = json.loads((tmp_path / "run" / "summary.json").read_text())["members"]
    # The runs are told apart by what they differ in, and each is another kernel.
    assert [run["variant"].count("=0.1") for run in runs] == [0, 1, 1]
    assert "threshold=1.0" in runs[2]["variant"]
    assert len({run["norm"] for run in runs}) == 3


def test_a_threshold_is_for_random_filters_alone(answer: Command, tmp_path: Path) -> None:
    done = answer("--config=configs/kernel.py", "--config.threshold=1", cwd=tmp_path)
    assert done.returncode == 2
    assert "threshold=1" in done.stderr and "kernel=random_conv" in done.stderr
