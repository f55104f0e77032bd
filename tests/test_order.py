"""Which examples are in batch k of epoch e of a streamed run, and where that is computed."""

import time

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from rethinking_jax.host.cpu import on_cpu
from rethinking_jax.step.train import epoch_order
from rethinking_jax.sweep import stream
from rethinking_jax.sweep.engine import steps_per_epoch, train_sample
from rethinking_jax.sweep.stream import batches_left


def config_of(seed: int, batch_size: int, last_batch: str) -> ConfigDict:
    return ConfigDict({"seed": seed, "batch_size": batch_size, "last_batch": last_batch})


@settings(max_examples=25, deadline=None)
@given(
    examples=st.sampled_from([1, 7, 40]),  # each is a program that is compiled
    batch_size=st.integers(1, 40),
    last_batch=st.sampled_from(["train", "drop"]),
    seed=st.integers(0, 2**31 - 1),
    epoch=st.integers(0, 300),
    first=st.integers(0, 50),
)
def test_what_is_left_of_an_epoch_is_the_end_of_its_order(
    examples: int, batch_size: int, last_batch: str, seed: int, epoch: int, first: int
) -> None:
    config = config_of(seed, min(batch_size, examples), last_batch)
    steps = steps_per_epoch(config, examples)
    first = min(first, steps)
    order = np.asarray(epoch_order(seed, epoch, examples))
    left = [row for rows in batches_left(config, examples, epoch, first) for row in rows]
    assert len(left) == steps - first
    kept = order if last_batch == "train" else order[: steps * config.batch_size]
    np.testing.assert_array_equal(
        np.concatenate([*left, np.zeros(0, int)]), kept[first * config.batch_size :]
    )


def test_the_order_and_the_sample_are_of_the_hosts_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sort of a million numbers is nothing to compile for an accelerator."""
    cpu, *_, accelerator = jax.devices()
    asked = []

    def order(seed: int, epoch: int, n: int) -> jax.Array:
        found = epoch_order(seed, epoch, n)
        asked.append(found.devices())
        return found

    monkeypatch.setattr(stream, "epoch_order", order)
    with jax.default_device(accelerator):
        batches_left(config_of(0, 2, "drop"), 7, 0)
        assert jnp.zeros(1).devices() == {accelerator}
        with on_cpu():
            assert jnp.zeros(1).devices() == {cpu}
    assert asked == [{cpu}]


def test_where_jax_has_no_cpu_its_own_device_does_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(backend: str) -> list[jax.Device]:
        raise RuntimeError(f"Unknown backend {backend}")

    config = ConfigDict({"data_seed": 3, "train_eval_examples": 4})
    expected = train_sample(config, 9)
    monkeypatch.setattr(jax, "local_devices", none)
    np.testing.assert_array_equal(train_sample(config, 9), expected)


def test_a_batch_in_the_middle_of_an_epoch_of_imagenet_is_found_in_seconds() -> None:
    config = config_of(0, 256, "drop")
    started = time.process_time()
    left = batches_left(config, 1_281_167, 100, 2_502)
    assert time.process_time() - started < 5  # 0.7 on the machine it was written on
    assert [rows.shape for rows in left] == [(2_502, 256)]
    assert len(np.unique(left[0])) == left[0].size
