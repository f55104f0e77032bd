"""Twins that differ in one example: what they train on, and what is measured of them."""

import json
from pathlib import Path

import jax
import numpy as np
import pytest
from conftest import Command
from helpers.words import left_in_english

from rethinking_jax import config as configs
from rethinking_jax.config import Member
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.runs import cropped, dataset_key
from rethinking_jax.errors import UserError
from rethinking_jax.step.state import TrainState
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.mesh import spread
from rethinking_jax.sweep.program import zero_running
from rethinking_jax.theory import settings, stability, twins
from rethinking_jax.theory.fitting import training_config
from rethinking_jax.theory.settings import theory_config

CONFIG = "--config=configs/stability.py"


def dataset(replaced: tuple[int, int] | None = None) -> Dataset:
    rng = np.random.default_rng(0)

    def split(count: int) -> Split:
        images = rng.integers(0, 256, (count, 4, 4, 1), dtype=np.uint8)
        ids = np.arange(count, dtype=np.uint32)
        return Split(images, rng.integers(0, 3, count).astype(np.int32), ids)

    train, test = split(22), split(5)
    if replaced:
        rows = np.arange(22)
        rows[replaced[0]] = replaced[1]
        train = train.take(rows)
    return Dataset("toy", train, test, ("a", "b", "c"))


def trained(
    data: Dataset, replaced: list[tuple[int, int] | None], devices: int = 1
) -> tuple[Chunk, TrainState]:
    """Three epochs of members that share a seed, with random labels."""
    config = training_config(
        theory_config("stability", batch_size=5, hidden_sizes=(6,)), corruption="random_labels"
    )
    config.sweep = configs.runs([{"name": f"a,twin={i}"} for i in range(len(replaced))])
    on_device = cropped(data, 0)
    (chunk,) = groups.make_chunks(
        configs.members(config, check=None),  # what tells twins apart is not in their configs
        {dataset_key(config): on_device},
        "cpu",
        jax.devices()[:devices],
        report=lambda text: None,
    )
    own = tuple(run._replace(replaced=one) for run, one in zip(chunk.runs, replaced, strict=True))
    chunk = chunk._replace(runs=own)
    members = len(replaced)
    feed = chunk.engine.open(chunk)(range(members))
    carry = (chunk.engine.init(hyper(chunk.runs)), zero_running(members))
    carry = spread(carry, chunk.mesh)
    for epoch in range(3):
        for piece in feed.train(carry, epoch, 0):
            carry = piece.carry
    return chunk, carry[0]


def test_a_twin_trains_as_on_a_data_set_with_a_copy() -> None:
    """Of 22 examples in batches of 5, the smaller last batch included."""
    pair = (3, 17)
    pair_of_twins = trained(dataset(), [None, pair], devices=2)[1].params
    together = trained(dataset(), [None, pair])[1].params
    for a, b in zip(jax.tree.leaves(pair_of_twins), jax.tree.leaves(together), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)  # each on a device of its own
    copied = trained(dataset(pair), [None])[1].params
    for ours, theirs in zip(jax.tree.leaves(pair_of_twins), jax.tree.leaves(copied), strict=True):
        np.testing.assert_allclose(ours[1], theirs[0], atol=1e-5)
    off = [np.abs(leaf[0] - leaf[1]).max() for leaf in jax.tree.leaves(pair_of_twins)]
    assert max(off) > 1e-3


def test_distances_are_those_of_the_definition() -> None:
    params = {"w": np.array([[[3.0, 4.0]], [[3.0, 4.0]], [[0.0, 4.0]]]), "b": np.zeros((3, 2))}
    train = np.array([[0.1, 0.2, 0.3], [0.1, 0.2, 0.3], [0.1, 0.6, 0.2]])
    test = np.array([[0.5, 0.5], [0.5, 0.5], [0.0, 0.9]])
    same = twins.compare(params, train, test, 0, 1, replaced=1)
    assert set(same.values()) == {0.0}
    found = twins.compare(params, train, test, 0, 2, replaced=1)
    assert found["twin_distance"] == pytest.approx(3 / np.sqrt(25 + 16))
    assert found["twin_train_mean"] == pytest.approx(0.5 / 3)
    assert found["twin_train_most"] == found["twin_own"] == pytest.approx(0.4)
    assert found["twin_test_mean"] == pytest.approx(0.45)
    assert found["twin_test_most"] == pytest.approx(0.5)


