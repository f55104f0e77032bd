"""Losses that resist noise: their limits, their gradients, and what they remember of examples."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command, read_metrics
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import logsumexp

import rethinking_jax as rj
from rethinking_jax.data.load import load_dataset
from rethinking_jax.errors import UserError
from rethinking_jax.step import losses
from rethinking_jax.step.losses import LOSSES, Strength
from rethinking_jax.sweep import resident
from rethinking_jax.sweep.engine import Taken
from rethinking_jax.sweep.groups import transition

pytestmark = pytest.mark.usefixtures("no_report")
K = 5
STEPS = (
    "--config=configs/quickstart.py",
    "--config.sweep=",
    "--config.corruption=random_labels",
    "--config.model=mlp",
    "--config.hidden_sizes=(16,)",
    "--config.epoch_loop=step",
    "--config.epochs=2",
    "--config.train_examples=300",
    "--config.batch_size=64",
)


def strength(value: float = 0.0, matrix: np.ndarray | None = None) -> Strength:
    whole = np.eye(K) if matrix is None else matrix
    return Strength(jnp.float32(value), jnp.asarray(whole, jnp.float32))


def a_batch(seed: int, scale: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    return (scale * rng.normal(size=(7, K))).astype(np.float32), rng.integers(0, K, 7)


def stochastic(seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).random((K, K)) + 0.05
    return rows / rows.sum(1, keepdims=True)


# Each in NumPy float64, from its definition: (logits, labels, strength, matrix) -> [b].
def log_p(z: np.ndarray) -> np.ndarray:
    return z - logsumexp(z, axis=1, keepdims=True)


def own(values: np.ndarray, y: np.ndarray) -> np.ndarray:
    return values[np.arange(len(y)), y]


def numpy_soft(z: np.ndarray, y: np.ndarray, b: float, matrix: np.ndarray) -> np.ndarray:
    target = b * np.eye(K)[y] + (1 - b) * np.exp(log_p(z))
    return -(target * log_p(z)).sum(1)


def numpy_hard(z: np.ndarray, y: np.ndarray, b: float, matrix: np.ndarray) -> np.ndarray:
    target = b * np.eye(K)[y] + (1 - b) * np.eye(K)[z.argmax(1)]
    return -(target * log_p(z)).sum(1)


DEFINED: dict[str, Callable[..., np.ndarray]] = {
    "cross_entropy": lambda z, y, s, t: -own(log_p(z), y),
    "squared": lambda z, y, s, t: ((z - np.eye(K)[y]) ** 2).mean(1),
    "generalized_cross_entropy": lambda z, y, s, t: (1 - np.exp(own(log_p(z), y)) ** s) / s,
    "soft_bootstrap": numpy_soft,
    "hard_bootstrap": numpy_hard,
    "forward_correction": lambda z, y, s, t: -np.log(own(np.exp(log_p(z)) @ t, y)),
}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.05, 1))
def test_values_and_gradients_are_those_of_the_definitions(seed: int, value: float) -> None:
    z, y = a_batch(seed)
    matrix, eps = stochastic(seed), 1e-6
    for name, of in DEFINED.items():
        loss, chosen = LOSSES[name].of, strength(value, matrix)
        wanted = of(z.astype(np.float64), y, value, matrix)
        np.testing.assert_allclose(loss(z, y, chosen), wanted, rtol=2e-5, atol=1e-5, err_msg=name)
        gradient = jax.grad(lambda z: loss(z, y, chosen).sum())(jnp.asarray(z))  # noqa: B023
        for j in range(K):
            step = np.zeros((1, K))
            step[0, j] = eps
            up, down = (of(z.astype(np.float64) + s * step, y, value, matrix) for s in (1, -1))
            slope = (up - down) / (2 * eps)
            np.testing.assert_allclose(gradient[:, j], slope, rtol=1e-3, atol=1e-4, err_msg=name)


def test_where_a_strength_switches_a_loss_off_it_is_cross_entropy() -> None:
    z, y = a_batch(0, 5.0)
    plain = LOSSES["cross_entropy"].of(z, y, strength())
    for name, off in (
        ("generalized_cross_entropy", 0.0),
        ("soft_bootstrap", 1.0),
        ("hard_bootstrap", 1.0),
        ("forward_correction", 0.0),  # the matrix of labels without noise
    ):
        np.testing.assert_allclose(
            LOSSES[name].of(z, y, strength(off)), plain, rtol=1e-6, atol=1e-6, err_msg=name
        )
    near = LOSSES["generalized_cross_entropy"].of(z, y, strength(1e-6))
    np.testing.assert_allclose(near, plain, rtol=1e-4)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(1, 20), st.floats(0, 0.9), st.integers(1, 15))
def test_what_a_peer_keeps_is_what_sorting_finds(
    seed: int, size: int, share: float, epoch: int
) -> None:
    found = np.random.default_rng(seed).random(size).astype(np.float32)
    weights = np.asarray(losses.kept(jnp.asarray(found), jnp.float32(share), jnp.int32(epoch)))
    count = max(1, int((1 - share * min(epoch / 10, 1)) * size + 1e-4))
    assert set(np.flatnonzero(weights)) == set(np.argsort(found)[:count])
    assert weights.mean() == pytest.approx(1, rel=1e-5)


def test_a_transition_is_counted_by_class() -> None:
    matrix = transition(np.array([0, 0, 0, 0, 1, 1]), np.array([0, 0, 0, 2, 1, 0]), 3)
    np.testing.assert_allclose(matrix, [[0.75, 0, 0.25], [0.5, 0.5, 0], [0, 0, 1]])


# Whole runs -----------------------------------------------------------------------------------


def lines(workdir: Path, **keys: Any) -> list[dict[str, Any]]:
    config = rj.base_config()
    config.update(
        {
            "model": "mlp",
            "hidden_sizes": (16,),
            "train_examples": 256,
            "batch_size": 64,
            "epochs": 3,
            "learning_rate": 0.1,
            "corruption": "random_labels",
            **keys,
        }
    )
    rj.run(config, workdir, report=False)
    return [
        {key: line[key] for key in line if key.startswith(("train_", "test_", "running_"))}
        for line in read_metrics(workdir)
    ]


def test_runs_with_a_loss_switched_off_are_plain_runs(tmp_path: Path) -> None:
    plain = lines(tmp_path / "plain")
    # Those that are a function of logits and labels alone are compared above.
    off = {"generalized_cross_entropy": 0.0, "early_learning": 0.0, "co_teaching": 0.0}
    for name, value in off.items():
        found = lines(tmp_path / name, loss=name, loss_strength=value)
        for line, same in zip(found, plain, strict=True):
            assert line == pytest.approx(same, abs=1e-6), name


def test_strengths_of_a_sweep_are_one_program(tmp_path: Path) -> None:
    strengths = (0.3, 0.9)
    sweep = rj.runs([{"loss_strength": value} for value in strengths])
    keys = {"loss": "generalized_cross_entropy", "vectorize": "vmap"}
    together = lines(tmp_path / "both", sweep=sweep, **keys)
    assert len(list((tmp_path / "both" / "checkpoints").iterdir())) == 1
    for i, value in enumerate(strengths):
        alone = lines(tmp_path / str(i), loss_strength=value, **keys)
        for line, same in zip(together[i::2], alone, strict=True):
            assert line == pytest.approx(same, rel=1e-4, abs=1e-5)


def targets_of(workdir: Path) -> np.ndarray:
    """Returns the targets of the last checkpoint of a workdir's only run, float32 [n, k]."""
    import orbax.checkpoint as ocp

    folder = next((workdir / "checkpoints").iterdir())
    step = max(
        (path for path in folder.iterdir() if path.name.isdecimal()), key=lambda p: int(p.name)
    )
    tree: Any = ocp.StandardCheckpointer().restore(step / "state")
    found: np.ndarray = np.asarray(tree[0]["targets"][0])
    return found


