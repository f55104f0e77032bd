"""What do deep networks memorize, and why do they generalize all the same?

Experiments of Zhang, Bengio, Hardt, Recht and Vinyals, *Understanding deep
learning requires rethinking generalization* (ICLR 2017), in JAX and Flax.
"""

from importlib import import_module

__version__ = "0.1.0"

# The module that has each name of this package; it is imported when the name is first used.
PLACES = {"recipe": "rethinking_jax.config"}


def __getattr__(name: str) -> object:
    """Imports what is asked for, so that `import rethinking_jax` itself takes no time."""
    if name not in PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(PLACES[name]), name)
