"""The figures of trained runs, in a list: a new one is a function and a line."""

from collections.abc import Callable

from rethinking_jax.analysis import figure1, figure2
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.results import Results

# Each function draws what the runs allow: no plot, one, or several.
FIGURES: list[Callable[[Results], list[Plot]]] = [
    figure1.losses,
    figure2.accuracies,
    figure1.relative_times,
    figure1.test_errors,
    figure2.regularizers,
    figure2.batch_norm,
]


def figures(results: Results) -> list[Plot]:
    """Draws every figure that the runs allow and that has a curve."""
    return [plot for figure in FIGURES for plot in figure(results) if plot.curves]
