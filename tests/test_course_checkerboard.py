"""Points of a checkerboard, a sigmoid for two classes, and the lesson made of them."""

import io
import itertools
import json
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from conftest import Command, read_metrics
from helpers.config_files import CONFIGS, load
from helpers.results import checkerboards
from ml_collections import ConfigDict
from PIL import Image

from rethinking_jax import config, experiment
from rethinking_jax.course import LESSONS
from rethinking_jax.data import load_dataset, runs
from rethinking_jax.data.checkerboard import sizes
from rethinking_jax.data.dataset import Split
from rethinking_jax.errors import UserError
from rethinking_jax.language.translate import translator
from rethinking_jax.models import create_model
from rethinking_jax.pictures import decision_map
from rethinking_jax.report.section import plots_of
from rethinking_jax.step.preprocess import pixel_moments
from rethinking_jax.workdir import checkpoint


def points(split: Split) -> np.ndarray:
    assert split.images.shape[1:] == (1, 2, 1) and split.images.dtype == np.float32
    return split.images[:, 0, :, 0]


# The data ---------------------------------------------------------------------------------


def test_classes_follow_the_signs_of_two_sines() -> None:
    """Squares of side 1/2: the sign of sin(2 pi x1) sin(2 pi x2), 1 where it is negative."""
    board = load_dataset("checkerboard:3000+50")
    for split in (board.train, board.test, board.further["outside"]):
        x = points(split).astype(np.float64)
        np.testing.assert_array_equal(split.labels, np.sin(2 * np.pi * x).prod(1) < 0)
    assert board.num_classes == 2
    # 8 of the 15 squares in the distribution are of class 1.
    assert abs(board.train.labels[:3000].mean() - 8 / 15) < 0.04
    assert set(board.further["outside"].labels) == {0}


def test_training_points_fill_the_board_but_for_the_square_that_is_left_out() -> None:
    board = load_dataset("checkerboard:15000+200")
    train, outside = points(board.train), points(board.further["outside"])
    assert len(train) == 15200 and len(outside) == len(board.test.labels) == 1000
    for inside in (train[:15000], points(board.test)):
        assert (np.abs(inside) < 1).all()
        assert not ((inside > 0) & (inside < 0.5)).all(1).any()
    for beyond in (train[15000:], outside):
        assert ((beyond > 0) & (beyond < 0.5)).all()
        # Uniform in it: mean 1/4, deviation 1/2 / sqrt(12).
        assert np.abs(beyond.mean(0) - 0.25).max() < 4 * 0.1443 / np.sqrt(len(beyond))
    # As many in each of the 15 squares, and in each quarter of them.
    for parts in (4, 8):
        counts, _, _ = np.histogram2d(*train[:15000].T, bins=parts, range=[[-1, 1], [-1, 1]])
        share = 15000 / (15 / 16 * parts**2)
        counted = counts[counts > 0]
        assert len(counted) == 15 * parts**2 / 16
        assert np.abs(counted - share).max() < 5 * np.sqrt(share)


def test_fewer_points_are_the_first_of_more_and_tests_are_always_the_same() -> None:
    few, many, more = map(load_dataset, ("checkerboard:500", "checkerboard:5000",
                                         "checkerboard:500+9"))  # fmt: skip
    np.testing.assert_array_equal(few.train.images, many.train.images[:500])
    np.testing.assert_array_equal(few.train.images, more.train.images[:500])
    np.testing.assert_array_equal(few.train.ids, many.train.ids[:500])
    for name, split in (("test", few.test), ("outside", few.further["outside"])):
        for other in (many, more):
            theirs = other.test if name == "test" else other.further["outside"]
            np.testing.assert_array_equal(split.images, theirs.images)
    assert len(np.unique(more.train.ids)) == 509
    # No point is in two splits.
    every = np.concatenate([points(split) for split in (more.train, more.test,
                                                        more.further["outside"])])  # fmt: skip
    assert len(np.unique(every, axis=0)) == 2509


