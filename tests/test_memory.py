"""The estimate by which groups are cut, against what XLA says that it takes."""

import jax
import jax.numpy as jnp
import pytest

from rethinking_jax.models import create_model
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.preprocess import standardize_per_image, to_unit
from rethinking_jax.step.state import Examples, Hyper, Running
from rethinking_jax.step.train import init_state, make_steps
from rethinking_jax.sweep.memory import member_bytes
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
            of((N, *SHAPE), jnp.uint8),
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
