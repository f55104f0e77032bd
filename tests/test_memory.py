"""How many runs train together: by the memory that they take, and by a processor's cache."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rethinking_jax import config as configs
from rethinking_jax.data.dataset import Dataset, Split
from rethinking_jax.data.runs import dataset_key
from rethinking_jax.models import create_model
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.preprocess import standardize_per_image, to_unit
from rethinking_jax.step.state import Examples, Hyper, Running
from rethinking_jax.step.train import init_state, make_steps
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.build import wasteful_batches
from rethinking_jax.sweep.memory import member_bytes, step_bytes
from rethinking_jax.sweep.mesh import make_mesh
from rethinking_jax.sweep.program import make_program

SHAPE, N, BATCH = (12, 12, 3), 64, 32


def hyper(members: int) -> Hyper:
    values = [jnp.full(members, value) for value in (0.1, 0.9, 0.0, 0.0, 0.0)]
    return Hyper(jnp.zeros(members, jnp.int32), *values)


@pytest.mark.parametrize("name", ["mlp_1x512", "mlp_3x512", "alexnet_small"])
def test_the_estimate_covers_what_a_further_member_takes_and_little_more(name: str) -> None:
    model = create_model(name, num_classes=10)
    optimizer = make_optimizer("sgd", 0.95, 10, "all")
    one = jax.tree.map(lambda leaf: leaf[0], hyper(1))
    estimate = member_bytes(
        model, lambda: init_state(model, optimizer, one, SHAPE), SHAPE, BATCH, N, N
    )
    program = make_program(
        make_steps(model, optimizer, lambda images: standardize_per_image(to_unit(images)), SHAPE),
        train_size=N,
        image_shape=SHAPE,
        batch_size=BATCH,
        eval_batch_size=N,
        scan=True,
        mesh=make_mesh(jax.devices(), 1),
    )

    def taken(members: int) -> int:
        state = jax.eval_shape(program.init, hyper(members))
        of = jax.ShapeDtypeStruct
        running = jax.tree.map(lambda x: of((members,), x.dtype), Running.zero())
        examples = Examples(
            of((N, math.prod(SHAPE)), jnp.uint8),
            of((members, N), jnp.int32),
            of((N,), jnp.int32),
            of((N,), jnp.uint32),
        )  # type: ignore[arg-type]
        order, first = of((members, N), jnp.int32), of((), jnp.int32)
        lowered = program.train_batches.lower(  # type: ignore[attr-defined]
            state, running, examples, order, first, count=2
        )
        sizes = lowered.compile().memory_analysis()
        return sizes.argument_size_in_bytes + sizes.output_size_in_bytes + sizes.temp_size_in_bytes

    more = (taken(6) - taken(2)) / 4
    assert 0.9 * more < estimate < 4 * more, (estimate, more)


@pytest.fixture
def much_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """How much is free on this machine now must not decide."""
    monkeypatch.setattr(groups, "free_bytes", lambda device: 10**10)


def sizes(backend: str = "cpu", **changes: object) -> list[int]:
    """How many of 40 runs of an MLP on digits train together."""
    images, labels = np.zeros((200, 28, 28, 1), np.uint8), np.arange(200, dtype=np.int32) % 10
    split = Split(jnp.asarray(images), labels, np.arange(200, dtype=np.uint32))
    data = Dataset("digits", split, split, tuple("0123456789"))
    config = configs.base_config()
    config.model, config.hidden_sizes, config.crop_size = "mlp", (128,), 0
    config.update(changes)
    config.sweep = configs.runs([{"seed": seed} for seed in range(40)])
    members = configs.members(config, check=None)
    chunks = groups.make_chunks(
        members, {dataset_key(config): data}, backend, jax.devices()[:1], report=lambda text: None
    )
    assert [run.config.seed for chunk in chunks for run in chunk.runs] == list(range(40))
    return [len(chunk.runs) for chunk in chunks]


@pytest.mark.usefixtures("much_memory")
def test_small_networks_on_a_cpu_train_together_as_far_as_the_cache_goes() -> None:
    assert sizes() == [8] * 5
    assert sizes(hidden_sizes=(16,)) == [17, 17, 6]
    assert sizes(hidden_sizes=(512,)) == [1] * 40
    assert sizes(max_members=3) == [3] * 13 + [1]
    assert sizes(batch_size=16)[0] > 8
    assert sizes(optimizer="adam")[0] < 8
    assert sizes(vectorize="vmap") == [40]
    assert sizes(vectorize="loop") == [1] * 40
    assert sizes("gpu") == sizes("gpu", hidden_sizes=(512,)) == [40]


def test_batches_that_a_tpu_fills_up_are_named() -> None:
    """Measured by XLA's estimate: 32 images for each chip make 0.6 of the images per second."""
    config = configs.base_config()
    config.update(model="inception_small", batch_size=256)
    (told,) = [wasteful_batches(config, "tpu", 8)]
    assert "batch_size=256" in told and "32 examples" in told and "batch_size=1024" in told
    assert not wasteful_batches(config, "tpu", 2)
    assert not wasteful_batches(config, "gpu", 8)
    config.accumulate = 2
    assert wasteful_batches(config, "tpu", 2)
    config.model, config.hidden_sizes = "mlp", (16,)
    assert not wasteful_batches(config, "tpu", 8)


def test_on_an_accelerator_xla_s_account_cuts_a_group_that_the_estimate_may_not(
    much_memory: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The account is asked for only where the estimate could be so far off that it matters."""
    asked: list[str] = []

    def account(group: object, dataset: object, backend: str, devices: object) -> tuple[int, int]:
        asked.append(backend)
        return 60, 200

    monkeypatch.setattr(groups, "compiled_bytes", account)
    assert sizes("tpu") == [40] and not asked  # far from full
    monkeypatch.setattr(groups, "free_bytes", lambda device: 1000)
    assert sizes("tpu") == [8] * 5 and asked == ["tpu"]  # (700 - 200) / 60 of 40 runs
    assert sizes("cpu", vectorize="vmap") == [1] * 40 and asked == ["tpu"]
    monkeypatch.setattr(groups, "compiled_bytes", lambda *of: (2**62, 0))
    assert sizes("gpu") == [1] * 40  # one always goes


def test_what_a_step_touches_is_counted() -> None:
    model = create_model("mlp_1x512", num_classes=10)
    one = jax.tree.map(lambda leaf: leaf[0], hyper(1))
    optimizer = make_optimizer("sgd", 0.95, 10, "all")
    weights = 432 * 512 + 512 + 512 * 10 + 10
    found = step_bytes(lambda: init_state(model, optimizer, one, SHAPE), SHAPE, BATCH)
    expected = 4 * (3 * weights + 2 * BATCH * 432)  # weights, momentum, gradient; pixels twice
    assert expected <= found < expected + 200
