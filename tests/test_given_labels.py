"""Labels that become the next class, and labels that a file gives."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command, needs_real, real_data_folder
from helpers.results import made, run
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import experiment
from rethinking_jax.analysis import fitted
from rethinking_jax.analysis.results import series
from rethinking_jax.analysis.verdicts import verdicts
from rethinking_jax.config import Member, base_config, members, runs
from rethinking_jax.corruption import CORRUPTIONS, Draws, LabelNoise
from rethinking_jax.data.given_labels import read_labels
from rethinking_jax.data.runs import dataset_key, load_datasets
from rethinking_jax.errors import UserError
from rethinking_jax.sweep.groups import label_run
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.settings import theory_config

CIFAR_N = real_data_folder().parent / "scores" / "cifar10n.npz"

# The next class --------------------------------------------------------------------------------


def flipped(
    p: float, k: int, ids: np.ndarray, labels: np.ndarray, split: str = "train"
) -> np.ndarray:
    draws = Draws(CORRUPTIONS["pair_flip"], 4, LabelNoise(p, k), corrupt_test_labels=True)
    return np.asarray(draws.labels(split, ids, labels))


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 1), st.integers(2, 12), st.sampled_from(["train", "test"]))
def test_a_label_becomes_the_next_class_with_probability_p(p: float, k: int, split: str) -> None:
    ids = np.arange(4000, dtype=np.uint32)
    true = (ids * 7 % k).astype(np.int32)
    found = flipped(p, k, ids, true, split)
    changed = found != true
    assert (found[changed] == (true[changed] + 1) % k).all()
    assert abs(changed.mean() - p) <= 5 * np.sqrt(p * (1 - p) / len(ids)) + 1e-12
    # What is flipped at a smaller p is flipped at a larger one, and depends on the id alone.
    assert not (flipped(p / 2, k, ids, true, split) != true)[~changed].any()
    assert (flipped(p, k, ids[::-7], true[::-7], split) == found[::-7]).all()


# Files -----------------------------------------------------------------------------------------


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.integers(0, 2**32 - 1), min_size=1, max_size=17, unique=True),
    st.integers(0, 2**32 - 1),
    st.randoms(use_true_random=False),
)
def test_each_example_gets_the_label_of_its_id(
    tmp_path_factory: pytest.TempPathFactory, known: list[int], seed: int, random: object
) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, len(known))
    file = tmp_path_factory.mktemp("labels") / "a.npz"
    np.savez(file, mine=labels.astype(rng.choice(["u1", "i4", "i8"])), ids=np.array(known, "u4"))
    wanted = rng.permutation(known)[: rng.integers(1, len(known) + 1)].astype(np.uint32)
    found = read_labels(f"{file}:mine", wanted, 5, whole=False)
    expected = [dict(zip(known, labels, strict=True))[one] for one in wanted]
    assert found.of(wanted).tolist() == expected
    assert jax.jit(found.of)(jnp.asarray(wanted)).tolist() == expected


def test_labels_stand_in_the_order_of_ids_where_a_file_has_none(tmp_path: Path) -> None:
    np.savez(tmp_path / "one.npz", np.array([3, 1, 2, 0]))
    name, ids = str(tmp_path / "one.npz"), np.array([2, 0, 1, 3], np.uint32)
    assert read_labels(name, ids, 4, whole=True).of(ids).tolist() == [2, 3, 1, 0]
    part = read_labels(name, ids[:2], 4, whole=False)
    assert part.of(ids[:2]).tolist() == [2, 3]


ARRAYS = {
    "right": np.arange(4) % 3,
    "short": np.arange(3) % 3,
    "long": np.arange(5) % 3,
    "large": np.array([0, 1, 2, 7]),
    "below": np.array([0, 1, -1, 1]),
    "floats": np.zeros(4),
    "rows": np.zeros((4, 3), int),
}


@pytest.mark.parametrize(
    ("array", "ids", "words"),
    [
        (":wright", None, ["no array 'wright'", "did you mean 'right'", "short, long"]),
        ("", None, ["several arrays", "right, short"]),
        (":short", None, ["'short' has 3 labels", "there must be 4,", "'ids'"]),
        (":long", None, ["'long' has 5 labels", "there must be 4,"]),
        (":large", None, ["the id 3 the label 7", "0..2"]),
        (":below", None, ["the id 2 the label -1", "0..2"]),
        (":floats", None, ["'floats' holds float64", "whole numbers"]),
        (":rows", None, ["'rows' holds int64 [4, 3]"]),
        (":right", [0, 1, 2, 9], ["no label for 1 of the 4 training examples", "the id 3"]),
        (":right", [0, 1, 2], ["'right' has 4 labels, and 'ids' must have as many"]),
        (":right", [0, 1, 3, 3], ["the id 3 twice"]),
    ],
)
def test_a_file_that_has_no_labels_for_the_examples_is_refused(
    array: str, ids: list[int] | None, words: list[str], tmp_path: Path
) -> None:
    file = tmp_path / "some.npz"
    np.savez(file, **ARRAYS, **({} if ids is None else {"ids": np.array(ids)}))
    with pytest.raises(UserError) as caught:
        read_labels(f"{file}{array}", np.arange(4, dtype=np.uint32), 3, whole=True)
    for word in ("config.labels_file=", *words):
        assert word in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_is_no_file_of_arrays_is_refused(tmp_path: Path) -> None:
    ids = np.arange(4, dtype=np.uint32)
    with pytest.raises(UserError, match="there is no file"):
        read_labels(str(tmp_path / "no.npz:a"), ids, 3, whole=True)
    (tmp_path / "broken.npz").write_bytes(b"PK\3\4 and no more")
    with pytest.raises(UserError, match="cannot be read as an"):
        read_labels(str(tmp_path / "broken.npz:a"), ids, 3, whole=True)


def test_of_several_training_sets_the_ids_that_fit_are_taken(tmp_path: Path) -> None:
    file = tmp_path / "labels.npz"
    several = {"ids 0": np.array([5, 6], "u4"), "ids 1": np.array([1, 2, 3], "u4")}
    np.savez(file, a=np.array([0, 1]), b=np.array([2, 1, 0]), **several)
    assert read_labels(f"{file}:b", np.array([3, 1], "u4"), 3, whole=False).labels.tolist() == [
        2,
        0,
    ]
    np.savez(file, a=np.array([0, 1]), **several | {"ids 1": np.array([7, 8], "u4")})
    with pytest.raises(UserError, match="the ids of 2 training sets"):
        read_labels(f"{file}:a", np.array([5, 6], "u4"), 3, whole=True)


# Runs ------------------------------------------------------------------------------------------


def small(data_dir: Path, **changes: object) -> ConfigDict:
    config = base_config()
    values: dict[str, object] = {
        "dataset": "mnist5k", "data_dir": str(data_dir), "model": "mlp", "hidden_sizes": (8,),
        "train_examples": 120, "epochs": 2, "batch_size": 40,
    }  # fmt: skip
    config.update(values | changes)
    return config


def trained(config: ConfigDict, workdir: Path) -> dict[tuple[str, int], float]:
    experiment.run(config, workdir, console=Console(quiet=True), report=False)
    lines = [json.loads(text) for text in (workdir / "metrics.jsonl").open()]
    return {(line["member"], line["epoch"]): line["train_loss"] for line in lines}


@pytest.fixture(scope="module")
def shared(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workdir of two runs whose labels others take."""
    workdir = tmp_path_factory.mktemp("shared")
    config = small(data_dir, seed=3)
    config.sweep = runs(
        [
            {"name": "random", "corruption": "random_labels"},
            {"name": "next", "corruption": "pair_flip"},
        ]
    )
    trained(config, workdir)
    return workdir


