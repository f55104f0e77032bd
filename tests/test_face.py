"""The face of the package: what a notebook imports, runs and loads, and what one may add."""

import ast
import importlib
import json
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import numpy as np
import pytest
from conftest import REPOSITORY, Command, read_metrics
from ml_collections import ConfigDict
from rich.console import Console
from test_golden import FOLDER, STOPPED

import rethinking_jax as rj
from rethinking_jax.corruption import corrupt
from rethinking_jax.data import load_dataset
from rethinking_jax.data.runs import cropped
from rethinking_jax.report import __main__ as report
from rethinking_jax.report import page

EXAMPLES = sorted((REPOSITORY / "examples").glob("own_*.py"))
LIVE = (rj.MODELS, rj.CORRUPTIONS, rj.DATASETS, rj.METRICS, rj.LESSONS)


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    """Takes out again what a test has added to the tables of the package."""
    before = [dict(table) for table in LIVE]  # type: ignore[call-overload]
    yield
    for table, kept in zip(LIVE, before, strict=True):
        for name in set(table) - set(kept):
            del table[name]  # type: ignore[attr-defined]


class Mine(nn.Module):
    """One hidden layer, with batch norm."""

    num_classes: int
    width: int = 24
    convolutional = False

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        x = nn.Dense(self.width)(x.reshape(len(x), -1))
        x = nn.relu(nn.BatchNorm(use_running_average=not train, momentum=0.5)(x))
        return nn.Dense(self.num_classes)(x)


def made(change: int = 0) -> rj.Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (130, 12, 12, 3)).astype(np.uint8)
    labels = rng.integers(0, 4, 130)
    labels[0] = (labels[0] + change) % 4
    return rj.arrays(images[:90], labels[:90], images[90:], labels[90:], name="mine")


def small(**changes: object) -> ConfigDict:
    config = rj.base_config()
    config.epochs, config.batch_size, config.crop_size = 4, 30, 10
    config.corruption, config.checkpoint_every = "random_labels", 1
    config.learning_rate, config.eval_batch_size = 0.05, 40
    config.update(changes)
    return config


def norm(run: Any, variables: Any, apply: Callable[[jax.Array], jax.Array]) -> dict[str, float]:
    return {"norm": float(sum(np.sum(leaf**2) for leaf in jax.tree.leaves(variables["params"])))}


run = partial(rj.run, report=False, console=Console(file=StringIO()))


def accuracy(one: rj.TrainedRun, images: np.ndarray) -> float:
    """The accuracy on all training images, which lie in the order of their ids."""
    right = one.apply(images[one.labels.ids]).argmax(-1) == one.labels.labels
    return float(right.mean())


# The names --------------------------------------------------------------------------


def test_the_face_is_light() -> None:
    heavy = "{'jax', 'flax', 'numpy', 'pandas', 'matplotlib', 'tensorflow_datasets', 'orbax'}"
    code = f"import sys, rethinking_jax as rj; dir(rj); assert not {heavy} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=REPOSITORY)


def test_every_name_is_there_and_type_checkers_know_it() -> None:
    stub = ast.parse((REPOSITORY / "rethinking_jax" / "__init__.pyi").read_text())
    imported = [one for one in stub.body if isinstance(one, ast.ImportFrom)]
    homes = {alias.asname: one.module for one in imported for alias in one.names}
    assert sorted(filter(None, homes)) == [name for name in dir(rj) if name != "__version__"]
    for name, home in homes.items():
        found, module = getattr(rj, name or ""), importlib.import_module(home or "")
        assert found is getattr(module, name or "") and found is not None


def test_a_mistyped_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(AttributeError, match="no 'baseconfig': did you mean 'base_config'"):
        _ = rj.baseconfig  # type: ignore[attr-defined]
    with pytest.raises(rj.UserError, match="did you mean 'corruption'"):
        rj.base_config().corupption = "random_labels"
    with pytest.raises(rj.UserError, match="did you mean 'ridge'"):
        rj.theory_config("kernel").rigde = 1.0