@pytest.mark.parametrize("way", ["memory", "stream"])
def test_early_learning_remembers_by_id(way: str, answer: Command, tmp_path: Path) -> None:
    keys = [key for key in STEPS if "epochs" not in key and "loop" not in key]
    keys += ["--config.loss=early_learning", "--config.epochs=1", "--config.learning_rate=1e-30"]
    keys += ["--config.record_examples=True", f"--config.input={way}", f"--workdir={tmp_path}"]
    done = answer(*keys)
    assert done.returncode == 0, done.stderr
    facts = np.load(tmp_path / "examples.npz")
    order = np.argsort(facts["train_ids"])  # targets are in the order of ids
    targets, labels = targets_of(tmp_path), facts["train_labels"][0][order]
    # The weights stand still, so that a target is its share of what the network says.
    p = facts["train_probability"][0][order]
    np.testing.assert_allclose(targets[np.arange(300), labels], 0.3 * p, rtol=2e-3, atol=2e-5)
    np.testing.assert_allclose(targets.sum(1), 0.3, rtol=1e-4)


@pytest.mark.slow
def test_early_learning_resists_random_labels(tmp_path: Path) -> None:
    keys = {"epochs": 25, "stop_when_fitted": False, "corruption": "partially_corrupted_labels"}
    plain = lines(tmp_path / "plain", **keys)[-1]
    held = lines(tmp_path / "held", loss="early_learning", loss_strength=7.0, **keys)[-1]
    assert held["train_accuracy_on_corrupted"] < plain["train_accuracy_on_corrupted"] - 0.2