def test_points_are_the_same_for_everyone_for_ever() -> None:
    x = points(load_dataset("checkerboard:2+1").train)
    fractions = (x + 1) * 2 * 2**20 - 0.5
    np.testing.assert_array_equal(fractions, np.rint(fractions))
    raw = [np.random.Philox(key=key).random_raw(6) for key in (0, 2)]
    squares = [square for square in itertools.product(range(4), range(4)) if square != (2, 2)]
    for k, own in enumerate((raw[0][:3], raw[0][3:], raw[1][:3])):
        square = squares[int(own[0]) % 15] if k < 2 else (2, 2)
        for axis in (0, 1):
            wanted = square[axis] + ((int(own[1 + axis]) >> 44) + 0.5) / 2**20
            assert x[k, axis] == wanted / 2 - 1


OTHERS = ("", ":", ":0", ":9+", ":x", ":2000000")


@pytest.mark.parametrize("name", [f"checkerboard{other}" for other in OTHERS])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(UserError, match=rf"dataset='{re.escape(name)}' must be checkerboard:N or"):
        load_dataset(name)
    assert sizes("checkerboard:7+2") == (7, 2)


def test_moments_of_points_are_numpy_s() -> None:
    x = np.random.default_rng(0).normal(3, 2, (50, 1, 2, 3)).astype(np.float32)
    mean, std = pixel_moments(x)
    np.testing.assert_allclose(mean, x.reshape(-1, 3).mean(0), rtol=1e-5)
    np.testing.assert_allclose(std, x.reshape(-1, 3).std(0), rtol=1e-5)


def board_config(**changes: object) -> ConfigDict:
    c = config.base_config()
    c.update(dataset="checkerboard:128+4", preprocess="none", crop_size=0, model="mlp_sigmoid",
             hidden_sizes=(16, 16), learning_rate=0.05, batch_size=32, epochs=5)  # fmt: skip
    c.update(changes)
    return c


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"preprocess": "paper"}, "config.preprocess='paper' is for images"),
        ({"crop_size": 28}, "config.crop_size=28 is for images"),
        ({"augmentation": "flip"}, "config.augmentation='flip' is for images"),
        ({"image_size": 4}, "config.image_size=4 is for images"),
        ({"input": "stream"}, "is read into memory only"),
        ({"model": "alexnet_small", "hidden_sizes": ()}, "take an MLP"),
    ],
)
def test_what_is_for_images_is_refused(changes: dict, words: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=words) as error:
        experiment.run(board_config(**changes), tmp_path / "none")
    assert "\n" not in str(error.value)
    assert not (tmp_path / "none").exists()


# The network ------------------------------------------------------------------------------


