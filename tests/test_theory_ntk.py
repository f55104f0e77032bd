"""The tangent kernel against explicit gradients, its limit, and gradient descent's closed form."""

import itertools
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rethinking_jax.models import create_model
from rethinking_jax.theory import ntk
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.settings import theory_config


def points(count: int, dimension: int = 5, seed: int = 0) -> np.ndarray:
    x = np.random.default_rng(seed).normal(size=(count, dimension)).astype(np.float32)
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def test_it_is_the_product_of_jacobians() -> None:
    x, y = points(6), points(4, seed=1)
    params = ntk.init(7, 5, seed=0)

    def jacobian(at: np.ndarray) -> np.ndarray:
        made = jax.jacobian(ntk.forward)(params, jnp.asarray(at))
        return np.concatenate([np.asarray(leaf).reshape(len(at), -1) for leaf in made.values()], 1)

    assert jacobian(x).shape == (6, 5 * 7 + 7)
    found = ntk.empirical(ntk.forward, params, jnp.asarray(x), jnp.asarray(y))
    np.testing.assert_allclose(found, jacobian(x) @ jacobian(y).T, rtol=1e-4, atol=1e-6)


def test_by_hand_for_one_unit() -> None:
    """f = sqrt(2) a relu(w x): gradients sqrt(2) a x and sqrt(2) relu(w x) where w x > 0."""
    params = {"first": jnp.array([[2.0]]), "last": jnp.array([3.0])}
    x = jnp.array([[1.0], [-1.0], [0.5]])
    found = ntk.empirical(ntk.forward, params, x, x)
    expected = 2 * np.array([[9 + 4, 0, 4.5 + 2], [0, 0, 0], [4.5 + 2, 0, 2.25 + 1]])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_it_takes_any_network() -> None:
    model = create_model("mlp", num_classes=1, hidden_sizes=(3, 4))
    x = jnp.asarray(points(5, 4)).reshape(5, 2, 2, 1)
    variables = model.init(jax.random.key(0), x, train=False)

    def apply(params: dict, at: jax.Array) -> jax.Array:
        return model.apply({"params": params}, at, train=False)[:, 0]

    found = ntk.empirical(apply, variables["params"], x, x)
    leaves = jax.tree.leaves(jax.jacobian(apply)(variables["params"], x))
    features = np.concatenate([np.asarray(leaf).reshape(5, -1) for leaf in leaves], axis=1)
    np.testing.assert_allclose(found, features @ features.T, rtol=1e-4, atol=1e-6)


def test_it_nears_the_closed_form_as_the_width_grows() -> None:
    x, y = points(12), points(9, seed=1)
    limit = ntk.infinite(x, y)

    def off(width: int) -> float:
        found = [
            ntk.empirical(ntk.forward, ntk.init(width, 5, seed), jnp.asarray(x), jnp.asarray(y))
            for seed in range(4)
        ]
        return float(np.mean([np.linalg.norm(one - limit) for one in found]))

    distances = [off(width) for width in (100, 1600, 25_600)]
    # As one over the root of the width: by 4 each time.
    for wide, wider in itertools.pairwise(distances):
        assert 2.5 < wide / wider < 6.5
    assert distances[-1] < 0.02 * np.linalg.norm(limit)
    same, apart = np.diag(ntk.infinite(x, x)), ntk.infinite(x[:1], -x[:1])
    np.testing.assert_allclose(same, 2, rtol=1e-3)  # u k0 + k1 at u = 1
    np.testing.assert_allclose(apart, 0, atol=1e-3)


def test_a_network_that_is_linear_ends_at_the_prediction(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a linear model in the network's place the distance is nothing but the tolerance."""

    def linear(params: ntk.Params, x: jax.Array) -> jax.Array:
        return x @ params["first"][:, 0] + 0 * params["last"].sum()

    monkeypatch.setattr(ntk, "forward", linear)
    x, others = points(8, 30), points(20, 30, seed=1)
    y = np.sign(np.random.default_rng(2).normal(size=8)).astype(np.float32)
    found = ntk._one(3, x, y, others, seed=0)
    assert found["residual"] <= ntk.FITTED
    assert found["distance"] < 3e-3
    start = ntk.init(3, 30, 0)
    trained = ntk.descend(start, jnp.asarray(x), jnp.asarray(y), 0.3)
    first = np.asarray(start["first"])[:, 0]
    moved = np.linalg.pinv(x) @ (y - x @ first)
    np.testing.assert_allclose(trained.params["first"][:, 0], first + moved, atol=5e-3)


def test_gradient_descent_is_that_of_the_closed_form_for_one_point() -> None:
    """For a linear model the error shrinks by 1 - rate |x|^2 a step."""
    x, y = jnp.array([[3.0, 4.0]]), jnp.array([2.0])
    params = {"first": jnp.array([[0.6], [0.8]]), "last": jnp.array([1.0])}
    # One active unit whose outgoing weight is fixed by a rate so small that one step is linear.
    found = ntk.descend(params, x, y, 1e-3)
    assert found.residual <= ntk.FITTED < found.residual / (1 - 2e-3 * (25 + 25)) * 1.3
    assert float(ntk.forward(found.params, x)[0]) == pytest.approx(2.0, abs=0.01)
    ratio = found.params["last"][0] ** 2 - (found.params["first"] ** 2).sum()
    assert float(ratio) == pytest.approx(0, abs=0.02)  # what gradient flow conserves


def test_wider_networks_end_nearer(data_dir: Path) -> None:
    config = theory_config(
        "min_norm",
        data_dir=str(data_dir),
        train_examples=200,
        ntk_widths="16+512",
        ntk_examples=20,
        ntk_seeds=2,
    )
    task = Tasks(lambda line: None)(config)
    narrow, wide = ntk.measure("a", config, task, lambda line: None)
    for key, least in (("distance", 3), ("moved", 3), ("to_limit", 3)):
        assert narrow[key] > least * wide[key]
    assert narrow["least"] < narrow["distance"] < narrow["most"]
    x, y, others = ntk._data(config, task)
    np.testing.assert_allclose(np.linalg.norm(x, axis=1), 1, rtol=1e-5)
    assert set(y) == {1.0, -1.0}
    assert (len(x), len(others)) == (20, ntk.TEST)


def test_the_verdict_follows_the_distances() -> None:
    def outcome(*distances: float, residual: float = 1e-3) -> str:
        row = partial(dict, name="a", residual=residual)
        rows = [row(width=4**i, distance=d) for i, d in enumerate(distances)]
        return ntk.verdicts(rows)[0].outcome

    assert outcome(0.4, 0.2, 0.1) == "yes"
    assert outcome(0.4, 0.35, 0.3) == "no"  # hardly
    assert outcome(0.4, 0.1, 0.15) == "no"  # not at every width
    assert outcome(0.4, 0.1, residual=0.1) == "not measured"
    assert outcome(0.4) == outcome() == "not measured"
