"""How many cases a fuzz of a door tries: always the same ones, fewer in the fast tests.

    RETHINKING_JAX_FUZZ_CASES=5000 python -m pytest -m slow -k fuzz

tries so many for every door.
"""

import contextlib
import io
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import rethinking_jax as rj
from rethinking_jax import cli
from rethinking_jax.data import Dataset
from rethinking_jax.errors import UserError

LONG = int(os.environ.get("RETHINKING_JAX_FUZZ_CASES", "0"))


def few(cases: st.SearchStrategy[Any], count: int) -> Callable[..., Any]:
    """Makes a test of a function of one case, for the fast tests."""
    return _tried(cases, count)


def many(cases: st.SearchStrategy[Any], count: int, part: int = 1) -> Callable[..., Any]:
    """Makes a slow test of a function of one case; of a longer go it takes 1 / `part`."""
    tried = _tried(cases, LONG // part or count)
    return lambda check: pytest.mark.slow(tried(check))


def _tried(cases: st.SearchStrategy[Any], count: int) -> Callable[..., Any]:
    fixed = settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return lambda check: fixed(given(case=cases)(check))


def check_refusal(error: UserError) -> None:
    """Asserts that a command would say one line that can be printed, beside its own name."""
    said = io.StringIO()
    with contextlib.redirect_stderr(said):
        assert cli.fail(error, 2) == 2
    line = said.getvalue()
    assert line.removesuffix("\n").isprintable() and len(line) > len("rethinking_jax: ") + 10


def check_trained(name: str, made: Dataset, workdir: Path) -> None:
    """Asserts that a run of an epoch trains on the labels and pixels of a data set.

    Args:
      name: what `config.dataset` calls it.
      made: the data set as it was compared with the reference.
      workdir: where the run may write.
    """
    shutil.rmtree(workdir, ignore_errors=True)
    config = rj.base_config()
    config.dataset, config.model, config.hidden_sizes = name, "mlp", (4,)
    config.epochs, config.batch_size, config.checkpoint_every = 1, 0, 0
    config.preprocess = "dataset"
    rj.run(config, workdir, report=False)
    with np.load(workdir / "labels.npz") as file:
        assert file["true_labels"].tolist() == made.train.labels.tolist()
    with np.load(workdir / "ids.npz") as file:
        assert file[file.files[0]].tolist() == made.train.ids.tolist()
    (data,) = json.loads((workdir / "data.json").read_text())
    assert (data["num_classes"], tuple(data["image_shape"])) == (
        made.num_classes,
        made.image_shape,
    )
    pixels = made.train.images.reshape(-1, made.image_shape[2]) / 255
    np.testing.assert_allclose(data["mean"], pixels.mean(0), atol=1e-6)
    np.testing.assert_allclose(data["std"], pixels.std(0), atol=1e-3)