@pytest.mark.parametrize("way", ["memory", "stream"])
def test_the_labels_of_a_workdir_are_trained_on_again(
    way: str, shared: Path, data_dir: Path, tmp_path: Path
) -> None:
    config = small(data_dir, seed=3, input=way, corruption="given_labels")
    names, file = ("random", "next"), shared / "labels.npz"
    config.sweep = runs([{"name": name, "labels_file": f"{file}:{name}"} for name in names])
    losses = trained(config, tmp_path)
    with np.load(file) as before, np.load(tmp_path / "labels.npz") as after:
        assert all((before[name] == after[name]).all() for name in names)
    for line in map(json.loads, (shared / "metrics.jsonl").open()):
        # The same bits where the labels stand beside the images, and the same to rounding else.
        expected = line["train_loss"]
        found = losses[line["member"], line["epoch"]]
        assert found == (expected if way == "memory" else pytest.approx(expected, rel=1e-5))
    summary = json.loads((tmp_path / "summary.json").read_text())
    for member in summary["members"]:
        assert member["label_noise"] == member["flipped_fraction"] > 0.3
        assert "train_accuracy_on_corrupted" in member


def test_a_file_that_changed_is_refused_and_a_copy_of_it_is_not(
    data_dir: Path, tmp_path: Path
) -> None:
    file, workdir = tmp_path / "some.npz", tmp_path / "work"
    labels = np.arange(4000) % 10
    np.savez(file, labels)
    config = small(data_dir, corruption="given_labels", labels_file=str(file), epochs=1)
    losses = trained(config, workdir)
    np.savez_compressed(file, labels)  # other bytes, the same labels
    assert trained(config, workdir) == losses
    file.rename(tmp_path / "away.npz")  # what is complete needs no labels
    assert trained(config, workdir) == losses
    np.savez(file, labels[::-1])
    said = rf"other data: the labels in {file} of the training set changed since \({file} was w"
    for remove in ((), ("summary.json",)):  # complete, and stopped
        for name in remove:
            (workdir / name).unlink()
        with pytest.raises(UserError, match=said):
            trained(config, workdir)