@pytest.mark.slow
def test_what_is_remembered_survives_a_stop_in_mid_epoch(
    answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, cut, keys = (
        tmp_path / "whole",
        tmp_path / "cut",
        (*STEPS, "--config.loss=early_learning"),
    )
    assert answer(*keys, f"--workdir={whole}").returncode == 0
    train = resident._train

    def signalled(*given: Any) -> Iterator[Taken]:
        for taken in train(*given):
            if (given[-2], taken.done) == (1, 2):
                os.kill(os.getpid(), signal.SIGTERM)
            yield taken

    with monkeypatch.context() as patch:
        patch.setattr(resident, "_train", signalled)
        assert answer(*keys, f"--workdir={cut}").returncode == 1
    assert answer(*keys, f"--workdir={cut}").returncode == 0
    assert read_metrics(cut) == read_metrics(whole)
    np.testing.assert_array_equal(targets_of(cut), targets_of(whole))


def test_the_second_peer_starts_elsewhere_and_the_first_as_alone(tmp_path: Path) -> None:
    whole = load_dataset("mnist5k", train_examples=128)
    from rethinking_jax.models.mlp import MLP
    from rethinking_jax.models.peers import Peers, initial_variables

    network = MLP(num_classes=10, hidden_sizes=(8,))
    images = jnp.asarray(whole.train.images[:2], jnp.float32)
    alone = initial_variables(network, jax.random.key(3), images)
    both = initial_variables(Peers(network), jax.random.key(3), images)
    np.testing.assert_array_equal(
        Peers(network).apply(both, images, train=False), network.apply(alone, images, train=False)
    )
    first, second = (jax.tree.leaves(both["params"][name]) for name in ("first", "second"))
    assert any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"loss": "gce"}, "config.loss='gce' is not known"),
        ({"loss": "soft_bootstrap", "loss_strength": 1.5}, "must be from 0 to 1 for"),
        ({"loss_strength": 1.5}, "loss_strength=1.5 has no effect"),
        ({"loss_strength": 0.5}, "config.loss_strength=0.5 has no effect"),
        ({"loss": "squared", "label_smoothing": 0.1}, "config.label_smoothing=0.1 has no effect"),
        ({"loss": "early_learning", "mixup_alpha": 1.0}, "leave it at 0.0"),
        ({"loss": "co_teaching", "accumulate": 2}, "leave it at 1"),
    ],
)
def test_what_cannot_be_is_refused(keys: dict[str, Any], said: str, tmp_path: Path) -> None:
    config = rj.base_config()
    with pytest.raises(UserError, match=said):
        config.update(keys)
        rj.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
