"""What do deep networks memorize, and why do they generalize all the same?

Experiments of Zhang, Bengio, Hardt, Recht and Vinyals, *Understanding deep
learning requires rethinking generalization* (ICLR 2017), in JAX and Flax.
"""

__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    """Imports what is asked for by name, so that `import rethinking_jax` itself takes no time."""
    if name == "recipe":
        from rethinking_jax.config import recipe

        return recipe
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
