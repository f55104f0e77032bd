import json
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jax.sharding import Mesh, NamedSharding, PartitionSpec
from ml_collections import ConfigDict
from rich.console import Console
from sklearn.metrics import mutual_info_score

from rethinking_jax import experiment
from rethinking_jax.config import base_config, members, runs
from rethinking_jax.corruption import (
    CORRUPTIONS,
    SETTINGS,
    Array,
    Corruption,
    Draws,
    ImageKeys,
    LabelNoise,
    Moments,
)
from rethinking_jax.errors import UserError
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.settings import theory_config

N, K = 20_000, 10
# chi-square with 9 degrees of freedom is above this once in 10,000 draws.
CHI_SQUARE_9 = 33.7


def true_labels(n: int = N, k: int = K) -> jax.Array:
    return jnp.asarray(np.random.default_rng(0).integers(0, k, n), jnp.int32)


def ids(n: int = N) -> jax.Array:
    return jnp.arange(n, dtype=jnp.uint32)


def images(n: int, shape: tuple[int, ...] = (6, 5, 3)) -> jax.Array:
    return jnp.asarray(np.random.default_rng(1).integers(0, 256, (n, *shape)), jnp.uint8)


def corrupt_labels(
    seed: int | jax.Array,
    split: str,
    ids: Array,
    labels: Array,
    p: float,
    k: int,
    exclude_true_class: bool = False,
) -> jax.Array:
    noise = LabelNoise(p, k, exclude_true_class)
    draws = Draws(CORRUPTIONS["random_labels"], seed, noise, corrupt_test_labels=True)
    return jnp.asarray(draws.labels(split, ids, labels))


def corrupt_images(
    setting: str, seed: int, split: str, ids: Array, images: jax.Array, mean: Array, std: Array
) -> jax.Array:
    draws = Draws(CORRUPTIONS[setting], seed, LabelNoise(0.0, K), Moments(mean, std))
    return draws.images(split, ids, images)


MOMENTS = (jnp.array([0.2, 0.5, 0.6]), jnp.array([0.3, 0.1, 0.2]))


def chi_square(counts: np.ndarray) -> float:
    expected = counts.sum() / len(counts)
    return float(((counts - expected) ** 2 / expected).sum())


def test_random_labels_are_uniform_and_tell_nothing_of_the_true_ones() -> None:
    labels = true_labels()
    drawn = np.asarray(corrupt_labels(0, "train", ids(), labels, 1.0, K))
    assert chi_square(np.bincount(drawn, minlength=K)) < CHI_SQUARE_9
    # Under independence, 2 n I is chi-square with 81 degrees of freedom: 150 is 5 sigma.
    assert 2 * N * mutual_info_score(np.asarray(labels), drawn) < 150
    # One permutation of the class names would send each class to one class only.
    for c in range(K):
        from_c = np.bincount(drawn[np.asarray(labels) == c], minlength=K)
        assert (from_c > 0).all()
        assert chi_square(from_c) < CHI_SQUARE_9


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("k", [2, 10, 100])
def test_flipped_fraction(p: float, k: int) -> None:
    labels = true_labels(k=k)
    drawn = corrupt_labels(3, "train", ids(), labels, p, k)
    expected = p * (k - 1) / k
    error = 5 * np.sqrt(expected * (1 - expected) / N)
    assert abs(float(jnp.mean(drawn != labels)) - expected) <= error
    other = corrupt_labels(3, "train", ids(), labels, p, k, exclude_true_class=True)
    error = 5 * np.sqrt(p * (1 - p) / N)
    assert abs(float(jnp.mean(other != labels)) - p) <= error
    assert int(other.min()) >= 0
    assert int(other.max()) < k


def test_excluding_the_true_class_is_uniform_over_the_others() -> None:
    labels = jnp.full(N, 4, jnp.int32)
    drawn = corrupt_labels(0, "train", ids(), labels, 1.0, K, exclude_true_class=True)
    counts = np.delete(np.bincount(np.asarray(drawn), minlength=K), 4)
    assert counts.sum() == N
    assert chi_square(counts) < CHI_SQUARE_9


def test_label_sets_are_nested_in_p() -> None:
    labels = true_labels()
    before = jnp.zeros(N, bool)
    final = corrupt_labels(0, "train", ids(), labels, 1.0, K)
    for p in (0.1, 0.4, 0.8, 1.0):
        drawn = corrupt_labels(0, "train", ids(), labels, p, K)
        flipped = drawn != labels
        assert not bool(jnp.any(before & ~flipped))
        chex.assert_trees_all_equal(jnp.where(flipped, drawn, final), final)
        before = flipped