def test_losses_are_one_less_the_probability_of_the_label() -> None:
    chunk, state = trained(dataset(), [None, (3, 17)])
    first, second = twins.watch(chunk)((0, 1), state)
    assert "twin_distance" not in first and second["twin_distance"] > 0
    expected = []
    for member in range(2):
        params = jax.tree.map(lambda leaf, member=member: np.asarray(leaf[member]), state.params)
        pixels = dataset().train.images.reshape(22, 16) / 255.0
        spread = np.maximum(pixels.std(1, keepdims=True), 0.25)  # 1 / sqrt(16 elements)
        x = (pixels - pixels.mean(1, keepdims=True)) / spread
        hidden = np.maximum(x @ params["Dense_0"]["kernel"] + params["Dense_0"]["bias"], 0)
        logits = hidden @ params["Dense_1"]["kernel"] + params["Dense_1"]["bias"]
        shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        expected.append(1 - shares[np.arange(22), chunk.runs[member].train_labels])
    assert first["bounded_train"] == pytest.approx(expected[0].mean(), abs=1e-5)
    apart = np.abs(expected[0] - expected[1])
    assert second["twin_train_most"] == pytest.approx(apart.max(), abs=1e-5)
    assert second["twin_own"] == pytest.approx(apart[3], abs=1e-5)


def test_settings_share_what_is_replaced() -> None:
    config = theory_config("stability", twins=3, seeds=2, seed=5)
    other = config.copy_and_resolve_references()
    other.corruption = "random_labels"
    runs, changes = stability.twin_runs([Member("t", config), Member("r", other)], 100)
    assert [run["name"] for run in runs[:5]] == [
        "t,seed=5,twin=0", "t,seed=5,twin=1", "t,seed=5,twin=2", "t,seed=5,twin=3",
        "t,seed=6,twin=0",
    ]  # fmt: skip
    assert changes[:8] == changes[8:]
    assert changes[0] is changes[4] is None
    pairs = [pair for pair in changes if pair]
    assert all(i != j for i, j in pairs) and len(set(pairs[:6])) == 6
    assert {run["corruption"] for run in runs[8:]} == {"random_labels"}


def test_twins_must_fit_together() -> None:
    chunk, _ = trained(dataset(), [None, (3, 17)])
    with pytest.raises(UserError, match="twins have to: take fewer"):
        twins.watch(chunk._replace(runs=chunk.runs[1:]))


def rows(**changes: object) -> list[dict]:
    found = []
    for name, distance, gap in (("true_labels", 0.1, 0.1), ("random_labels", 0.2, 0.9)):
        for seed in range(3):
            row = {
                "name": name, "corruption": name, "seed": seed, "gap": gap, "test_most": 0.5,
                "distance": distance + 0.01 * seed, "test_mean": distance + 0.01 * seed,
            }  # fmt: skip
            found.append(row | (changes if name == "random_labels" else {}))
    return found


def test_each_verdict_can_be_no() -> None:
    def outcomes(**changes: object) -> list[str]:
        return [v.outcome for v in stability._verdicts(rows(**changes), 1000)]

    assert outcomes() == ["yes"] * 4
    assert outcomes(distance=0.11) == ["no", "yes", "yes", "yes"]
    assert outcomes(test_mean=0.1) == ["yes", "no", "yes", "yes"]
    assert outcomes(test_most=0.009) == ["yes", "yes", "no", "yes"]
    assert outcomes(gap=0.4) == ["yes", "yes", "yes", "no"]
    assert outcomes(gap=0.15) == ["yes", "yes", "yes", "no"]
    alone = [v.outcome for v in stability._verdicts(rows()[:3], 1000)]
    assert alone == ["not measured", "not measured", "yes", "not measured"]


def test_the_command(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    arguments = (
        f"{CONFIG}:train_examples=60,seeds=2,twins=1,epochs=25,model=mlp_1x16",
        "--config.crop_size=12", "--config.language=es", f"--workdir={workdir}",
    )  # fmt: skip
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((workdir / "summary.json").read_text())
    by_run = {(row["corruption"], row["seed"]): row for row in summary["members"]}
    assert len(by_run) == 4
    lines = [json.loads(text) for text in (workdir / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 8 * 25  # one sweep, everyone to the end
    for (setting, seed), row in by_run.items():
        last = [line for line in lines if line["member"] == f"{setting},seed={seed},twin=1"][-1]
        assert row["distance"] == last["twin_distance"] > 0
        assert row["train_most"] == max(row["train_most"], row["own"])
        assert 0 <= row["test_mean"] <= row["test_most"] <= 1
    # Labels of the test set are drawn alike, so chance is what random labels come to.
    assert by_run["random_labels", 0]["gap"] > by_run["true_labels", 0]["gap"]
    for name in ("figures/distance.svg", "figures/losses.png", "tables/stability.csv"):
        assert (workdir / name).exists()
    again = answer(*arguments)
    assert again.returncode == 0 and "Complete already" in again.stdout
    assert left_in_english(workdir) == []


def test_bad_input_is_one_line(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    for argument, words in (
        (":corruption=gaussian", "corruption=gaussian: twins share their images"),
        (":train_examples=30", "batch_size=50 and 30 training examples"),
    ):
        result = answer(f"{CONFIG}{argument}", f"--workdir={workdir}")
        assert result.returncode == 2, result.stderr
        assert result.stderr.count("\n") == 1
        assert words in result.stderr
        assert not workdir.exists()
    for changes, words in (({"seeds": 1}, "at least 2"), ({"twins": 0}, "at least 1")):
        with pytest.raises(UserError, match=words):
            configs.members(theory_config("stability", **changes), settings.check)
