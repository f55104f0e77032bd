"""What is recorded of every example: against NumPy, over stops, and whatever runs train beside."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import chex
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command, read_metrics
from helpers.processes import start, wait_for_lines
from hypothesis import given, settings
from hypothesis import strategies as st

import rethinking_jax as rj
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.load import load_dataset
from rethinking_jax.errors import UserError
from rethinking_jax.step.facts import MOMENTS, NAMES, moment, no_facts, with_moment
from rethinking_jax.step.state import Examples
from rethinking_jax.sweep import recorder
from rethinking_jax.sweep.recorder import Recorded

RUNS = (
    "--config=configs/quickstart.py",
    '--config.sweep=[{"seed": 0}, {"seed": 1, "corruption": "random_labels"}]',
    "--config.record_examples=True",
    "--config.epochs=8",
    "--config.checkpoint_every=2",
    "--config.train_examples=400",
    "--config.stop_when_fitted=False",
    "--config.vectorize=vmap",
)


def recorded(workdir: Path, sweep: Sequence[dict[str, Any]], **keys: Any) -> Recorded:
    config = rj.base_config()
    config.update(
        {
            "model": "mlp",
            "hidden_sizes": (16,),
            "train_examples": 300,
            "epochs": 4,
            "learning_rate": 0.1,
            "batch_size": 64,
            "record_examples": True,
            **keys,
        }
    )
    config.sweep = rj.runs(sweep)
    summary = rj.run(config, workdir, report=False)
    return recorder.read(workdir, [member["name"] for member in summary["members"]])


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorded]:
    workdir = tmp_path_factory.mktemp("three") / "run"
    sweep = [{"seed": 0}, {"seed": 1}, {"seed": 2, "corruption": "random_labels"}]
    return workdir, recorded(workdir, sweep, vectorize="vmap")


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**31), st.integers(2, 12), st.floats(0.1, 20))
def test_a_moment_is_what_numpy_finds_in_float64(seed: int, classes: int, scale: float) -> None:
    rng = np.random.default_rng(seed)
    logits = (scale * rng.normal(size=(9, classes))).astype(np.float32)
    labels = rng.integers(0, classes, 9)
    batch = Examples(
        jnp.zeros((9, 1, 1, 1)), jnp.asarray(labels), jnp.asarray(labels), jnp.zeros(9)
    )
    found = moment(jnp.asarray(logits), batch)
    z, own = logits.astype(np.float64), np.arange(9)
    p = np.exp(z - z.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    others = np.where(np.eye(classes, dtype=bool)[labels], -np.inf, z)
    wanted = {
        "probability": p[own, labels],
        "margin": z[own, labels] - others.max(1),
        "loss": -np.log(p[own, labels]),
        "error_norm": np.linalg.norm(p - np.eye(classes)[labels], axis=1),
        "correct": z.argmax(1) == labels,
        "prediction": z.argmax(1),
    }
    assert wanted.keys() == MOMENTS.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(found[name], value, rtol=2e-5, atol=2e-5, err_msg=name)


def test_transitions_are_counted_between_measurements() -> None:
    rights = {"0,1,0,1,1,0": (2, 6, 2), "0,0,0,0,0,0": (0, 6, 0), "1,1,1,1,1,1": (1, 0, 0),
              "0,0,0,1,1,1": (4, 3, 0), "1,0,1,0,1,0": (1, 6, 3)}  # fmt: skip
    right = np.array([[bool(int(x)) for x in text.split(",")] for text in rights]).T
    facts = no_facts(len(rights))
    for epoch, correct in enumerate(right, 1):
        now = {name: jnp.zeros(len(rights)) for name in MOMENTS} | {"correct": jnp.array(correct)}
        facts = with_moment(facts, now, jnp.int32(epoch))
    for i, (learned, wrong, forgotten) in enumerate(rights.values()):
        assert int(facts["first_learned"][i]) == learned
        assert int(facts["last_wrong"][i]) == wrong
        assert int(facts["forgotten"][i]) == forgotten


def test_facts_agree_with_the_lines(three: tuple[Path, Recorded]) -> None:
    workdir, found = three
    lines = read_metrics(workdir)
    for row, name in enumerate(found.runs):
        own = [line for line in lines if line["member"] == name]
        assert found.epochs[row] == len(own) == 4
        for split, recording in found.splits.items():
            facts = {key: value[row] for key, value in recording.facts.items()}
            assert facts["correct"].mean() == pytest.approx(own[-1][f"{split}_accuracy"])
            assert facts["loss"].mean() == pytest.approx(own[-1][f"{split}_loss"], rel=1e-5)
            right = sum(line[f"{split}_accuracy"] for line in own)
            assert facts["correct_count"].mean() == pytest.approx(right)
            losses = sum(line[f"{split}_loss"] for line in own)
            assert facts["loss_sum"].mean() == pytest.approx(losses, rel=1e-5)
            np.testing.assert_array_equal(facts["correct"], facts["margin"] > 0)
            np.testing.assert_array_equal(facts["last_wrong"] == 0, facts["correct_count"] == 4)
            np.testing.assert_array_equal(facts["first_learned"] == 0, facts["correct_count"] == 0)
    train = found.splits["train"]
    assert train.trained.all()
    assert not found.splits["test"].trained.any()
    np.testing.assert_array_equal(train.labels[0], train.true_labels)
    assert (train.labels[2] != train.true_labels).mean() > 0.8


def test_members_beside_and_their_order_change_nothing(
    three: tuple[Path, Recorded], tmp_path: Path
) -> None:
    _, together = three
    sweep = [{"seed": 1}, {"seed": 2, "corruption": "random_labels"}, {"seed": 0}]
    turned = recorded(tmp_path / "turned", sweep, vectorize="vmap")
    one_by_one = recorded(tmp_path / "loop", sweep, vectorize="loop")
    for row, name in enumerate(together.runs):
        for split, own in together.splits.items():
            other, alone = turned.splits[split], one_by_one.splits[split]
            i, j = turned.runs.index(name), one_by_one.runs.index(name)
            for key in NAMES:
                np.testing.assert_array_equal(own.facts[key][row], other.facts[key][i])
                if own.facts[key].dtype == np.float32:
                    np.testing.assert_allclose(
                        own.facts[key][row], alone.facts[key][j], rtol=1e-4, atol=1e-4
                    )
                else:  # a fact that is a comparison may tip over where two logits are equal
                    same = np.mean(own.facts[key][row] == alone.facts[key][j])
                    assert same >= 0.99


def test_a_stream_records_what_memory_does(tmp_path: Path, answer: Command) -> None:
    keys = ("--config=configs/quickstart.py", "--config.sweep=", "--config.record_examples=True",
            "--config.train_examples=200", "--config.epochs=2", "--config.model=mlp",
            "--config.hidden_sizes=(8,)", "--config.corruption=random_labels")  # fmt: skip
    found = {}
    for way in ("memory", "stream"):
        workdir = tmp_path / way
        done = answer(*keys, f"--config.input={way}", f"--workdir={workdir}")
        assert done.returncode == 0, done.stderr
        found[way] = recorder.read(workdir, ["random_labels"])
    for split, own in found["memory"].splits.items():
        other = found["stream"].splits[split]
        np.testing.assert_array_equal(own.labels, other.labels)
        np.testing.assert_array_equal(own.ids, other.ids)
        for key in NAMES:
            np.testing.assert_allclose(own.facts[key], other.facts[key], rtol=1e-4, atol=1e-4)


@pytest.mark.slow
def test_kills_at_any_moment_change_no_byte(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    assert command(*RUNS, f"--workdir={whole}").returncode == 0
    for lines in (1, 5, 12):
        process = start(environment, *RUNS, f"--workdir={cut}")
        wait_for_lines(cut, lines, process)
        process.kill()
        process.communicate()
    assert command(*RUNS, f"--workdir={cut}").returncode == 0
    assert (cut / "examples.npz").read_bytes() == (whole / "examples.npz").read_bytes()
    (cut / "examples.npz").write_bytes(b"PK nonsense")
    again = command(*RUNS, f"--workdir={cut}")
    assert again.returncode == 0
    assert "examples.npz is damaged" in again.stdout
    assert (cut / "examples.npz").read_bytes() == (whole / "examples.npz").read_bytes()
    (cut / "examples.npz").unlink()
    assert "examples.npz is missing" in command(*RUNS, f"--workdir={cut}").stdout
    # As where it is killed while the report is written: the part files are gone by then.
    (cut / "summary.json").unlink()
    assert command(*RUNS, f"--workdir={cut}").returncode == 0
    assert (cut / "examples.npz").read_bytes() == (whole / "examples.npz").read_bytes()


def test_facts_of_fewer_epochs_are_no_facts_of_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run goes on, and is killed after its last line and before what it recorded is written."""
    cut, whole = tmp_path / "cut", tmp_path / "whole"
    keys: dict[str, Any] = {"train_examples": 100, "stop_when_fitted": False}
    assert recorded(cut, [{"seed": 0}], epochs=2, **keys).epochs.tolist() == [2]

    def killed(*given: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patch:
        patch.setattr(recorder, "write_part", killed)
        with pytest.raises(RuntimeError):
            recorded(cut, [{"seed": 0}], epochs=4, **keys)
    found = recorded(cut, [{"seed": 0}], epochs=4, **keys)
    assert found.epochs.tolist() == [4]
    wanted = recorded(whole, [{"seed": 0}], epochs=4, **keys)
    chex.assert_trees_all_equal(found.splits["train"].facts, wanted.splits["train"].facts)


def test_runs_of_other_examples_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="do not read the same examples"):
        recorded(tmp_path / "run", [{"train_examples": 200}, {"train_examples": 300}])
    assert not (tmp_path / "run" / "config.json").exists()
    with pytest.raises(UserError, match="'record_examples' must be the same for all runs"):
        recorded(tmp_path / "run", [{"record_examples": False}, {"seed": 1}])


