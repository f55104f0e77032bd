"""What summary.json says of runs that are trained."""

from collections.abc import Mapping, Sequence

import jax
import numpy as np

from rethinking_jax.config import Member, Overrides
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.step.flops import forward_flops
from rethinking_jax.step.precision import effective
from rethinking_jax.sweep.build import input_shape, make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.metrics import Json, Line
from rethinking_jax.workdir.share import NOT_OF_A_RUN


def summarize(
    plain: Json,
    members: Sequence[Member],
    chunks: Sequence[Chunk],
    lines: Mapping[str, list[Line]],
    tested: Mapping[str, Line],
) -> Json:
    """Returns the summary of an experiment, but for its time and its command.

    Args:
      plain: the config, as in config.json.
      members: its runs.
      chunks: the same runs, trained.
      lines: what was measured of each run, by its name.
      tested: test metrics of the runs that validation chose, whose lines have none, by name.
    """
    described: dict[str, Json] = {}
    for chunk in chunks:
        described |= _described(chunk, lines)
    dataset = chunks[0].dataset
    return {
        "experiment": plain["experiment"],
        "dataset": ", ".join(dict.fromkeys(member.config.dataset for member in members)),
        "train_examples": len(dataset.train.labels),
        "test_examples": len(dataset.test.labels),
        **{f"{split}_examples": len(part.labels) for split, part in dataset.further.items()},
        "num_classes": dataset.num_classes,
        "device": describe_device(),
        "versions": versions(),
        "members": [
            described[name] | tested.get(name, {}) | {"config": _resolved(plain, override)}
            for (name, _), override in zip(members, plain["sweep"] or [{}], strict=True)
        ],
        **({"chosen": list(tested)} if tested else {}),
    }


def parameter_shapes(chunk: Chunk) -> object:
    """Returns the shapes of one member's parameters, as a tree."""
    state = jax.eval_shape(chunk.engine.init, hyper(chunk.runs[:1]))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), state.params)


def _described(chunk: Chunk, lines: Mapping[str, list[Line]]) -> dict[str, Json]:
    """Returns what a summary says of each run of a chunk, by name."""
    first = chunk.config
    model = make_model(first, chunk.dataset.num_classes)
    flops = forward_flops(model, input_shape(first, chunk.dataset))
    shapes = jax.tree.leaves(parameter_shapes(chunk))
    return {
        run.name: {
            "name": run.name,
            "model": run.config.model,
            "corruption": run.config.corruption,
            "seed": run.config.seed,
            "matmul_precision": effective(run.config.matmul_precision),
            "label_noise": run.label_noise,
            "flipped_fraction": run.flipped_fraction,
            "labels_sha256": run.labels_sha256,
            "parameters": sum(int(np.prod(leaf.shape)) for leaf in shapes),
            "flops_per_image": flops,
            "checkpoints": f"checkpoints/{chunk.name}",
            **metrics.outcome(lines[run.name], run.config.fit_threshold),
        }
        for run in chunk.runs
    }


def _resolved(plain: Json, override: Overrides) -> Json:
    """Returns the config of one run, as config.json and the sweep in it say."""
    own = {**plain, **override}
    return {key: value for key, value in own.items() if key not in NOT_OF_A_RUN}
