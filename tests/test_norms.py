"""Measures of weights and margins: definitions, and the columns that any run may ask for."""

import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command, read_metrics

from rethinking_jax import config as configs
from rethinking_jax import trained
from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.errors import UserError
from rethinking_jax.sweep.build import make_model

SMALL = (
    "--config=configs/quickstart.py",
    "--config.sweep=",
    "--config.model=mlp",
    "--config.hidden_sizes=(8, 6)",
    "--config.train_examples=60",
    "--config.batch_size=20",
    "--config.epochs=2",
    "--config.stop_when_fitted=False",
)


def test_the_distance_from_the_start_is_that_of_the_checkpoint(
    answer: Command, tmp_path: Path
) -> None:
    keys = (*SMALL, '--config.sweep=[{"seed": 3}, {"seed": 4, "corruption": "random_labels"}]')
    done = answer(*keys, "--config.measures=distance", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    lines = read_metrics(tmp_path)
    members = {
        own["name"]: own for own in json.loads((tmp_path / "summary.json").read_text())["members"]
    }
    for run in trained.load(tmp_path):
        images = np.zeros((1, 28, 28, 1), np.float32)
        start = make_model(run.config, 10).init(
            purpose_key(run.config.seed, "init"), images, train=False
        )
        squares = [
            np.sum((np.asarray(run.params[layer]["kernel"], float) - own["kernel"]) ** 2)
            for layer, own in start["params"].items()
        ]
        last = [line for line in lines if line["member"] == run.name][-1]
        assert last["distance_from_start"] == pytest.approx(np.sqrt(sum(squares)), rel=1e-5)
        assert members[run.name]["distance_from_start"] == last["distance_from_start"]
    first, second = (line["distance_from_start"] for line in lines[::2])
    assert 0 < first < second  # the first run, after one epoch and after two


def test_names_that_are_no_measures_are_refused() -> None:
    config = configs.base_config()
    config.measures = "distance+norm"
    with pytest.raises(UserError, match=r"config.measures=distance\+norm: 'norm' is not known"):
        configs.members(config)
