"""One experiment from its config to its results, as `main` and a notebook run and read it."""

from rethinking_jax.experiment.lifecycle import members, run, way_of

__all__ = ["members", "run", "way_of"]
