"""The figures of trained runs, in a list: a new one is a function and a line."""

from collections.abc import Callable

from rethinking_jax.analysis import figure1, figure2, norms
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
    norms.over_training,
]


# Those that show how runs go, and not what they came to: they need not be through.
CURVES = (figure1.losses, figure2.accuracies, norms.over_training)


def figures(results: Results) -> list[Plot]:
    """Draws every figure that the runs allow and that has a curve."""
    return [plot for figure in FIGURES for plot in figure(results) if plot.curves]


def figures_so_far(begun: Results, ended: Results) -> list[Plot]:
    """Draws the curves of runs that have begun, and what compares those that are through."""
    of_figure = [(figure, begun if figure in CURVES else ended) for figure in FIGURES]
    drawn = [figure(own) for figure, own in of_figure if own.summary["members"]]
    return [plot for plots in drawn for plot in plots if plot.curves]
