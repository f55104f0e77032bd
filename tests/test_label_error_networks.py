"""What is kept of the networks that look for label errors, against NumPy."""

from pathlib import Path

import jax
import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from rethinking_jax import config as configs
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.runs import cropped, dataset_key
from rethinking_jax.step.state import TrainState
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.mesh import spread
from rethinking_jax.sweep.program import zero_running
from rethinking_jax.sweep.recorder import with_facts, with_no_facts
from rethinking_jax.theory import label_error_networks as networks
from rethinking_jax.theory.fitting import training_config
from rethinking_jax.theory.settings import theory_config

COUNT, EPOCHS = 40, 3


def chunk_of(names: list[str], subsets: list[np.ndarray] | None = None) -> Chunk:
    """Runs with labels and initial weights of their own, on 40 images of 16 pixels."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (COUNT + 5, 4, 4, 1), dtype=np.uint8)
    labels = rng.integers(0, 3, COUNT + 5).astype(np.int32)
    train, test = (
        Split(images[part], labels[part], np.arange(COUNT + 5, dtype=np.uint32)[part])
        for part in (slice(COUNT), slice(COUNT, None))
    )
    config = training_config(
        theory_config("label_errors", batch_size=10, hidden_sizes=(6,), epochs=EPOCHS),
        corruption="random_labels", record_examples=True, stop_when_fitted=False,
    )  # fmt: skip
    config.sweep = configs.runs([{"name": name, "seed": i} for i, name in enumerate(names)])
    data = cropped(Dataset("toy", train, test, ("a", "b", "c")), 0)

    def change(run):
        return run if subsets is None else run._replace(subset=subsets[run.config.seed])

    (chunk,) = groups.make_chunks(
        configs.members(config, check=None), {dataset_key(config): data}, "cpu",
        jax.devices()[:1], report=lambda text: None, change=change,
    )  # fmt: skip
    return chunk


def watched(chunk: Chunk, folder: Path) -> tuple[list[dict], list[TrainState]]:
    """The last lines of the runs, and their states at the start and after each epoch."""
    members = len(chunk.runs)
    measure = networks.watch(chunk, folder, networks.Wanted(True, True))
    feed = chunk.engine.open(chunk)(range(members))
    start = with_no_facts(chunk, chunk.engine.init(hyper(chunk.runs)))
    states = [jax.tree.map(np.asarray, start)]
    carry = spread((start, zero_running(members)), chunk.mesh)
    for epoch in range(EPOCHS):
        for piece in feed.train(carry, epoch, 0):
            carry = piece.carry
        state = with_facts(chunk, feed, carry[0], epoch + 1, lambda share: None)
        assert state is not None
        states.append(jax.tree.map(np.asarray, state))
        lines = measure(tuple(range(members)), state)
        carry = state, carry[1]
    return [dict(line) for line in lines], states


def forward(chunk: Chunk, state: TrainState, member: int) -> tuple[np.ndarray, ...]:
    """Inputs, hidden units before ReLU, and probabilities of one member, by NumPy."""
    pixels = np.asarray(chunk.dataset.train.images).reshape(COUNT, 16) / 255.0
    mean, std = (np.asarray(own) for own in chunk.dataset.moments)
    inputs = (pixels - mean) / std
    params = jax.tree.map(lambda leaf: np.asarray(leaf[member], np.float64), state.params)
    first, second = params["Dense_0"], params["Dense_1"]
    hidden = inputs @ first["kernel"] + first["bias"]
    logits = np.maximum(hidden, 0) @ second["kernel"] + second["bias"]
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    return inputs, hidden, shares


def gradient_norms(chunk: Chunk, state: TrainState, member: int) -> np.ndarray:
    inputs, hidden, shares = forward(chunk, state, member)
    d = shares - np.eye(3)[chunk.runs[member].train_labels]
    u = (d @ np.asarray(state.params["Dense_1"]["kernel"][member]).T) * (hidden > 0)
    return np.sqrt(
        (d**2).sum(1) * ((np.maximum(hidden, 0) ** 2).sum(1) + 1)
        + (u**2).sum(1) * ((inputs**2).sum(1) + 1)
    )


def test_each_run_has_its_own_scores(tmp_path: Path) -> None:
    names = [f"x,corruption={c},init=0" for c in range(2)]
    chunk = chunk_of(names)
    lines, states = watched(chunk, tmp_path)
    kept = networks.read(tmp_path, names)
    for member, name in enumerate(names):
        for fact, state in (
            ("gradient_norm_start", states[0]), ("gradient_norm_early", states[1])
        ):  # fmt: skip
            expected = gradient_norms(chunk, state, member)
            np.testing.assert_allclose(kept[name][fact], expected, rtol=1e-4, err_msg=fact)
        labels = chunk.runs[member].train_labels
        error = forward(chunk, states[1], member)[2] - np.eye(3)[labels]
        np.testing.assert_allclose(
            kept[name]["early_error_norm"], np.linalg.norm(error, axis=1), rtol=1e-4
        )
        assert set(kept[name]["prediction_depth"]) <= set(range(5))
        shares = forward(chunk, states[-1], member)[2]
        loss = -np.log(shares[np.arange(COUNT), labels])
        corrupted = labels != chunk.dataset.train.labels
        assert lines[member]["auroc_loss"] == pytest.approx(roc_auc_score(corrupted, loss))
    assert not np.allclose(*(kept[name]["gradient_norm_start"] for name in names))


def test_probabilities_are_kept_of_folds_alone(tmp_path: Path) -> None:
    names = ["x,corruption=0,fold=0", "x,corruption=0,fold=1"]
    halves = [np.arange(20, dtype=np.int32), np.arange(20, 40, dtype=np.int32)]
    chunk = chunk_of(names, halves)
    lines, states = watched(chunk, tmp_path)
    kept = networks.read(tmp_path, names)
    assert lines == [{}, {}]
    for member, name in enumerate(names):
        assert set(kept[name]) == {"probabilities", "held_out"}
        shares = forward(chunk, states[-1], member)[2]
        np.testing.assert_allclose(kept[name]["probabilities"], shares, rtol=1e-4)
        np.testing.assert_array_equal(
            kept[name]["held_out"], ~np.isin(np.arange(COUNT), halves[member])
        )