def test_seeds_and_splits_draw_independently() -> None:
    labels = true_labels()
    base = corrupt_labels(0, "train", ids(), labels, 1.0, K)
    for other in (
        corrupt_labels(1, "train", ids(), labels, 1.0, K),
        corrupt_labels(0, "test", ids(), labels, 1.0, K),
    ):
        assert abs(float(jnp.mean(base == other)) - 1 / K) < 0.015


def ids_of(count: int) -> st.SearchStrategy[list[int]]:
    """So many ids; each number of them is compiled anew."""
    return st.lists(st.integers(0, 2**32 - 1), min_size=count, max_size=count)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31 - 1), st.sampled_from([1, 2, 17]).flatmap(ids_of))
def test_a_label_depends_on_its_id_alone(seed: int, some: list[int]) -> None:
    """Whatever else is in the batch, in whatever order, and however it is computed."""
    chosen = jnp.array(some, jnp.uint32)
    labels = (chosen % K).astype(jnp.int32)
    together = corrupt_labels(seed, "train", chosen, labels, 0.7, K)
    alone = [
        corrupt_labels(seed, "train", chosen[i : i + 1], labels[i : i + 1], 0.7, K)[0]
        for i in range(len(some))
    ]
    chex.assert_trees_all_equal(together, jnp.stack(alone))
    backwards = corrupt_labels(seed, "train", chosen[::-1], labels[::-1], 0.7, K)
    chex.assert_trees_all_equal(together, backwards[::-1])


def test_labels_are_the_same_under_jit_vmap_and_on_eight_devices() -> None:
    labels = true_labels(4096)
    expected = corrupt_labels(7, "train", ids(4096), labels, 0.5, K)

    def corrupt(seed: jax.Array, i: jax.Array, y: jax.Array) -> jax.Array:
        return corrupt_labels(seed, "train", i, y, 0.5, K)

    chex.assert_trees_all_equal(jax.jit(corrupt)(jnp.int32(7), ids(4096), labels), expected)
    seeds = jnp.array([3, 7, 9], jnp.int32)
    many = jax.jit(jax.vmap(corrupt, (0, None, None)))(seeds, ids(4096), labels)
    chex.assert_trees_all_equal(many[1], expected)
    assert jax.device_count() == 8
    sharding = NamedSharding(Mesh(np.array(jax.devices()), ("data",)), PartitionSpec("data"))
    spread = jax.jit(corrupt)(
        jnp.int32(7), jax.device_put(ids(4096), sharding), jax.device_put(labels, sharding)
    )
    assert len(spread.sharding.device_set) == 8
    chex.assert_trees_all_equal(np.asarray(spread), np.asarray(expected))


@pytest.mark.parametrize("setting", SETTINGS)
def test_pixels_are_the_same_in_memory_by_batch_and_on_eight_devices(setting: str) -> None:
    x = images(64)

    def corrupt(i: jax.Array, x: jax.Array) -> jax.Array:
        return corrupt_images(setting, 5, "train", i, x, *MOMENTS)

    whole = jax.jit(corrupt)(ids(64), x)
    order = np.random.default_rng(0).permutation(64)
    batches = [jax.jit(corrupt)(ids(64)[b], x[b]) for b in order.reshape(8, 8)]
    chex.assert_trees_all_equal(jnp.concatenate(batches), whole[order])
    sharding = NamedSharding(Mesh(np.array(jax.devices()), ("data",)), PartitionSpec("data"))
    spread = jax.jit(corrupt)(jax.device_put(ids(64), sharding), jax.device_put(x, sharding))
    chex.assert_trees_all_equal(np.asarray(spread), np.asarray(whole))


def position_order(before: np.ndarray, after: np.ndarray) -> tuple[int, ...]:
    """Where each position of an image with distinct pixels went; fails if channels split up."""
    pixels = [tuple(p) for p in before.reshape(-1, before.shape[-1])]
    return tuple(pixels.index(tuple(p)) for p in after.reshape(-1, after.shape[-1]))


def test_shuffled_pixels_share_one_permutation_and_random_pixels_none() -> None:
    x = images(50, (7, 6, 3))
    orders = {}
    for setting in ("shuffled_pixels", "random_pixels"):
        for split in ("train", "test"):
            moved = corrupt_images(setting, 0, split, ids(50), x, *MOMENTS)
            orders[setting, split] = [
                position_order(np.asarray(a), np.asarray(b)) for a, b in zip(x, moved, strict=True)
            ]
    shuffled = orders["shuffled_pixels", "train"] + orders["shuffled_pixels", "test"]
    assert len(set(shuffled)) == 1
    assert shuffled[0] != tuple(range(42))
    random = orders["random_pixels", "train"] + orders["random_pixels", "test"]
    assert len(set(random)) == 100
    assert all(sorted(order) == list(range(42)) for order in random)