# What is given in Python ------------------------------------------------------------


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two members of one program, with a model, data and a measure that were given."""
    workdir = tmp_path_factory.mktemp("given") / "run"
    config = small(preprocess="dataset", vectorize="vmap", epochs=8, stop_when_fitted=False)
    config.sweep = rj.runs([{"seed": 0}, {"seed": 1, "learning_rate": 0.01}])
    run(config, workdir, model=Mine, dataset=made(), measure=norm)
    return workdir


def config_of(workdir: Path) -> ConfigDict:
    plain = json.loads((workdir / "config.json").read_text())
    config = small(**{key: plain[key] for key in ("preprocess", "epochs", "stop_when_fitted")})
    config.sweep = rj.runs(plain["sweep"])
    return config


def test_what_is_given_is_trained_and_loaded(given: Path) -> None:
    data = made()
    summary = json.loads((given / "summary.json").read_text())
    loaded = rj.load(given)
    assert [one.name for one in loaded] == [one["name"] for one in summary["members"]]
    assert [one.config.learning_rate for one in loaded] == [0.05, 0.01]
    for one, member in zip(loaded, summary["members"], strict=True):
        assert one.config.model == "test_face:Mine" == member["model"]
        assert one.config.dataset == f"mine@{data.digest}" == summary["dataset"]
        assert one.summary == member and set(one.metrics["norm"]) > {member["norm"]}
        assert one.labels.ids.dtype == np.uint32 and one.labels.labels.dtype == np.int32
        assert accuracy(one, np.asarray(data.train.images)) == member["train_accuracy"]
        found = sum(np.sum(leaf**2) for leaf in jax.tree.leaves(one.params))
        assert found == pytest.approx(member["norm"]) and one.variables()["batch_stats"]
        answers = one.apply(np.asarray(data.test.images), "best")
        assert answers.dtype == np.float32 and answers.shape == (40, 4)
        kept = sorted(int(path.name) for path in given.glob("checkpoints/*/*"))
        by_step = {line["step"]: line["test_accuracy"] for line in one.lines}
        best = max(by_step[step] for step in kept)
        assert np.mean(answers.argmax(-1) == data.test.labels) == best


def test_images_and_checkpoints_that_do_not_fit(given: Path, tmp_path: Path) -> None:
    one, images = rj.load(given)[0], np.asarray(made().train.images)
    for wrong in (images / 255, images[:, 1:], images[..., :1], images[0]):
        with pytest.raises(rj.UserError, match=r"takes uint8 \[n, 12, 12, 3\] or \[n, 10, 10, 3\]"):
            one.apply(wrong)
    np.testing.assert_array_equal(one.apply(images), one.apply(images[:, 1:-1, 1:-1]))
    assert one.apply(images[:0]).shape == (0, 4)
    with pytest.raises(rj.UserError, match="must be last or best"):
        one.variables("first")  # type: ignore[arg-type]
    run(small(checkpoint_every=0, epochs=1), tmp_path, model=Mine, dataset=made())
    with pytest.raises(rj.UserError, match=r"has no checkpoint in .*checkpoint_every=0"):
        _ = rj.load(tmp_path)[0].params


def test_a_workdir_goes_on_with_what_it_was_given_only(given: Path) -> None:
    config = config_of(given)
    for wrong, message in (
        ({"dataset": made()}, "begun with model='test_face:Mine', which only Python can give"),
        ({"model": Mine}, "begun with dataset='mine@.*run.config, workdir, dataset="),
        ({"model": Mine, "dataset": made(1)}, "another config: dataset .'mine@.* now"),
        ({"model": partial(Mine, width=3), "dataset": made()}, r"'test_face:Mine\(width=3\)' now"),
    ):
        with pytest.raises(rj.UserError, match=message):
            run(config, given, **wrong)  # type: ignore[arg-type]
    assert len(run(config, given, model=Mine, dataset=made())["members"]) == 2


def test_a_measure_survives_a_resume(given: Path, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    shutil.copytree(given, workdir)
    (workdir / "summary.json").unlink()
    newest = max(workdir.glob("checkpoints/*/*"), key=lambda path: int(path.name))
    shutil.rmtree(newest)
    stopped = rj.load(workdir)[0]
    assert stopped.summary["norm"] == stopped.lines[-1]["norm"] and stopped.params
    run(config_of(given), workdir, model=Mine, dataset=made(), measure=norm)
    assert read_metrics(workdir) == read_metrics(given)


def test_what_is_no_data_set_and_no_measure_is_refused(tmp_path: Path) -> None:
    given: Any = (np.zeros((4, 8, 8)), np.zeros(4))
    with pytest.raises(rj.UserError, match="dataset=tuple: give what load_dataset or arrays"):
        run(small(), tmp_path / "a", model=Mine, dataset=given)
    number: Any = 3
    with pytest.raises(rj.UserError, match="measure=3 must be a function"):
        run(small(), tmp_path / "b", model=Mine, dataset=made(), measure=number)
    nothing: Any = lambda *_: None  # noqa: E731
    with pytest.raises(rj.UserError, match="measure returned None: it must return names"):
        run(small(), tmp_path / "c", model=Mine, dataset=made(), measure=nothing)
    assert not (tmp_path / "a").exists() and not (tmp_path / "b").exists()


def test_a_network_whose_output_is_no_logits_is_refused(tmp_path: Path) -> None:
    class Flat(Mine):
        @nn.compact
        def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
            return nn.Dense(3)(x.reshape(len(x), -1))

    with pytest.raises(rj.UserError, match=r"Flat' makes \[2, 3\] of 2 images .* logits, \[2, "):
        run(small(epochs=1), tmp_path / "flat", model=Flat, dataset=made())
    for name in [name for name in rj.MODELS if ":" in name]:
        del rj.MODELS[name]


def test_a_class_that_cannot_be_imported_is_asked_for(given: Path, tmp_path: Path) -> None:
    class Local(Mine):
        pass

    run(small(epochs=1), tmp_path, model=Local, dataset=made())
    images = np.asarray(made().train.images)
    expected = rj.load(tmp_path)[0].apply(images)
    for name in [name for name in rj.MODELS if ":" in name]:
        del rj.MODELS[name]  # as in another session
    assert rj.load(given)[0].params
    with pytest.raises(rj.UserError, match=r"<locals>.Local' is not known here.*model=\.\.\.\)"):
        rj.load(tmp_path)[0].apply(images)
    np.testing.assert_array_equal(rj.load(tmp_path, model=Local)[0].apply(images), expected)
    with pytest.raises(rj.UserError, match="another network now"):
        rj.load(tmp_path, model=partial(Local, width=5))[0].apply(images)


@pytest.mark.parametrize(
    ("changes", "given", "message"),
    [
        ({"sweep": '[{"model": "linear"}]'}, {"model": Mine}, "config.sweep sets model"),
        ({}, {"model": Mine(num_classes=3)}, "give a class of flax.linen"),
        ({}, {"model": "linear"}, "a name of MODELS goes into config.model"),
        ({"input": "stream"}, {"dataset": made()}, "input='stream' has no effect"),
    ],
)
def test_what_cannot_be_given(
    changes: dict[str, Any], given: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(rj.UserError, match=message):
        run(small(**changes), tmp_path / "run", **given)
    assert not (tmp_path / "run").exists()


def test_theory_takes_data_of_ones_own(tmp_path: Path) -> None:
    config = rj.theory_config("kernel", train_examples=50, crop_size=10)
    (member,) = run(config, tmp_path, dataset=made())["members"]
    assert member["train_examples"] == 50 and member["dataset"].startswith("mine@")
    assert member["train_error"] == 0.0
    with pytest.raises(rj.UserError, match=r"holds what theory says \(kind=kernel\)"):
        rj.load(tmp_path)
    with pytest.raises(rj.UserError, match=r"model= has no effect on config\.kind=kernel"):
        run(config, tmp_path, model=Mine)
    with pytest.raises(rj.UserError, match="measure= is for runs that train"):
        run(config, tmp_path, dataset=made(), measure=norm)


# What was trained -------------------------------------------------------------------


@pytest.mark.parametrize("source", ["memory", "stream"])
def test_answers_are_those_of_the_evaluation(source: str, tmp_path: Path) -> None:
    preprocess = ("paper", "dataset", "inception", "none", "raw")
    own = preprocess if source == "memory" else preprocess[:2]
    config = small(dataset="mnist5k", train_examples=200, input=source, epochs=2, crop_size=20)
    config.data_devices, config.batch_size = 1, 50
    config.update({"model": "mlp", "hidden_sizes": (16,), "learning_rate": 0.01})
    config.sweep = rj.runs([{"preprocess": name} for name in own])
    run(config, tmp_path)
    images = np.asarray(load_dataset("mnist5k").train.images)
    for one in rj.load(tmp_path):
        assert accuracy(one, images) == one.summary["train_accuracy"] > 0


def test_a_workdir_of_the_version_before(answer: Command, tmp_path: Path) -> None:
    with tarfile.open(FOLDER / "stopped.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    workdir = tmp_path / "stopped"
    before = rj.load(workdir)[0]
    assert before.params and len(before.metrics) == before.summary["epochs"]
    assert answer(*STOPPED, "--workdir=stopped", cwd=tmp_path).returncode == 0
    (workdir / "data.json").unlink()  # a version before that was through kept none
    (workdir / "ids.npz").unlink()
    images = np.asarray(load_dataset("mnist5k").train.images)
    labels, noise = rj.load(workdir)
    assert accuracy(labels, images) == labels.summary["train_accuracy"]
    data = cropped(load_dataset("mnist5k"), noise.config.crop_size)
    drawn = corrupt(noise.config, data)
    ids = noise.labels.ids
    seen = np.asarray(drawn.images("train", ids, data.train.images[ids]))
    right = noise.apply(seen).argmax(-1) == noise.labels.labels
    assert right.mean() == pytest.approx(noise.summary["train_accuracy"], abs=0.01)


def test_a_folder_without_an_experiment(tmp_path: Path) -> None:
    with pytest.raises(rj.UserError, match=r"holds no experiment: there is no config\.json"):
        rj.load(tmp_path)


def test_without_pandas_a_line_says_what_to_install(
    given: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(rj.UserError, match="needs pandas: pip install"):
        _ = rj.load(given)[0].metrics


# What one may add -------------------------------------------------------------------


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_resumes_and_is_reported(
    example: Path, answer: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = (f"--config={example}", "--workdir=there")
    first = answer(*words, cwd=tmp_path)
    assert first.returncode == 0, first.stderr
    workdir = tmp_path / "there"
    lines, members = read_metrics(workdir), rj.load(workdir)
    shown = (workdir / "report.html").read_text()
    random = members[-1].summary
    assert random["train_accuracy"] == 1.0 and random["test_accuracy"] < 0.65
    assert len(example.read_text().splitlines()) <= 40
    tell = {
        "own_metric": "train_margin" in random and random["test_margin"] < random["train_margin"],
        "own_lesson": "YES" in shown.upper() and (workdir / "figures" / "rates.png").exists(),
        "own_corruption": "first class" in shown and 0.3 < random["flipped_fraction"] < 0.5,
        "own_data": "stripes:300" in shown and members[0].summary["test_accuracy"] > 0.9,
        "own_model": members[0].params["Dense_0"]["kernel"].shape == (14 * 14, 128),
    }
    assert tell[example.stem]
    (workdir / "summary.json").unlink()
    with monkeypatch.context() as patch:
        patch.setattr(page, "write_report", lambda *_: None)  # it is drawn before and after
        assert answer(*words, cwd=tmp_path).returncode == 0
    assert read_metrics(workdir) == lines
    for table in LIVE:  # the report's command does not read the config file
        for name in ("averaged", "first_class", "stripes", "margin", "own_lesson"):
            table.pop(name, None)  # type: ignore[attr-defined]
    assert report.main([str(workdir)]) == 0
    (data,) = json.loads((workdir / "data.json").read_text())
    blank = np.zeros((1, *data["image_shape"]), np.uint8)
    loaded = rj.load(workdir)[-1]
    if example.stem == "own_model":
        with pytest.raises(rj.UserError, match="model='averaged' is not known here: give its"):
            loaded.apply(blank)
    else:
        assert loaded.apply(blank).shape == (1, data["num_classes"])
