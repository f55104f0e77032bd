"""One experiment from Python: data and a network of one's own, with or without a report."""

import io
import json
from pathlib import Path

import flax.linen as nn
import jax
import numpy as np
import pytest
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.data import Dataset, arrays
from rethinking_jax.errors import UserError
from rethinking_jax.models import MODELS
from rethinking_jax.theory.settings import theory_config


class Mine(nn.Module):
    """A network that has no field but the one that it needs."""

    num_classes: int

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        """Maps images [b, h, w, c] to logits [b, num_classes]."""
        return nn.Dense(self.num_classes)(nn.relu(nn.Dense(8)(x.reshape(len(x), -1))))


@pytest.fixture(autouse=True)
def forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """A class that is given is kept in `MODELS`; here until the end of a test."""
    monkeypatch.setitem(MODELS, "test_run:Mine", Mine)


def mine(count: int = 60) -> Dataset:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (count, 6, 6), dtype=np.uint8)
    labels = rng.integers(0, 3, count)
    return arrays(images, labels, images[:20], labels[:20], name="noise")


def small(**changes: object) -> ConfigDict:
    config = configs.base_config()
    config.update(epochs=2, batch_size=20, stop_when_fitted=False, **changes)
    return config


def run(config: ConfigDict, workdir: Path, **options: object) -> tuple[dict, str]:
    """Returns the summary and what was shown."""
    file = io.StringIO()
    summary = experiment.run(config, workdir, console=Console(file=file, width=200), **options)
    return summary, file.getvalue()


def test_data_and_a_class_are_enough(tmp_path: Path) -> None:
    config, workdir = small(corruption="random_labels"), tmp_path / "run"
    summary, shown = run(config, workdir, dataset=mine(), model=Mine, report=False)
    (member,) = summary["members"]
    name = f"noise@{mine().digest}"
    assert (summary["dataset"], summary["num_classes"]) == (name, 3)
    assert (member["model"], member["parameters"]) == ("test_run:Mine", 36 * 8 + 8 + 8 * 3 + 3)
    assert member["config"]["dataset"] == name and member["config"]["model"] == "test_run:Mine"
    assert member["config"]["corruption"] == "random_labels" and "sweep" not in member["config"]
    assert json.loads((workdir / "summary.json").read_text()) == summary
    assert (config.dataset, config.model) == ("mnist5k", "mlp_1x512")  # left as it was
    assert "Report:" not in shown and not {"report.html", "figures", "tables"} & {
        path.name for path in workdir.iterdir()
    }
    again, shown = run(config, workdir, dataset=mine(), model=Mine)
    assert again == summary and "Complete already" in shown
    with pytest.raises(UserError, match="begun with dataset='noise@"):
        run(config, workdir, model=Mine)


def test_other_data_of_the_same_name_do_not_go_on(tmp_path: Path) -> None:
    run(small(), tmp_path / "run", dataset=mine(), report=False)
    (tmp_path / "run" / "summary.json").unlink()
    with pytest.raises(UserError, match="another config: dataset"):
        run(small(), tmp_path / "run", dataset=mine(59), report=False)


def test_what_the_runs_have_of_their_own_is_not_given_besides(tmp_path: Path) -> None:
    config = small(sweep=configs.runs(configs.sweep("model", ["linear", "mlp_1x512"])))
    with pytest.raises(UserError, match=r"config\.sweep sets model"):
        run(config, tmp_path / "run", model=Mine)
    with pytest.raises(UserError, match=r"model= has no effect on config\.kind=kernel"):
        run(theory_config("kernel"), tmp_path / "run", model=Mine)
    assert not (tmp_path / "run").exists()


def test_a_theory_experiment_takes_data_and_leaves_the_report_out(tmp_path: Path) -> None:
    config, workdir = theory_config("kernel", crop_size=0), tmp_path / "run"
    summary, shown = run(config, workdir, dataset=mine(), report=False)
    assert (summary["dataset"], summary["kind"]) == (f"noise@{mine().digest}", "kernel")
    assert sorted(path.name for path in workdir.iterdir()) == [
        "config.json", "data.json", "findings.json", "summary.json",
    ]  # fmt: skip
    assert "Report:" not in shown