def test_theory_takes_labels_of_a_file(data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "some.npz"
    np.savez(file, a=np.arange(4000) % 10, b=np.arange(4000) % 9)
    config = theory_config("kernel", data_dir=str(data_dir), train_examples=50)
    config.corruption = "given_labels"
    config.sweep = runs([{"labels_file": f"{file}:{name}"} for name in "ab"])
    tasks = Tasks(lambda line: None)
    found = [tasks(one.config).train_labels for one in experiment.members(config)]
    ids = tasks.dataset(config).train.ids.astype(int)
    assert (found[0] == ids % 10).all() and (found[1] == ids % 9).all()
    experiment.run(config, tmp_path / "work", console=Console(quiet=True), report=False)
    np.savez(file, a=np.arange(4000) % 10, b=np.arange(4000) % 8)
    with pytest.raises(UserError, match=f"other data: the labels in {file}:b of the training set"):
        experiment.run(config, tmp_path / "work", console=Console(quiet=True), report=False)


GIVEN = {"corruption": "given_labels", "labels_file": "a.npz"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"corruption": "given_labels"}, "must be PATH.npz, or PATH.npz:ARRAY"),
        ({"corruption": "given_labels", "labels_file": "a.csv"}, "labels_file='a.csv'"),
        ({"labels_file": "a.npz"}, "labels_file=a.npz has no effect.*corruption=given_labels"),
        ({**GIVEN, "corrupt_test_labels": True}, "corrupt_test_labels=True has no effect"),
        ({**GIVEN, "label_noise": 0.2}, "label_noise=0.2 has no effect"),
        ({**GIVEN, "corruption_seed": 2}, "corruption_seed=2 has no effect"),
        ({"corruption": "pair_flip", "exclude_true_class": True}, "exclude_true_class=True has no"),
    ],
)
def test_keys_that_cannot_be_meant_are_refused(changes: dict[str, object], words: str) -> None:
    config = base_config()
    config.update(changes)
    with pytest.raises(UserError, match=words):
        members(config)


def test_other_files_make_other_runs() -> None:
    config = base_config()
    config.corruption = "given_labels"
    config.sweep = runs(
        [{"labels_file": "a.npz:x"}, {"labels_file": "a.npz:y"}, {"corruption": "true_labels"}]
    )
    assert len(members(config)) == 3
    config.sweep = runs([{"name": name, "labels_file": "a.npz"} for name in "ab"])
    with pytest.raises(UserError, match="are the same"):
        members(config)


def test_a_wrong_file_ends_a_command_with_one_line(answer: Command, tmp_path: Path) -> None:
    words = ["--config.sweep=", "--config.corruption=given_labels", f"--workdir={tmp_path}/work"]
    result = answer(*words, f"--config.labels_file={tmp_path}/no.npz")
    assert result.returncode == 2
    (line,) = result.stderr.strip().splitlines()
    assert f"there is no file {tmp_path}/no.npz" in line
    assert not (tmp_path / "work").exists()


# What is said of such runs ---------------------------------------------------------------------


@pytest.mark.parametrize("corruption", ["pair_flip", "given_labels"])
def test_such_runs_are_none_of_the_papers(corruption: str) -> None:
    of_cifar = {"dataset": "cifar10", "train_examples": 50_000}
    true, other = run("true_labels"), run(corruption, None)
    other[1]["label_noise"] = 1.0
    (alone,) = series(made(true, **of_cifar))
    (both,) = series(made(true, other, **of_cifar))
    group = both.of(corruption)
    assert group is not None
    assert fitted.papers(both, group) is None and fitted.papers(both, both.groups[0]) is not None
    assert [level.setting for level in both.by_label_noise()] == ["true_labels"]
    outcomes = [[v.outcome for v in verdicts([one])] for one in (alone, both)]
    assert outcomes[0] == outcomes[1]


# Real labels -----------------------------------------------------------------------------------


@needs_real("cifar10")
@pytest.mark.skipif(not CIFAR_N.exists(), reason=f"no {CIFAR_N}, with the labels of CIFAR-10N")
def test_human_labels_of_cifar10_are_those_of_its_images(real_data: dict[str, str]) -> None:
    """In another order nine tenths of them would be wrong; the rates are those of CIFAR-10N."""
    rates = {"clean_label": 0.0, "aggre_label": 9.01, "worse_label": 40.21,
             "random_label1": 17.23, "random_label2": 18.12, "random_label3": 17.64}  # fmt: skip
    config = base_config()
    config.update(dataset="cifar10", corruption="given_labels", **real_data)
    config.sweep = runs([{"labels_file": f"{CIFAR_N}:{name}"} for name in rates])
    made_of: list[Member] = members(config)
    datasets = load_datasets(made_of, lambda text: None)
    for one, rate in zip(made_of, rates.values(), strict=True):
        drawn = label_run(one, datasets[dataset_key(one.config)])
        assert round(100 * drawn.flipped_fraction, 2) == rate
