"""How precisely products are computed: in the program, and in what a run says of itself."""

import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command, read_summary

from rethinking_jax.config import base_config
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.runs import cropped
from rethinking_jax.step.precision import effective
from rethinking_jax.step.state import Examples, Hyper, Running
from rethinking_jax.sweep.build import build_program
from rethinking_jax.sweep.mesh import make_mesh

SMALL = ("--config.train_examples=128", "--config.epochs=1")


def products(precision: str) -> list[str]:
    """The precisions of all products and convolutions of a train step of a convolutional net."""
    config = base_config()
    config.update(model="alexnet_small", batch_size=8, crop_size=28, matmul_precision=precision)
    images, labels = np.zeros((16, 28, 28, 3), np.uint8), np.zeros(16, np.int32)
    split = Split(images, labels, np.arange(16, dtype=np.uint32))
    data = cropped(Dataset("own", split, split, tuple("0123456789")), 28)
    program = build_program(config, data, "gpu", make_mesh(jax.devices(), 1))
    of = jax.ShapeDtypeStruct
    state = jax.eval_shape(program.init, Hyper(of((1,), jnp.int32), *5 * [of((1,), jnp.float32)]))
    running = jax.tree.map(lambda leaf: of((1,), leaf.dtype), Running.zero())
    examples = Examples(
        *(of((16, 28 * 28 * 3), jnp.uint8), of((1, 16), jnp.int32)),
        *(of((16,), jnp.int32), of((16,), jnp.uint32)),
    )
    text = program.train_batches.lower(  # type: ignore[attr-defined]
        state, running, examples, of((1, 16), jnp.int32), of((), jnp.int32), count=1
    ).as_text()
    lines = [line for line in text.split("\n") if re.search(r"dot_general|convolution\(", line)]
    assert len(lines) > 10
    return [re.findall(r"\b(?:DEFAULT|HIGHEST|HIGH)\b", line)[0] for line in lines]


@pytest.mark.parametrize(
    ("key", "flag", "wanted"),
    [
        ("default", None, "DEFAULT"),
        ("tensorfloat32", None, "HIGH"),
        ("float32", None, "HIGHEST"),
        ("default", "float32", "HIGHEST"),
        ("tensorfloat32", "float32", "HIGH"),
    ],
)
def test_every_product_and_gradient_has_the_precision(
    key: str, flag: str | None, wanted: str
) -> None:
    with jax.default_matmul_precision(flag):
        assert set(products(key)) == {wanted}
        assert effective(key) == (key if key != "default" else flag or "default")


def test_a_summary_says_what_it_was(answer: Command, tmp_path: Path) -> None:
    done = answer(*SMALL, "--config.matmul_precision=float32", f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert read_summary(tmp_path)["members"][0]["matmul_precision"] == "float32"


def test_theory_is_computed_in_float32(answer: Command, tmp_path: Path) -> None:
    config = "--config=configs/kernel.py:train_examples=60"
    done = answer(config, f"--workdir={tmp_path}")
    assert done.returncode == 0, done.stderr
    assert read_summary(tmp_path)["matmul_precision"] == "float32"


def test_an_unknown_precision_is_one_line(answer: Command) -> None:
    done = answer("--config.matmul_precision=fp8")
    assert done.returncode == 2 and "config.matmul_precision" in done.stderr
    assert len(done.stderr.splitlines()) == 1