def test_random_pixels_are_uniform_permutations() -> None:
    x = jnp.tile(jnp.arange(10, dtype=jnp.uint8).reshape(1, 2, 5, 1), (5000, 1, 1, 1))
    moved = corrupt_images("random_pixels", 0, "train", ids(5000), x, *MOMENTS)
    at_first = np.bincount(np.asarray(moved[:, 0, 0, 0]), minlength=10)
    assert chi_square(at_first) < CHI_SQUARE_9


def test_random_values_are_permutations_that_mix_the_channels() -> None:
    """Each number of an image is as likely in each place; no two images share a permutation."""
    x = np.arange(4 * 3 * 2, dtype=np.uint8).reshape(1, 4, 3, 2).repeat(5000, 0)
    moved = np.asarray(corrupt_images("random_values", 0, "train", ids(5000), x, *MOMENTS))
    assert moved.shape == x.shape and moved.dtype == x.dtype
    assert (np.sort(moved.reshape(5000, -1)) == np.arange(24)).all()
    places = np.stack([(moved.reshape(5000, -1) == value).mean(0) for value in range(24)])
    # 576 shares with a deviation of 0.0028 each.
    np.testing.assert_allclose(places, 1 / 24, atol=5 * 0.0029)
    assert len(np.unique(moved.reshape(5000, -1), axis=0)) == 5000
    again = corrupt_images("random_values", 0, "train", ids(5000)[::-1], x, *MOMENTS)
    np.testing.assert_array_equal(np.asarray(again)[::-1], moved)  # by example, not by place
    test = corrupt_images("random_values", 0, "test", ids(5000), x, *MOMENTS)
    assert (np.asarray(test) != moved).any((1, 2, 3)).all()


def test_gaussian_has_the_moments_and_ignores_the_images() -> None:
    mean, std = MOMENTS
    x = images(2000, (8, 8, 3))
    noise = np.asarray(corrupt_images("gaussian", 0, "train", ids(2000), x, mean, std), np.float64)
    assert noise.shape == x.shape
    n = 2000 * 64
    for c in range(3):
        values = (noise[..., c].ravel() - float(mean[c])) / float(std[c])
        assert abs(values.mean()) < 5 / np.sqrt(n)
        assert abs(values.var() - 1) < 5 * np.sqrt(2 / n)
        # Clipping to the range of pixels would show in the fourth moment.
        assert abs((values**4).mean() - 3) < 5 * np.sqrt(96 / n)
    other = corrupt_images("gaussian", 0, "train", ids(2000), x * 0, mean, std)
    chex.assert_trees_all_equal(other, jnp.asarray(noise, jnp.float32))
    test = corrupt_images("gaussian", 0, "test", ids(2000), x, mean, std)
    correlation = np.corrcoef(np.ravel(test[..., 0]), np.ravel(noise[..., 0]))[0, 1]
    assert abs(correlation) < 5 / np.sqrt(n)


def test_draws_do_not_depend_on_what_was_drawn_before() -> None:
    labels = true_labels(100)
    first = corrupt_labels(0, "train", ids(100), labels, 1.0, K)
    corrupt_images("gaussian", 0, "train", ids(100), images(100), *MOMENTS)
    np.random.seed(0)
    chex.assert_trees_all_equal(corrupt_labels(0, "train", ids(100), labels, 1.0, K), first)


def test_labels_are_these_for_ever() -> None:
    """The published bits: if this fails, every stored label digest is void."""
    drawn = corrupt_labels(0, "train", ids(12), jnp.zeros(12, jnp.int32), 1.0, K)
    assert drawn.tolist() == [7, 8, 1, 3, 7, 0, 7, 1, 3, 3, 4, 7]


def test_probability_of_each_setting() -> None:
    probabilities = [CORRUPTIONS[setting].probability(0.3) for setting in SETTINGS]
    assert probabilities == [0.0, 0.3, 1.0, 0.0, 0.0, 0.0]
    assert CORRUPTIONS["partially_corrupted_labels"].probability() == 0.5


def to_first_class(key: jax.Array, label: jax.Array, noise: LabelNoise) -> jax.Array:
    """Becomes class 0 with probability p."""
    return jnp.where(jax.random.uniform(key) < noise.p, 0, label)


def with_stripe(keys: ImageKeys, image: jax.Array, moments: Moments) -> jax.Array:
    """Gets a white row, another one in each image."""
    row = jax.random.randint(keys.example, (), 0, image.shape[0])
    return image.at[row].set(255)


