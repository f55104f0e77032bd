"""GraNd: the norm of an example's own gradient (Paul, Ganguli and Dziugaite 2021, section 2).

It is the l2 norm of the gradient of the example's cross-entropy in all weights. `dense` has it
for networks of dense layers without a Jacobian, `per_example` for every network; they agree to
rounding. By the symmetry of the initial weights the mean over networks that are not trained yet
does not depend on the label, so it cannot tell a wrong one: Kirsch (2023) found likewise that
the score at the start does not do what was published of it.
"""

from collections.abc import Callable, Sequence

import jax
import jax.numpy as jnp

from rethinking_jax.step.objective import cross_entropy
from rethinking_jax.step.state import PyTree

BATCH = 100  # examples whose gradients are in memory at once


def dense(
    layers: Sequence[tuple[jax.Array, jax.Array]], inputs: jax.Array, labels: jax.Array
) -> jax.Array:
    """Returns the gradient norms of a network of dense layers with ReLU between them.

    The gradient of one example in the weights of a layer is the outer product of the layer's
    input a and of the loss's derivative d in its output, and that in the biases is d: squared
    norms of |d|^2 (|a|^2 + 1). For one hidden layer this is
    |d|^2 (|h|^2 + 1) + |u|^2 (|x|^2 + 1) with d = softmax - onehot and u = (V d) 1[h > 0],
    where V has the weights from the hidden units h to the logits.

    Args:
      layers: the kernel float32 [in, out] and the bias float32 [out] of each, inputs first.
      inputs: float32 [n, d], what the first layer is given.
      labels: int32 [n].

    Returns:
      float32 [n].
    """
    seen = [inputs]
    for kernel, bias in layers[:-1]:
        seen.append(jax.nn.relu(seen[-1] @ kernel + bias))
    kernel, bias = layers[-1]
    logits = seen[-1] @ kernel + bias
    down = jax.nn.softmax(logits) - jax.nn.one_hot(labels, logits.shape[-1])
    total = jnp.zeros(len(inputs))
    for (kernel, _), own in zip(reversed(layers), reversed(seen), strict=True):
        total += jnp.sum(down**2, -1) * (jnp.sum(own**2, -1) + 1)
        down = (down @ kernel.T) * (own > 0)
    return jnp.sqrt(total)


def per_example(
    logits: Callable[[PyTree, jax.Array], jax.Array],
    params: PyTree,
    inputs: jax.Array,
    labels: jax.Array,
    batch: int = BATCH,
) -> jax.Array:
    """Returns the gradient norms of any network, by the gradient of each example.

    Args:
      logits: (params, inputs [b, ...]) -> logits float32 [b, k], in eval mode.
      params: a tree of arrays, in all of which the gradient is taken.
      inputs: float32 [n, ...], what the network is given.
      labels: int32 [n].
      batch: how many gradients are in memory at once, each as large as `params`.

    Returns:
      float32 [n].
    """

    def loss(params: PyTree, one: jax.Array, label: jax.Array) -> jax.Array:
        return cross_entropy(logits(params, one[None]), label[None])[0]

    def norm(example: tuple[jax.Array, jax.Array]) -> jax.Array:
        found = jax.grad(loss)(params, *example)
        return jnp.sqrt(sum(jnp.sum(leaf**2) for leaf in jax.tree.leaves(found)))

    norms: jax.Array = jax.lax.map(norm, (inputs, labels), batch_size=min(batch, len(labels)))
    return norms
