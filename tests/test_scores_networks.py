"""Scores that look into networks and among pixels, against slow references."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import KNeighborsClassifier, NearestNeighbors

from rethinking_jax.models import create_model
from rethinking_jax.scores import nearest
from rethinking_jax.scores.gradient_norm import dense, per_example
from rethinking_jax.scores.prediction_depth import activations, depths, prediction_depth
from rethinking_jax.scores.ranking import auroc


@pytest.mark.parametrize("widths", [(6,), (7, 5)])
def test_gradient_norms_of_dense_layers_are_those_of_jax(widths: tuple[int, ...]) -> None:
    model = create_model("mlp", num_classes=4, hidden_sizes=widths)
    rng = np.random.default_rng(0)
    images, labels = jnp.asarray(rng.normal(size=(9, 3, 3, 1)), jnp.float32), jnp.arange(9) % 4
    params = model.init(jax.random.key(1), images, train=False)["params"]
    # Biases start at 0, where they would hide an error in them.
    params = jax.tree.map(lambda leaf: leaf + 0.1, params)

    def logits(params: dict, inputs: jax.Array) -> jax.Array:
        return model.apply({"params": params}, inputs, train=False)

    each = per_example(logits, params, images, labels, batch=4)
    layers = [(one["kernel"], one["bias"]) for one in params.values()]
    np.testing.assert_allclose(dense(layers, images.reshape(9, -1), labels), each, rtol=1e-5)
    gradient = jax.grad(
        lambda p: -jax.nn.log_softmax(logits(p, images[3:4]))[0, labels[3]]
    )(params)  # fmt: skip
    flat = np.concatenate([np.ravel(leaf) for leaf in jax.tree.leaves(gradient)])
    assert each[3] == pytest.approx(np.linalg.norm(flat), rel=1e-5)


def test_gradient_norms_at_the_start_find_no_wrong_label() -> None:
    """By symmetry their mean over initial weights does not depend on the label."""
    rng = np.random.default_rng(0)
    count, classes = 1500, 5
    inputs = jnp.asarray(rng.normal(size=(count, 20)) * rng.uniform(0.5, 2, (count, 1)))
    true = np.argmax(np.asarray(inputs)[:, :classes], axis=1)
    wrong = rng.random(count) < 0.3
    labels = np.where(wrong, (true + rng.integers(1, classes, count)) % classes, true)
    total = np.zeros(count)
    for seed in range(20):
        first, second = jax.random.split(jax.random.key(seed))
        layers = [
            (jax.random.normal(first, (20, 30)) / 20**0.5, jnp.zeros(30)),
            (jax.random.normal(second, (30, classes)) / 30**0.5, jnp.zeros(classes)),
        ]
        total += np.asarray(dense(layers, inputs, jnp.asarray(labels)))
    assert auroc(total, wrong) == pytest.approx(0.5, abs=0.05)
    norms = np.linalg.norm(inputs, axis=1)
    assert np.corrcoef(total, norms)[0, 1] > 0.9  # it follows the norm of the input instead


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6))
def test_neighbours_are_those_of_scikit_learn(seed: int, count: int) -> None:
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(30, 3)) + 100
    found = nearest.neighbours(points, count)
    theirs = NearestNeighbors(n_neighbors=count).fit(points).kneighbors(return_distance=False)
    np.testing.assert_array_equal(found, theirs)  # without points, it leaves each itself out


def test_neighbours_are_found_piece_by_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    points = np.random.default_rng(0).integers(0, 3, (50, 2))  # many are equally distant
    whole = nearest.neighbours(points, 7)
    distances = np.linalg.norm(points[:, None] - points, axis=-1) + 99 * np.eye(50)
    np.testing.assert_array_equal(whole, np.argsort(distances, axis=1, kind="stable")[:, :7])
    monkeypatch.setattr(nearest, "CHUNK", 7)
    np.testing.assert_array_equal(nearest.neighbours(points, 7), whole)


def test_neighbours_of_another_label_are_counted() -> None:
    labels = np.array([0, 0, 1, 2])
    others = np.array([[1, 2], [0, 3], [0, 1], [2, 0]])
    np.testing.assert_array_equal(nearest.disagreement(labels, others, 2), [0.5, 0.5, 1, 1])
    np.testing.assert_array_equal(nearest.vote(labels, others, 2), [0, 0, 0, 0])


def test_depths_by_hand() -> None:
    probes = np.array([[1, 0, 1, 0, 1], [1, 1, 0, 0, 1], [1, 1, 1, 0, 0]])
    np.testing.assert_array_equal(depths(probes, np.ones(5)), [0, 1, 2, 3, 3])


def test_depths_are_those_of_scikit_learns_neighbours() -> None:
    rng = np.random.default_rng(0)
    layers = [rng.normal(size=(20, 4)), rng.normal(size=(20, 3))]
    labels, predictions = rng.integers(0, 3, 20), rng.integers(0, 3, 20)
    probes = []
    for layer in layers:
        own = []
        for i in range(20):
            rest = np.arange(20) != i
            model = KNeighborsClassifier(5, algorithm="brute").fit(layer[rest], labels[rest])
            own.append(model.predict(layer[i : i + 1])[0])
        probes.append(np.array(own))
    near = [nearest.neighbours(layer, 5) for layer in layers]
    found = prediction_depth(near, labels, predictions)
    np.testing.assert_array_equal(found, depths(probes, predictions))


def test_activations_are_the_layers_in_their_order() -> None:
    model = create_model("mlp", num_classes=3, hidden_sizes=(5, 3))
    images = jnp.asarray(np.random.default_rng(0).normal(size=(4, 2, 2, 1)), jnp.float32)
    variables = model.init(jax.random.key(0), images, train=False)
    found = jax.jit(lambda v: activations(model, v, images))(variables)
    values, expected = np.asarray(images).reshape(4, -1), []
    for index, layer in enumerate(variables["params"].values()):
        values = values @ layer["kernel"] + layer["bias"]
        expected.append(values)
        values = np.maximum(values, 0)
        expected += [values] if index < 2 else []
    assert [part.shape for part in found] == [part.shape for part in expected]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_activations_of_convolutions_are_means_over_places() -> None:
    model = create_model("alexnet_small", num_classes=3)
    images = jnp.ones((2, 12, 12, 1))
    variables = jax.eval_shape(lambda: model.init(jax.random.key(0), images, train=False))
    found = jax.eval_shape(lambda v: activations(model, v, images), variables)
    assert [part.shape for part in found] == [
        (2, 64), (2, 64), (2, 384), (2, 384), (2, 192), (2, 192), (2, 3)
    ]  # fmt: skip
