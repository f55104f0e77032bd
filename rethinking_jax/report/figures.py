"""Figures in the form of the paper's."""

from pathlib import Path
from typing import Any

from rethinking_jax.metrics import Line

# Told apart without colour, too: line style and marker differ from curve to curve.
STYLES = ("-", "--", "-.", ":")
MARKERS = "osD^vP*X"


def learning_curves(summary: dict[str, Any], lines: dict[str, list[Line]], path: Path) -> None:
    """Training loss against steps, one curve a run, like the paper's Figure 1a.

    Args:
      summary: as in summary.json.
      lines: of each member, see `rethinking_jax.metrics.by_member`.
      path: of the PNG file to write.
    """
    # Slow to import, and only needed when everything is done.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 4.5), dpi=150, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for i, (name, own) in enumerate(lines.items()):
        steps = [line["step"] / 1000 for line in own]
        losses = [line["train_loss"] for line in own]
        axes.plot(
            steps,
            [float("nan") if loss is None else loss for loss in losses],
            linestyle=STYLES[i % len(STYLES)],
            marker=MARKERS[i % len(MARKERS)],
            markevery=max(1, len(own) // 8),
            markersize=4,
            label=name.replace("_", " "),
        )
    axes.set_xlabel("thousand steps")
    axes.set_ylabel("training loss (eval mode, whole training set)")
    axes.set_title(
        f"{summary['experiment']} on {summary['dataset']}, {summary['device']}", fontsize=9
    )
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8, ncols=1 + (len(lines) > 12))
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path)
