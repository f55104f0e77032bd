"""A user's own numbers of every run, in the lines of metrics.jsonl."""

import json
from collections.abc import Callable, Mapping
from io import StringIO
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import read_metrics
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.config import runs
from rethinking_jax.data import load_dataset
from rethinking_jax.errors import UserError
from rethinking_jax.sweep.engine import Run


def small(vectorize: str) -> ConfigDict:
    config = configs.base_config()
    config.dataset, config.model, config.hidden_sizes = "mnist5k", "mlp", (16,)
    config.train_examples, config.epochs, config.measure_every = 200, 4, 2
    config.corruption, config.crop_size, config.batch_size = "random_labels", 20, 50
    config.sweep = runs([{"seed": 0}, {"seed": 1}, {"seed": 2, "learning_rate": 0.02}])
    config.vectorize, config.checkpoint_every = vectorize, 0
    return config


@pytest.mark.parametrize("vectorize", ["vmap", "loop"])
def test_own_numbers_are_those_of_each_member(vectorize: str, tmp_path: Path) -> None:
    """The accuracy by `apply` is that of our own evaluation; norms differ from run to run."""
    test = load_dataset("mnist5k").test
    seen: list[tuple[str, float]] = []

    def measure(
        run: Run, variables: Any, apply: Callable[[jax.Array], jax.Array]
    ) -> Mapping[str, float]:
        seen.append((run.name, run.config.learning_rate))
        leaves = jax.tree.leaves(variables["params"])
        assert variables.keys() == {"params", "batch_stats"} and leaves[0].ndim == 1
        right = np.asarray(jnp.argmax(apply(jnp.asarray(test.images)), -1)) == test.labels
        norm = float(sum(np.sum(np.square(leaf)) for leaf in leaves))
        return {"own_accuracy": right.mean(), "norm": norm, "infinite": np.float32("inf")}

    config = small(vectorize)
    experiment.run(
        config, tmp_path, measure=measure, report=False, console=Console(file=StringIO())
    )
    lines = read_metrics(tmp_path)
    assert [line["epoch"] for line in lines if line["member"] == "seed=0"] == [2, 4]
    assert len(seen) == len(lines) == 6 and len({line["norm"] for line in lines}) == 6
    for line in lines:
        assert line["own_accuracy"] == pytest.approx(line["test_accuracy"], abs=1e-3)
        assert line["infinite"] is None
    assert dict(seen)["seed=2,learning_rate=0.02"] == 0.02
    members = json.loads((tmp_path / "summary.json").read_text())["members"]
    assert [member["norm"] for member in members] == [line["norm"] for line in lines[-3:]]


@pytest.mark.parametrize(
    ("found", "message"),
    [
        ({"train_loss": 1.0}, "'train_loss' is the name of something that is recorded already"),
        ({"seed": 1.0}, "'seed' is the name of something that is recorded already"),
        ({"parameters": 1.0}, "'parameters' is the name of"),
        ({"margin": "wide"}, "margin='wide' must be one number"),
        ({"margin": np.zeros(3)}, "must be one number"),
    ],
)
def test_a_name_that_is_taken_and_what_is_no_number(
    found: dict[str, Any], message: str, tmp_path: Path
) -> None:
    config = small("loop")
    config.sweep, config.epochs = "", 1
    with pytest.raises(UserError, match=message):
        experiment.run(
            config,
            tmp_path,
            measure=lambda *args: found,
            report=False,
            console=Console(file=StringIO()),
        )
    assert not (tmp_path / "metrics.jsonl").read_text()
