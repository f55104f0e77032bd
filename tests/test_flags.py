"""Whatever flags of JAX the user has set, a run draws the same bits, or one line says why not."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import flax
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command, read_metrics, read_summary

import rethinking_jax as rj
from rethinking_jax.corruption import CORRUPTIONS, Draws, LabelNoise, Moments
from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.host import flags
from rethinking_jax.pictures.illustrations import redraw

# Flags of JAX that change draws, dtypes or what is allowed, each with another value than its own.
FLAGS: dict[str, Any] = {
    "jax_enable_x64": True,
    "jax_threefry_partitionable": False,
    "jax_default_prng_impl": "rbg",
    "jax_enable_custom_prng": True,
    "jax_random_seed_offset": 7,
    "jax_legacy_prng_key": "error",
    "jax_debug_key_reuse": True,
    "jax_numpy_dtype_promotion": "strict",
    "jax_numpy_rank_promotion": "raise",
    "jax_explicit_x64_dtypes": "error",
    "jax_transfer_guard": "disallow",
    "jax_transfer_guard_host_to_device": "disallow",
    "jax_transfer_guard_device_to_host": "disallow",
    "jax_debug_nans": True,
    "jax_debug_infs": True,
    "jax_check_static_indices": True,
    "jax_high_dynamic_range_gumbel": True,
    "jax_threefry_gpu_kernel_lowering": True,
}
SMALL = (
    "--config.model=mlp",
    "--config.hidden_sizes=(8,)",
    "--config.train_examples=72",
    "--config.batch_size=24",  # eight devices share it where there is a stream
    "--config.epochs=1",
    "--config.dropout_rate=0.3",
    "--config.augmentation=flip",
    "--config.mixup_alpha=0.5",
    "--config.vectorize=vmap",
    '--config.sweep=[{"corruption": "random_labels"}, {"corruption": "gaussian"}]',
)


@contextmanager
def set_to(values: dict[str, Any]) -> Iterator[None]:
    """Sets flags as a notebook does, and sets them back."""
    before = {name: jax.config.values[name] for name in values}
    try:
        for name, value in values.items():
            jax.config.update(name, value)
        yield
    finally:
        for name, value in before.items():
            jax.config.update(name, value)


def draws() -> dict[str, list[np.ndarray]]:
    """Labels and images of every corruption."""
    ids, labels = np.arange(20, dtype=np.uint32), np.arange(20, dtype=np.int32) % 10
    images = np.random.default_rng(0).integers(0, 256, (20, 6, 6, 3), dtype=np.uint8)
    moments = Moments(np.full(3, 0.5, np.float32), np.full(3, 0.2, np.float32))
    found = {}
    for name, corruption in CORRUPTIONS.items():
        of_run = Draws(corruption, 3, LabelNoise(0.5, 10, name == "random_labels"), moments)
        drawn = of_run.labels("train", ids, labels), of_run.images("train", ids, images)
        found[name] = [np.asarray(part) for part in drawn]
    return found


@pytest.mark.parametrize(
    "names", [tuple(FLAGS), *[pytest.param((name,), marks=pytest.mark.slow) for name in FLAGS]]
)
def test_labels_and_images_are_drawn_alike_under_every_flag(names: tuple[str, ...]) -> None:
    plain = draws()
    with set_to({name: FLAGS[name] for name in names}):
        now = draws()
    for corruption, parts in plain.items():
        for part, own in zip(parts, now[corruption], strict=True):
            assert part.dtype == own.dtype
            np.testing.assert_array_equal(part, own, corruption)


def test_a_purpose_has_the_key_that_jax_makes_of_the_seed() -> None:
    for seed in (0, 1, 2**31 - 1, jnp.int32(5), np.int64(6)):
        usual = jax.random.fold_in(jax.random.key(int(seed), impl="threefry2x32"), 3)
        own = purpose_key(seed, "labels")
        assert (jax.random.key_data(own) == jax.random.key_data(usual)).all()


def written(workdir: Path) -> tuple[Any, ...]:
    """What a run leaves: its lines, summary, labels and weights."""
    with np.load(workdir / "labels.npz") as file:
        labels = {name: file[name].tolist() for name in file.files}
    weights = [np.asarray(leaf).tolist() for leaf in jax.tree.leaves(rj.load(workdir)[0].params)]
    return read_metrics(workdir), read_summary(workdir), labels, weights


@pytest.mark.parametrize("input_", ["memory", pytest.param("stream", marks=pytest.mark.slow)])
def test_a_run_is_the_same_under_all_flags_together(
    input_: str, answer: Command, tmp_path: Path
) -> None:
    words = (*SMALL, f"--config.input={input_}", "--workdir=there")
    done = [answer(*words, cwd=folder(tmp_path, "without"))]
    without = written(tmp_path / "without" / "there")
    with set_to(FLAGS), flax.config.temp_flip_flag("fix_rng_separator", True):
        done.append(answer(*words, cwd=folder(tmp_path, "with")))
        assert jax.config.jax_enable_x64 and jax.config.jax_random_seed_offset == 7
        assert flax.config.flax_fix_rng_separator
        assert written(tmp_path / "with" / "there") == without
        redraw(tmp_path / "with" / "there", "en", print)
    for name in ("augmentations.png", "corruptions.png"):
        pictures = [tmp_path / way / "there" / "figures" / name for way in ("without", "with")]
        assert pictures[0].read_bytes() == pictures[1].read_bytes(), name
    assert [one.returncode for one in done] == [0, 0], done[1].stderr


def folder(parent: Path, name: str) -> Path:
    (parent / name).mkdir()
    return parent / name


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "small"),
    [
        ("min_norm", {"train_examples": 50, "num_features": 100, "steps": 2000}),
        ("kernel", {"train_examples": 100}),
        ("rademacher", {"train_examples": 60, "crop_size": 8, "model": "mlp",
                        "hidden_sizes": (8,), "sizes": 1, "draws": 2, "exact_draws": 4,
                        "epochs": 3}),
        ("theorem1", {"train_examples": 200, "sampled_points": 50}),
    ],
)  # fmt: skip
def test_what_theory_measures_is_the_same_under_all_flags(
    kind: str, small: dict[str, int], tmp_path: Path
) -> None:
    config = rj.theory_config(kind)
    config.update(small)
    found = []
    for name, values in {"without": {}, "with": FLAGS}.items():
        with set_to(values):
            members = rj.run(config, tmp_path / name, report=False)["members"]
        found.append([{k: v for k, v in one.items() if k != "seconds"} for one in members])
    assert found[0] == found[1]


@pytest.mark.parametrize("name", flags.WANTED)
def test_a_flag_that_cannot_be_had_is_refused(name: str, answer: Command, tmp_path: Path) -> None:
    value = True if flags.WANTED[name] is False else "raise"
    with set_to({name: value}):
        done = answer(*SMALL, "--workdir=there", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and f"{name}={value}" in done.stderr
    assert f"must be {flags.WANTED[name]}" in done.stderr
    assert not (tmp_path / "there").exists()


@pytest.mark.slow
def test_flags_in_the_environment_and_on_the_command_line_change_nothing(
    command: Command, environment: dict[str, str], tmp_path: Path
) -> None:
    given = {
        "JAX_ENABLE_X64": "1",
        "JAX_RANDOM_SEED_OFFSET": "7",
        "JAX_NUMPY_DTYPE_PROMOTION": "strict",
        "JAX_TRANSFER_GUARD": "disallow",
        "FLAX_FIX_RNG_SEPARATOR": "1",
    }
    typed = (
        "--jax_default_prng_impl=rbg",
        "--nojax_threefry_partitionable",
        "--jax_numpy_rank_promotion=raise",
    )
    command(*SMALL, "--workdir=there", cwd=folder(tmp_path, "without"))
    done = command(
        *SMALL, *typed, "--workdir=there", cwd=folder(tmp_path, "with"), env=environment | given
    )
    assert done.returncode == 0, done.stderr
    assert written(tmp_path / "with" / "there") == written(tmp_path / "without" / "there")
