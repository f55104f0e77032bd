"""A validation set: its parts, who is chosen, and the one look at the test set."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import orbax.checkpoint as ocp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from rethinking_jax import experiment
from rethinking_jax.config import Member, base_config, runs
from rethinking_jax.data import load_dataset, subset
from rethinking_jax.data.parts import chosen_parts
from rethinking_jax.errors import UserError
from rethinking_jax.models import create_model
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.sweep import selection

VALIDATION, TRAINED = 300, 500


@settings(deadline=None)
@given(st.data(), st.integers(2, 300), st.integers(0, 2**31 - 1))
def test_the_parts_never_meet_and_validation_stays_the_same(
    data: st.DataObject, count: int, seed: int
) -> None:
    aside = data.draw(st.integers(1, count - 1))
    few = data.draw(st.integers(1, count - aside))
    part = chosen_parts("digits", count, few, seed, aside)
    rest = chosen_parts("digits", count, 0, seed, aside)
    assert part.train is not None and rest.train is not None
    np.testing.assert_array_equal(part.validation, rest.validation)
    assert len(set(part.validation.tolist())) == aside
    assert sorted([*rest.train, *rest.validation]) == list(range(count))
    assert set(part.train.tolist()) <= set(rest.train.tolist())
    # Trained on as many without a validation set, the examples are the same.
    without = chosen_parts("digits", count, few, seed)
    np.testing.assert_array_equal(part.train, without.train)
    assert not len(without.validation)


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"validation_examples": 4000}, "validation_examples=4000 is out of range"),
        ({"validation_examples": 500, "train_examples": 3501}, "so give 1..3500, or 0 for all"),
        ({"validation_examples": -1}, "config.validation_examples=-1"),
        ({"validation_examples": 500, "checkpoint_every": 0}, "config.checkpoint_every=0"),
        ({"sweep": runs([{"validation_examples": 10}])}, "one for the whole command"),
        (
            {
                "validation_examples": 10,
                "sweep": runs([{"dataset": "mnist5k"}, {"dataset": "mnist"}]),
            },
            "chosen on one data set",
        ),
    ],
)
def test_what_cannot_be_is_one_line(keys: dict, words: str, tmp_path: Path) -> None:
    config = base_config()
    config.update(keys)
    with pytest.raises(UserError, match=words) as error:
        experiment.run(config, tmp_path / "run")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "run").exists()


def choose(*accuracies: tuple[float, list[float | None]]) -> list[str]:
    """Who is chosen of settings with a learning rate and an accuracy for each seed."""
    members, lines = [], {}
    for rate, values in accuracies:
        for seed, value in enumerate(values):
            config = base_config()
            config.learning_rate, config.seed = rate, seed
            members.append(Member(f"{rate},{seed}", config))
            loss = None if value is None else 1.0
            line = {"train_loss": loss, "running_loss": loss, "validation_accuracy": value}
            lines[members[-1].name] = [{**line, "validation_accuracy": 1.0}, line]
    return selection.chosen_runs(members, lines)


def test_the_setting_with_the_best_mean_at_its_end_is_chosen() -> None:
    assert choose((0.1, [0.9, 0.5]), (0.2, [0.8, 0.7])) == ["0.2,0", "0.2,1"]
    assert choose((0.1, [0.7]), (0.2, [0.7])) == ["0.1,0"]  # the first of equals
    # Of a setting that diverged for one seed nothing is known.
    assert choose((0.1, [0.9, None]), (0.2, [0.3, 0.2])) == ["0.2,0", "0.2,1"]
    assert choose((0.1, [None])) == []


def small(**keys: object) -> ConfigDict:
    """Two learning rates and two seeds of a small MLP, and the seed's first rate is hopeless."""
    config = base_config()
    config.model, config.hidden_sizes = "mlp", (16,)
    config.train_examples, config.validation_examples = TRAINED, VALIDATION
    config.batch_size, config.epochs, config.stop_when_fitted = 50, 3, False
    rates = [{"learning_rate": rate, "seed": s} for rate in (1e-5, 0.05) for s in (0, 1)]
    config.sweep = runs(rates)
    config.update(keys)
    return config


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """A workdir, and its summary."""
    workdir = tmp_path_factory.mktemp("validated") / "run"
    return workdir, experiment.run(small(), workdir)


def lines_of(workdir: Path) -> list[dict]:
    return [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]


