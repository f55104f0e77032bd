"""The flags of JAX and Flax that no result may depend on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from rethinking_jax.errors import UserError

# What a flag must be: with another value weights and noise have other last bits, which no context
# undoes (the first two), or nothing is computed at all.
WANTED = {
    "jax_disable_jit": False,
    "jax_disable_most_optimizations": False,
    "jax_no_tracing": False,
    "jax_no_execution": False,
    "jax_error_checking_behavior_nan": "ignore",
    "jax_error_checking_behavior_divide": "ignore",
    "jax_error_checking_behavior_oob": "ignore",
}


@contextmanager
def settled() -> Iterator[None]:
    """Gives flags that change what is drawn or computed one value, whatever the user's say.

    JAX_ENABLE_X64=1, say, makes other bits of the same key, and strict promotion stops programs
    that are right. What the flags were is theirs again afterwards. Flags that choose how precisely
    or where something is computed, such as jax_default_matmul_precision, stay the user's.

    Raises:
      UserError: a flag is set with which nothing can be drawn as it is without.
    """
    import flax
    import jax

    for name, wanted in WANTED.items():
        given = jax.config.values.get(name, wanted)
        if given != wanted:
            raise UserError(
                f"{name}={given} ({name.upper()} in the environment) must be {wanted} here: with "
                "it a run draws other numbers or none; debug a model with it on its own"
            )
    with ExitStack() as stack:
        for context in (
            jax.enable_x64(False),
            jax.threefry_partitionable(True),
            jax.default_prng_impl("threefry2x32"),
            jax.numpy_dtype_promotion("standard"),
            jax.numpy_rank_promotion("allow"),
            jax.transfer_guard("allow"),
            flax.config.temp_flip_flag("fix_rng_separator", False),
        ):
            stack.enter_context(context)
        yield