def test_the_sigmoid_s_loss_and_gradient_are_binary_cross_entropy_s() -> None:
    """Against one hidden layer written out in NumPy, float64."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(7, 1, 2, 1)), rng.integers(0, 2, 7)
    model = create_model("mlp_sigmoid", num_classes=2, hidden_sizes=(5,))
    w1, b1, w2, b2 = (rng.normal(size=shape) for shape in ((2, 5), 5, (5, 1), 1))
    params = {"Dense_0": {"kernel": w1, "bias": b1}, "Dense_1": {"kernel": w2, "bias": b2}}
    params = jax.tree.map(jnp.float32, params)

    def loss(params: dict) -> jax.Array:
        logits = model.apply({"params": params}, jnp.float32(x), train=True)
        return optax.softmax_cross_entropy_with_integer_labels(logits, y).mean()

    flat = x.reshape(7, 2)
    before = flat @ w1 + b1
    z = (np.maximum(before, 0) @ w2 + b2)[:, 0]
    p = 1 / (1 + np.exp(-z))
    value, grads = jax.value_and_grad(loss)(params)
    assert value == pytest.approx(-np.mean(y * np.log(p) + (1 - y) * np.log(1 - p)), rel=1e-5)
    slope = (p - y)[:, None] / 7
    hidden = (slope @ w2.T) * (before > 0)
    expected = {
        "Dense_0": {"kernel": flat.T @ hidden, "bias": hidden.sum(0)},
        "Dense_1": {"kernel": np.maximum(before, 0).T @ slope, "bias": slope.sum(0)},
    }
    theirs = jax.tree.leaves(expected)
    for ours, wanted in zip(jax.tree.leaves(grads), theirs, strict=True):
        np.testing.assert_allclose(ours, wanted, rtol=2e-4, atol=1e-6)
    logits = model.apply({"params": params}, jnp.float32(x), train=False)
    np.testing.assert_allclose(jax.nn.softmax(logits)[:, 1], p, rtol=1e-5)


def test_a_sigmoid_is_for_two_classes() -> None:
    with pytest.raises(UserError, match="for 2 classes, and the data set has 10"):
        create_model("mlp_sigmoid", num_classes=10, hidden_sizes=(5,))
    with pytest.raises(UserError, match=r"hidden_sizes=\(\): model='mlp_sigmoid' needs"):
        create_model("mlp_sigmoid", num_classes=2)


# Measured every few epochs ----------------------------------------------------------------


def test_epochs_that_are_not_measured_change_nothing_else(tmp_path: Path) -> None:
    """Also where a run goes on from a checkpoint between two measurements."""
    every = board_config(epochs=5, checkpoint_every=2, checkpoints_to_keep=9)
    few = board_config(epochs=5, checkpoint_every=2, checkpoints_to_keep=9, measure_every=3)
    for name, c in (("every", every), ("few", few)):
        experiment.run(c, tmp_path / name, report=False)
    lines, some = (read_metrics(tmp_path / name) for name in ("every", "few"))
    assert [line["epoch"] for line in some] == [3, 5]
    for line in some:
        whole = lines[line["epoch"] - 1]
        assert {k: v for k, v in line.items() if not k.startswith("running")} == {
            k: v for k, v in whole.items() if not k.startswith("running")
        }
    # Means over the epochs since the last measurement.
    for line, epochs in zip(some, ((1, 2, 3), (4, 5)), strict=True):
        mean = np.mean([lines[epoch - 1]["running_loss"] for epoch in epochs])
        assert line["running_loss"] == pytest.approx(mean, rel=1e-5)
    (folder,) = (tmp_path / "few" / "checkpoints").iterdir()
    steps = checkpoint.saved_steps(folder)
    assert steps == [10, 20, 25]
    (tmp_path / "few" / "summary.json").unlink()
    (folder / "25").rename(tmp_path / "gone")
    experiment.run(few, tmp_path / "few", report=False)
    assert read_metrics(tmp_path / "few") == some


# The film ---------------------------------------------------------------------------------


def test_maps_are_the_checkpoints_own_answers(tmp_path: Path) -> None:
    """The last of them, counted at the test points' places, has the accuracy of the last line."""
    c = board_config(epochs=40, checkpoint_every=20, checkpoints_to_keep=9, stop_when_fitted=False)
    maps: list = []
    original = decision_map.of_runs

    def kept(*arguments: object) -> list[decision_map.Panel]:
        maps.extend(original(*arguments))  # type: ignore[arg-type]
        return maps

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decision_map, "of_runs", kept)
        experiment.run(c, tmp_path)
    (panel,) = maps
    assert panel.steps == (0, 100, 200)
    assert panel.outside.sum() == 4 and len(panel.points) == 132
    assert panel.probabilities.shape == (3, 125, 125)
    board = load_dataset("checkerboard:128+4")
    x1, x2 = (
        np.floor((points(board.test) + decision_map.EXTENT) / (2 * decision_map.EXTENT) * 125)
        .astype(int)
        .T
    )
    said = panel.probabilities[:, x2, x1] > 0.5
    line = json.loads((tmp_path / "metrics.jsonl").read_text().splitlines()[-1])
    share = (said[-1] == board.test.labels).mean()
    assert share == pytest.approx(line["test_accuracy"], abs=0.03)  # a grid's points are others
    assert not np.allclose(panel.probabilities[0], panel.probabilities[1], atol=1e-3)
    # The same bytes every time, in one language.
    first = (tmp_path / "figures" / "decision_map.gif").read_bytes()
    decision_map.write(maps, translator("en"), tmp_path / "again" / "decision_map.gif")
    assert (tmp_path / "again" / "decision_map.gif").read_bytes() == first
    decision_map.write(maps, translator("es"), tmp_path / "es" / "decision_map.gif")
    assert (tmp_path / "es" / "decision_map.gif").read_bytes() != first


