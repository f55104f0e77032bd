"""Runs in the lab of theory experiments, for tests of the engine."""

import io
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

import rethinking_jax as rj
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.runs import cropped
from rethinking_jax.sweep.engine import Run
from rethinking_jax.sweep.profiling import step_profile
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.sweep.recorder import Recorded
from rethinking_jax.sweep.stage import Stage
from rethinking_jax.theory.fitting import Lab
from rethinking_jax.workdir.metrics import Line


def trained(
    dataset: Dataset,
    runs: Sequence[dict[str, Any]],
    change: Callable[[int, Run], Run],
    workdir: Path,
    **keys: Any,
) -> tuple[dict[str, list[Line]], Recorded]:
    """Trains a small MLP on a data set with facts of every example, see `Lab.train`."""
    config = rj.base_config()
    config.update(
        {
            "model": "mlp",
            "hidden_sizes": (16,),
            "epochs": 3,
            "batch_size": 32,
            "checkpoint_every": 0,
            "record_examples": True,
            "stop_when_fitted": False,
            "vectorize": "vmap",
            **keys,
        }
    )
    workdir.mkdir(parents=True)
    console = Console(file=io.StringIO())
    started = time.monotonic()
    with step_profile(None, print) as profile:
        stage = Stage(
            workdir=workdir,
            command="",
            progress=ProgressReport(console),
            stop_requested=lambda: None,
            elapsed=lambda: time.monotonic() - started,
            write_scalars=lambda line: None,
            profile=profile,
        )
        lab = Lab(stage, lambda: None)
        lines = lab.train(config, runs, cropped(dataset, 0), change)
        return lines, lab.examples(list(lines))
