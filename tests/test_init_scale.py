"""The factor on initial parameters, and the lesson that is about it."""

import json
from pathlib import Path

import jax
import pytest
from conftest import Command, read_metrics
from helpers import steps
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.errors import UserError
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.state import TrainState
from rethinking_jax.step.train import init_state

CONFIG = "--config=configs/course_grokking.py"
ADAM = make_optimizer("adam", 1.0, 1, "all", 0.0, "decoupled")


def start(scale: float) -> TrainState:
    return init_state(steps.mlp(), ADAM, steps.hyper(seed=3), steps.SHAPE, init_scale=scale)


def test_a_factor_multiplies_all_parameters_and_nothing_else() -> None:
    plain, large = start(1.0), start(4.0)
    assert all(
        (4 * a == b).all()
        for a, b in zip(*map(jax.tree.leaves, (plain.params, large.params)), strict=True)
    )
    for key in ("step", "hyper", "batch_stats", "opt_state"):
        own, other = (jax.tree.leaves(getattr(state, key)) for state in (plain, large))
        assert all((a == b).all() for a, b in zip(own, other, strict=True))


def test_a_factor_of_1_leaves_the_program_as_it_is() -> None:
    with_key = jax.make_jaxpr(lambda: start(1.0))()
    without = jax.make_jaxpr(
        lambda: init_state(steps.mlp(), ADAM, steps.hyper(seed=3), steps.SHAPE)
    )()
    assert str(with_key) == str(without)


def of_scale(**changes: object) -> ConfigDict:
    config = configs.base_config()
    config.update(changes)
    return config


def test_work_directories_of_before_there_was_a_factor_keep_their_names() -> None:
    plain, same, other = of_scale(), of_scale(init_scale=1.0), of_scale(init_scale=2.0)
    for named in (configs.digest, configs.former_digest):
        assert named(plain) == named(same) != named(other)
    before = {k: v for k, v in configs.to_json(plain).items() if k != "init_scale"}
    assert configs.identity_of(before) == configs.identity_of(configs.to_json(plain))
    with pytest.raises(UserError, match=r"init_scale=0.* must be above 0"):
        configs.members(of_scale(init_scale=0.0))


@pytest.mark.slow
def test_the_lesson_trains_from_each_size(answer: Command, tmp_path: Path) -> None:
    workdir = tmp_path / "run"
    small = "scales=1+8,seeds=2,epochs=2,measure_every=1,train_examples=200"
    result = answer(f"{CONFIG}:{small}", f"--workdir={workdir}", "--config.hidden_sizes=16")
    assert result.returncode == 0, result.stderr
    lines = {(line["member"], line["epoch"]): line for line in read_metrics(workdir)}
    large, usual = (lines[f"init_scale={scale},seed=1", 1]["train_loss"] for scale in (8, 1))
    assert large > 2 * usual
    summary = json.loads((workdir / "summary.json").read_text())
    assert {member["config"]["init_scale"] for member in summary["members"]} == {1.0, 8.0}
    assert (workdir / "figures" / "grokking.svg").exists()