OWN = {
    "first_class": Corruption("Some become 0.", labels=to_first_class, uses_label_noise=True),
    "stripes": Corruption("Each image has a white row.", images=with_stripe),
}


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch) -> ConfigDict:
    """A config of small runs of two corruptions that a user has added."""
    for name, corruption in OWN.items():
        monkeypatch.setitem(CORRUPTIONS, name, corruption)
    config = base_config()
    config.dataset, config.model, config.hidden_sizes = "mnist5k", "mlp", (8,)
    config.train_examples, config.epochs, config.batch_size = 120, 2, 40
    config.sweep = runs(
        [{"corruption": "true_labels"}, {"corruption": "first_class", "label_noise": 0.4},
         {"corruption": "stripes"}]
    )  # fmt: skip
    return config


def test_own_corruptions_train_in_memory_and_streamed(
    own: ConfigDict, data_dir: Path, tmp_path: Path
) -> None:
    own.data_dir = str(data_dir)
    found = {}
    for way in ("memory", "stream"):
        own.input = way
        experiment.run(own, tmp_path / way, console=Console(quiet=True))
        lines = [json.loads(text) for text in (tmp_path / way / "metrics.jsonl").open()]
        found[way] = {(line["member"], line["epoch"]): line["train_loss"] for line in lines}
        assert "first class" in (tmp_path / way / "report.html").read_text()
    assert found["stream"] == pytest.approx(found["memory"], rel=1e-4)
    with np.load(tmp_path / "memory" / "labels.npz") as labels:
        true, flipped = (labels[name] for name in ("true_labels", "first_class,label_noise=0.4"))
        assert (labels["stripes"] == true).all()
    assert 0.2 < np.mean(true != flipped) < 0.6
    assert (flipped[true != flipped] == 0).all()


def test_own_corruptions_of_a_kernel_machine(own: ConfigDict, data_dir: Path) -> None:
    theory = theory_config("kernel", dataset="mnist5k", data_dir=str(data_dir), train_examples=50)
    theory.sweep = own.sweep
    tasks = Tasks(lambda line: None)
    true, flipped, striped = (tasks(member.config) for member in experiment.members(theory))
    assert 0.1 < flipped.flipped_fraction < 0.7 and striped.flipped_fraction == 0
    assert (true.train_images == flipped.train_images).all()
    assert ((striped.train_images == 1).all((2, 3)).sum(1) == 1).all()


def test_label_noise_is_refused_where_a_corruption_does_not_use_it(own: ConfigDict) -> None:
    own.sweep, own.corruption, own.label_noise = "", "stripes", 0.5
    with pytest.raises(UserError, match="labels or pair_flip or first_class"):
        members(own)


# A seed of the corruption alone ----------------------------------------------------------------


def test_runs_of_one_corruption_seed_have_one_corruption(data_dir: Path, tmp_path: Path) -> None:
    """Whatever their own seeds are; in memory, and inside the program of a stream."""
    config = base_config()
    config.dataset, config.model, config.hidden_sizes = "mnist5k", "mlp", (8,)
    config.train_examples, config.epochs, config.batch_size = 120, 1, 40
    config.data_dir, config.corruption = str(data_dir), "random_labels"
    config.corrupt_test_labels = True
    own = [{"name": "a", "seed": 1}, {"name": "b", "seed": 2, "corruption_seed": 1},
           {"name": "c", "seed": 2}]  # fmt: skip
    losses: dict[str, dict[str, tuple[float, float]]] = {}
    for way, some in (("memory", own), ("stream", own[1:])):
        config.input, config.sweep = way, runs(some)
        experiment.run(config, tmp_path / way, console=Console(quiet=True), report=False)
        lines = [json.loads(text) for text in (tmp_path / way / "metrics.jsonl").open()]
        losses[way] = {one["member"]: (one["train_loss"], one["test_loss"]) for one in lines}
    for way in losses:
        with np.load(tmp_path / way / "labels.npz") as labels:
            assert np.mean(labels["b"] == labels["c"]) < 0.3
            assert (labels["b"] == np.load(tmp_path / "memory" / "labels.npz")["a"]).all()
    assert losses["memory"]["a"] != pytest.approx(losses["memory"]["b"], rel=1e-3)
    for name, found in losses["stream"].items():
        assert found == pytest.approx(losses["memory"][name], rel=1e-5)


@pytest.mark.parametrize("setting", SETTINGS[1:])
def test_a_corruption_seed_draws_what_a_seed_draws(setting: str, data_dir: Path) -> None:
    theory = theory_config("kernel", dataset="mnist5k", data_dir=str(data_dir), train_examples=20)
    theory.corruption = setting
    tasks = Tasks(lambda line: None)
    one, other = (theory.copy_and_resolve_references() for _ in range(2))
    one.seed, other.seed, other.corruption_seed = 7, 1, 7
    found, expected = tasks(other), tasks(one)
    assert (found.train_labels == expected.train_labels).all()
    assert (found.train_images == expected.train_images).all()
    assert (found.test_images == expected.test_images).all()
