"""A metric of one's own: by how much the logit of the label exceeds the largest other one.

    python -m rethinking_jax.main --config=examples/own_metric.py

Its means stand in metrics.jsonl as train_margin and test_margin. What is no mean over examples,
such as the norm of the weights, a notebook gives by `rj.run(config, workdir, measure=function)`.
"""

import jax
import jax.numpy as jnp
from ml_collections import ConfigDict

import rethinking_jax as rj


def margin(logits: jax.Array, batch) -> jax.Array:
    """Returns the margin of each example, float32 [b].

    Args:
      logits: float32 [b, classes].
      batch: has `labels`, the labels that the run has, and `true_labels`, int32 [b].
    """
    is_label = jax.nn.one_hot(batch.labels, logits.shape[-1], dtype=bool)
    others = jnp.where(is_label, -jnp.inf, logits).max(-1)
    return jnp.where(is_label, logits, -jnp.inf).max(-1) - others


rj.METRICS["margin"] = rj.Metric(margin, jnp.float32)


def get_config() -> ConfigDict:
    """Two runs: on true labels, and on random ones."""
    config = rj.base_config()
    config.experiment, config.model = "own_metric", "mlp_1x512"
    config.train_examples, config.batch_size, config.epochs = 500, 50, 60
    config.sweep = rj.runs([{"corruption": name} for name in ("true_labels", "random_labels")])
    return config
