"""What do deep networks memorize, and why do they generalize all the same?

Experiments of Zhang, Bengio, Hardt, Recht and Vinyals, *Understanding deep
learning requires rethinking generalization* (ICLR 2017), in JAX and Flax.

    import rethinking_jax as rj
    config = rj.base_config()
    config.corruption, config.train_examples, config.epochs = "random_labels", 500, 20
    rj.run(config, "runs/mine")
    run = rj.load("runs/mine")[0]

Each name is imported when it is first used, so that this module is light.
"""

import importlib

__version__ = "0.1.0"

# The module that each name of this face is in; `__init__.pyi` says the same to type checkers.
_HOMES = {
    "run": "experiment",
    "load": "experiment.trained",
    "TrainedRun": "experiment.trained",
    "load_config": "theory.settings",
    "base_config": "config",
    "parse_argument": "config",
    "product": "config",
    "recipe": "config",
    "runs": "config",
    "zipped": "config",
    "theory_config": "theory.settings",
    "KINDS": "theory.kinds",
    "CORRUPTIONS": "corruption",
    "Corruption": "corruption",
    "DATASETS": "data",
    "Dataset": "data",
    "Origin": "data",
    "Split": "data",
    "arrays": "data",
    "load_dataset": "data",
    "MODELS": "models",
    "METRICS": "step.metrics",
    "Metric": "step.metrics",
    "CLAIMS": "analysis.verdicts",
    "Claim": "analysis.verdicts",
    "FIGURES": "analysis.figures",
    "Lesson": "analysis.lesson",
    "Plot": "analysis.curves",
    "TABLES": "analysis.tables",
    "lesson": "analysis",
    "LESSONS": "course",
    "RunFailed": "errors",
    "UserError": "errors",
}
__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> object:
    """Imports a name of the face.

    Raises:
      AttributeError: with the name that was perhaps meant.
    """
    if name in _HOMES:
        home = importlib.import_module(f"rethinking_jax.{_HOMES[name]}")
        return getattr(home, name, None) or importlib.import_module(f"{home.__name__}.{name}")
    if name.startswith("__"):
        raise AttributeError(name)
    from rethinking_jax.errors import nearest

    raise AttributeError(f"rethinking_jax has no {name!r}{nearest(name, _HOMES)}")


def __dir__() -> list[str]:
    """Lists the names of the face."""
    return sorted(__all__)