def test_images_have_no_map_of_the_plane() -> None:
    c = config.base_config()
    c.train_examples = c.batch_size = 20
    (member,) = config.members(c)
    (found,) = runs.load_datasets([member], lambda line: None).values()
    assert not found.holds_points
    assert load_dataset("checkerboard:2").holds_points


# The lesson -------------------------------------------------------------------------------


def test_verdicts_name_their_numbers_and_need_the_runs() -> None:
    rises, flat, few = LESSONS["course_checkerboard"].judge(checkerboards())
    assert "0.901 with 500" in rises.ours and "0.941 with 5,000" in rises.ours
    assert "over seeds and test set" in rises.ours and "2 seeds" in rises.ours
    assert "0.101 with 1,000, 0.601 with 1,000 + 9" in few.ours
    assert flat.outcome == "yes"
    # The last three measurements of each seed count, as long as there are so many.
    results = checkerboards()
    for name, lines in results.lines.items():
        if "1000+9" in name:
            lines[:] = [{**lines[0], "outside_accuracy": value} for value in (1, 0.2, 0.4, 0.9)]
    assert "0.500 with 1,000 + 9" in LESSONS["course_checkerboard"].judge(results)[2].ours
    results = checkerboards()
    alone = results._replace(
        summary={**results.summary, "members": results.summary["members"][:2]},
        config={**results.config, "sweep": results.config["sweep"][:2]},
    )
    found = LESSONS["course_checkerboard"].judge(alone)
    assert [verdict.outcome for verdict in found] == ["not measured"] * 3
    assert "N + K" in found[2].ours


def test_slides_have_the_examples_from_outside_beside_the_others() -> None:
    by_examples, inside, outside = plots_of(checkerboards())
    assert [curve.x for curve in by_examples.curves] == [[500, 1000, 5000]] * 2 + [[1009]] * 2
    assert by_examples.curves[3].y == pytest.approx([0.601])
    assert [curve.label for curve in outside.curves] == [
        "500 examples", "1,000 examples", "5,000 examples", "1,000 + 9 examples",
    ]  # fmt: skip
    assert inside.curves[0].x == [10, 20]  # steps of an epoch in the made-up runs
    assert inside.x_label == "steps"


def test_the_config_gives_every_run_as_many_steps() -> None:
    (path,) = (path for path in CONFIGS if path.stem == "course_checkerboard")
    for member in config.members(load(path)):
        batches = sum(sizes(member.config.dataset)) // 128
        assert member.config.epochs * batches == 8190  # 30 * 3 * 7 * 13
        assert member.config.epochs == 10 * member.config.checkpoint_every
        assert member.config.epochs == 30 * member.config.measure_every
    with pytest.raises(UserError, match="steps=5: must be at least 30"):
        load(path, "steps=5")
    with pytest.raises(UserError, match="must be checkerboard:N"):
        load(path, "examples=many")


@pytest.mark.slow
def test_the_command_measures_outside_and_makes_the_film(answer: Command, tmp_path: Path) -> None:
    words = "examples=128+256,beside=128,outside=3,seeds=2,steps=50"
    done = answer(f"--config=configs/course_checkerboard.py:{words}", f"--workdir={tmp_path}",
                   "--config.hidden_sizes=(16,16)", "--config.language=es")  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = read_metrics(tmp_path)
    assert len(lines) == 6 * 30
    assert all(0 <= line["outside_accuracy"] <= 1 and "outside_loss" in line for line in lines)
    members = json.loads((tmp_path / "summary.json").read_text())["members"]
    assert {member["name"].partition(",")[0] for member in members} == {"128", "256", "128+3"}
    assert all("outside_accuracy" in member for member in members)
    image = (tmp_path / "figures" / "decision_map.gif").read_bytes()
    with Image.open(io.BytesIO(image)) as gif:
        assert gif.n_frames == 1 + 10  # before the first step, then the checkpoints
    assert (tmp_path / "figures" / "decision_map.png").read_bytes().startswith(b"\x89PNG")
    report = (tmp_path / "report.html").read_text()
    assert report.count("data:image/gif;base64,") == 1
    assert "checkerboard:128, checkerboard:256, checkerboard:128+3" in report
