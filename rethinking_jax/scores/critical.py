"""Critical samples: examples with another answer of the network in a small box around them.

Arpit et al. (2017), section 4: an example x is critical where some x' with |x' - x| <= r in every
pixel is given another class than x. The search for such an x' is theirs, Langevin adversarial
sample search (LASS). What it finds is critical; what it does not find may be so all the same, so
that the share which it finds is a lower bound of the critical sample ratio.
"""

from collections.abc import Callable
from functools import partial

import jax
import jax.numpy as jnp

from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.step.preprocess import to_unit

# The size of a step of the search and the standard deviation of its noise, as shares of the
# radius: 0.25 and 0.2 where the radius is 0.3 (Arpit et al. 2017, section 4).
STEP, NOISE = 0.25 / 0.3, 0.2 / 0.3
ITERATIONS = 10
PIXEL = 255.0  # the largest value of a pixel, by which a radius is divided

# From images on the scale 0 to 1, float32 [n, h, w, c], to logits [n, k], in eval mode.
Logits = Callable[[jax.Array], jax.Array]


def critical_samples(
    logits_of: Logits,
    images: jax.Array,
    ids: jax.Array,
    radius: float | jax.Array,
    *,
    seed: int | jax.Array = 0,
    step: int | jax.Array = 0,
    iterations: int = ITERATIONS,
    unroll: bool = False,
) -> jax.Array:
    """Searches for another answer in the box around each example.

    In every iteration each pixel moves by `STEP` of the radius in the direction in which the
    predicted class loses to the largest other logit, and by normal noise with `NOISE` of the radius
    as its standard deviation; then it is brought back into the box. The paper does not say which
    output the direction is of. Pixels may leave the scale of images, as in the paper.

    Args:
      logits_of: the network in eval mode, with its preprocessing; an example's logits must not
        depend on the others.
      images: [n, h, w, c], as stored: uint8, or float32 on the scale 0 to 1.
      ids: uint32 [n], by which the noise is drawn.
      radius: r, on the scale 0 to 255 of pixels before any preprocessing.
      seed: of the noise, with `step` and the id of an example.
      step: the step of training at which the network is looked at.
      iterations: how often pixels are moved, at least 1.
      unroll: whether the program has no loop; faster for convolutions on a CPU.

    Returns:
      int32 [n], the iteration after which the answer was another one for the first time; 0: in
      none.
    """
    pixels, box = to_unit(jnp.asarray(images)), radius / PIXEL
    predicted = jnp.argmax(logits_of(pixels), -1)
    key = jax.random.fold_in(purpose_key(seed, "critical_samples"), step)
    keys = jax.vmap(lambda one: jax.random.fold_in(key, one))(jnp.asarray(ids))
    lead = partial(_lead, logits_of, pixels, predicted)

    def moved(
        carry: tuple[jax.Array, jax.Array], iteration: jax.Array
    ) -> tuple[tuple[jax.Array, jax.Array], None]:
        offset, found = carry
        slope, changed = jax.grad(lead, has_aux=True)(offset)
        # What is seen here is the place to which the iteration before has moved.
        found = jnp.where(changed & (found == 0), iteration - 1, found)
        noise = NOISE * _normal(keys, iteration, pixels.shape[1:])
        offset = jnp.clip(offset + box * (STEP * jnp.sign(slope) + noise), -box, box)
        return (offset, found), None

    start = jnp.zeros_like(pixels), jnp.zeros(len(pixels), jnp.int32)
    numbers = jnp.arange(1, iterations + 1, dtype=jnp.int32)
    (offset, found), _ = jax.lax.scan(moved, start, numbers, unroll=iterations if unroll else 1)
    changed = lead(offset)[1]
    return jnp.where(changed & (found == 0), jnp.int32(iterations), found)


def _lead(
    logits_of: Logits, pixels: jax.Array, predicted: jax.Array, offset: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Returns by how much other classes lead, summed over examples, and around which one does.

    Args:
      logits_of: see `critical_samples`.
      pixels: float32 [n, h, w, c], on the scale 0 to 1.
      predicted: int32 [n], the answers there.
      offset: what is added to the pixels, of their shape.

    Returns:
      A float32 scalar, and bool [n]: whether the answer is another one.
    """
    logits = logits_of(pixels + offset)
    is_own = jax.nn.one_hot(predicted, logits.shape[-1], dtype=bool)
    own = jnp.sum(jnp.where(is_own, logits, 0.0), -1)
    other = jnp.max(jnp.where(is_own, -jnp.inf, logits), -1)
    return jnp.sum(other - own), jnp.argmax(logits, -1) != predicted


def _normal(keys: jax.Array, iteration: jax.Array, shape: tuple[int, ...]) -> jax.Array:
    """Returns the noise of an iteration, float32 [n, *shape], from the keys of n examples."""
    return jax.vmap(lambda one: jax.random.normal(jax.random.fold_in(one, iteration), shape))(keys)