# Subsets --------------------------------------------------------------------------------------


def test_a_run_on_a_subset_is_a_run_on_a_data_set_of_it(tmp_path: Path) -> None:
    """The same seed gives the same order of places, so the two train on the same batches."""
    from helpers.lab import trained

    whole = load_dataset("mnist5k", train_examples=300)
    rng = np.random.default_rng(0)
    subsets = [rng.choice(300, 210, replace=False).astype(np.int32) for _ in range(2)]
    runs = [{"name": str(i), "seed": i} for i in range(2)]
    lines, found = trained(
        whole, runs, lambda i, run: run._replace(subset=subsets[i]), tmp_path / "subsets"
    )
    for i, positions in enumerate(subsets):
        part = Dataset(whole.name, whole.train.take(positions), whole.test, whole.class_names)
        own_lines, own = trained(part, [runs[i]], lambda i, run: run, tmp_path / f"part{i}")
        for key in ("train_accuracy", "test_accuracy", "running_accuracy"):
            assert [x[key] for x in lines[str(i)]] == [x[key] for x in own_lines[str(i)]]
        train, alone = found.splits["train"], own.splits["train"]
        assert train.trained[i].sum() == 210
        assert train.trained[i][positions].all()
        chex.assert_trees_all_close(
            {key: np.asarray(value[i][positions], float) for key, value in train.facts.items()},
            {key: np.asarray(value[0], float) for key, value in alone.facts.items()},
            atol=1e-4,
        )


def test_subsets_of_two_sizes_train_apart(tmp_path: Path) -> None:
    from helpers.lab import trained

    whole = load_dataset("mnist5k", train_examples=120)
    sizes = (60, 100, 60)
    lines, found = trained(
        whole,
        [{"name": str(i), "seed": 0} for i in range(3)],
        lambda i, run: run._replace(subset=np.arange(sizes[i], dtype=np.int32)),
        tmp_path / "run",
    )
    assert found.splits["train"].trained.sum(1).tolist() == list(sizes)
    assert lines["0"][-1]["train_loss"] == lines["2"][-1]["train_loss"]
    assert [len(lines[name]) for name in "012"] == [3, 3, 3]