def test_only_the_chosen_runs_look_at_the_test_set(trained: tuple[Path, dict]) -> None:
    workdir, summary = trained
    assert not any(key.startswith("test") for line in lines_of(workdir) for key in line)
    assert summary["chosen"] == ["learning_rate=0.05,seed=0", "learning_rate=0.05,seed=1"]
    tested = [member["name"] for member in summary["members"] if "test_accuracy" in member]
    assert tested == summary["chosen"]
    assert summary["validation_examples"] == VALIDATION
    for member in summary["members"]:
        own = [line for line in lines_of(workdir) if line["member"] == member["name"]]
        best = max(line["validation_accuracy"] for line in own)
        assert member["best_validation_accuracy"] == best
        assert member["validation_accuracy"] == own[-1]["validation_accuracy"]


def test_accuracies_are_those_of_the_checkpoint_on_each_part(trained: tuple[Path, dict]) -> None:
    """An independent way: orbax's own reader, the model applied to the data set's arrays."""
    workdir, summary = trained
    digits = subset(load_dataset("mnist5k"), TRAINED, 0, VALIDATION)
    prepare = make_preprocess("paper", np.zeros(1), np.ones(1))
    model = create_model("mlp", num_classes=10, hidden_sizes=(16,))
    folders = sorted({member["checkpoints"] for member in summary["members"]})
    saved = {}
    for folder in folders:
        last = max((workdir / folder).iterdir(), key=lambda path: int(path.name))
        saved[folder] = ocp.StandardCheckpointer().restore(last / "state")[0]["params"]
    places: dict[str, int] = {}
    for member in summary["members"]:
        place = places.setdefault(member["checkpoints"], 0)
        places[member["checkpoints"]] += 1
        own = jax.tree.map(lambda leaf, i=place: leaf[i], saved[member["checkpoints"]])
        splits = {"validation": digits.further["validation"], "test": digits.test}
        for name, split in splits.items():
            if f"{name}_accuracy" not in member:
                continue
            images = prepare(jnp.asarray(split.images))
            logits = model.apply({"params": own}, images, train=False)
            accuracy = np.mean(np.asarray(logits).argmax(-1) == split.labels)
            assert member[f"{name}_accuracy"] == pytest.approx(accuracy, abs=1e-6)


def test_what_ended_before_its_summary_looks_again_and_sees_the_same(
    trained: tuple[Path, dict],
) -> None:
    workdir, summary = trained
    before = lines_of(workdir)
    (workdir / "summary.json").unlink()
    again = experiment.run(small(), workdir)
    assert lines_of(workdir) == before
    times = ("wall_seconds",)
    assert {k: v for k, v in again.items() if k not in times} == {
        k: v for k, v in summary.items() if k not in times
    }


def test_one_program_of_several_runs_and_a_stream_choose_the_same(
    trained: tuple[Path, dict], tmp_path: Path
) -> None:
    _, summary = trained
    kinds = {"vmap": {"vectorize": "vmap"}, "stream": {"input": "stream", "data_devices": 1}}
    for name, keys in kinds.items():
        other = experiment.run(small(**keys), tmp_path / name)
        assert other["chosen"] == summary["chosen"]
        for ours, theirs in zip(summary["members"], other["members"], strict=True):
            for key in ("validation_accuracy", "test_accuracy"):
                assert (key in ours) == (key in theirs)
                if key in ours:
                    assert ours[key] == pytest.approx(theirs[key], abs=0.005)
            assert ours["labels_sha256"] == theirs["labels_sha256"]


def test_label_noise_leaves_the_validation_labels_alone(tmp_path: Path) -> None:
    """A network that fits random labels is at chance on true ones, also on those set aside."""
    config = small(sweep="", corruption="random_labels", epochs=60, learning_rate=0.05,
                   checkpoint_every=60)  # fmt: skip
    config.hidden_sizes = (256,)
    summary = experiment.run(config, tmp_path / "noise")
    (member,) = summary["members"]
    assert member["train_accuracy"] > 0.9
    assert member["validation_accuracy"] < 0.2 and member["test_accuracy"] < 0.2


def test_the_report_says_who_was_chosen_and_judges_nothing(trained: tuple[Path, dict]) -> None:
    workdir, summary = trained
    rows = (workdir / "tables" / "results.md").read_text().splitlines()
    assert "| val. acc. |" in rows[0] and "| test acc. |" in rows[0]
    column = [cell.strip() for cell in rows[0].split("|")].index("test acc.")
    shown = [[cell.strip() for cell in row.split("|")][column] for row in rows[2:6]]
    accuracies = [f"{member['test_accuracy']:.4f}" for member in summary["members"][2:]]
    assert shown == ["-", "-", *accuracies]
    text = (workdir / "report.html").read_text()
    assert "The paper&#39;s claims are about the test set" in text
    assert 'class="verdict' not in text.replace('class="verdict {{', "")
    assert f"{VALIDATION} validation" in text
