"""What networks answer all over the plane, at each of their checkpoints, as a film."""

import io
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis import drawing
from rethinking_jax.data.checkerboard import LEFT_OUT, SIDE, is_outside
from rethinking_jax.data.dataset import Dataset
from rethinking_jax.language.translate import Translate
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import TrainState
from rethinking_jax.sweep import saved
from rethinking_jax.sweep.build import make_model
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.sweep.position import fresh
from rethinking_jax.workdir import checkpoint, metrics
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath, make_folder

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

GRID = 125  # points along each side: with so many no square's edge falls on one
EXTENT = 1.25  # the plane is shown from -EXTENT to EXTENT along both axes
LEVELS = 10  # levels of probability that are told apart
# Matplotlib's map, without its ends: points in the darkest blue and red stand out from it.
MAP, PART = "RdBu_r", (0.2, 0.8)
DARK = ("#08306b", "#67000d")  # the colours of points of class 0 and 1
PANEL, HEIGHT = 2.9, 4.9  # the width of a panel and the height of the film, in inches
FRAME, LAST = 600, 3000  # milliseconds that a frame, and the last one, stay
DPI = {"gif": 80, "png": 110}
# The looks of an example from outside the distribution, and of the square that is left out.
STAR: dict[str, Any] = {"marker": "*", "facecolor": "#ffd60a", "edgecolor": "black"}
HOLE: dict[str, Any] = {"fill": False, "color": "black", "linewidth": 2.5, "linestyle": (0, (2, 1))}


class Panel(NamedTuple):
    """The film of one network, from its start to its end.

    Attributes:
      points: its training points, float [n, 2].
      labels: their classes, 0 or 1, int [n].
      outside: which of them are out of distribution, bool [n].
      steps: the steps that were taken before each frame.
      probabilities: those of class 1, float [frames, g, g], rows from the lowest x2 on.
    """

    points: np.ndarray
    labels: np.ndarray
    outside: np.ndarray
    steps: tuple[int, ...]
    probabilities: np.ndarray


def of_runs(chunks: Sequence[Chunk], workdir: AnyPath) -> list[Panel]:
    """Returns a panel for the first run on each data set of points that has checkpoints.

    Args:
      chunks: the chunks of a workdir, whose runs are trained.
      workdir: where their checkpoints are; one that is damaged is left out.
    """
    first: dict[str, tuple[Chunk, int]] = {}
    for chunk in chunks:
        for index, run in enumerate(chunk.runs):
            if chunk.dataset.holds_points:
                first.setdefault(run.config.dataset, (chunk, index))
    panels = (_panel(chunk, index, workdir) for chunk, index in first.values())
    return [panel for panel in panels if len(panel.steps) > 1]


def _panel(chunk: Chunk, index: int, workdir: AnyPath) -> Panel:
    """Computes how the answers of one run change, from before its first step on."""
    states = {0: jax.device_get(fresh(chunk))[0]}
    template, whose = jax.eval_shape(partial(fresh, chunk)), saved.whose(chunk.runs)
    lines = metrics.by_member(metrics.read_lines(workdir / "metrics.jsonl"))
    objection, folder = saved.objection_of(chunk.runs, lines), workdir / "checkpoints" / chunk.name
    for step in checkpoint.saved_steps(folder):
        restored = checkpoint.restore(folder, step, template, whose, objection)
        if restored is not None:
            states[step] = restored[0]
    answer = _answers(chunk.runs[index].config, chunk.dataset)
    points = np.asarray(chunk.dataset.train.images)[:, 0, :, 0]
    return Panel(
        points,
        chunk.runs[index].train_labels,
        is_outside(points),
        tuple(states),
        np.stack([answer(_member(state, index)) for state in states.values()]),
    )


def _member(state: TrainState, index: int) -> Json:
    both: Json = {"params": state.params, "batch_stats": state.batch_stats}
    member: Json = jax.tree.map(lambda leaf: leaf[index], both)
    return member


def _answers(config: ConfigDict, dataset: Dataset) -> Callable[[Json], jax.Array]:
    """Returns what maps variables to the probability of class 1, float32 [GRID, GRID]: x2, x1."""
    model = make_model(config, dataset.num_classes)
    preprocess = make_preprocess(config.preprocess, *dataset.moments)
    line = (np.arange(GRID) + 0.5) / GRID * 2 * EXTENT - EXTENT
    x1, x2 = np.meshgrid(line, line)
    inputs = preprocess(jnp.asarray(np.stack([x1, x2], -1), jnp.float32).reshape(-1, 1, 2, 1))

    @jax.jit
    def answers(variables: Json) -> jax.Array:
        logits = cast(jax.Array, model.apply(variables, inputs, train=False))
        return jax.nn.softmax(logits)[:, 1].reshape(GRID, GRID)

    return answers


def write(panels: Sequence[Panel], translate: Translate, path: AnyPath) -> None:
    """Writes the film as .gif and its last frame as .png, the same bytes every time.

    Args:
      panels: what stands side by side; one with fewer frames than another keeps its last.
      translate: gives the words in the reader's language.
      path: where the .gif goes; the folder is made where there is none.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from PIL import Image

    make_folder(path.parent)
    with drawing.settings():
        figure = Figure(figsize=(2.0 + PANEL * len(panels), HEIGHT), dpi=DPI["gif"])
        canvas = FigureCanvasAgg(figure)
        shown = _draw(figure, panels, translate)
        frames = []
        for k in range(max(len(panel.steps) for panel in panels)):
            for (axes, image), panel in zip(shown, panels, strict=True):
                at = min(k, len(panel.steps) - 1)
                image.set_data(panel.probabilities[at])
                steps = translate("{n} steps", n=f"{panel.steps[at]:,}")
                axes.set_title(f"{_name(panel, translate)}\n{steps}", fontsize=15)
            canvas.draw()  # type: ignore[no-untyped-call]
            pixels = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
            frames.append(Image.fromarray(pixels).convert("RGB"))
        drawing.save(figure, path.with_suffix(".png"), dpi=DPI["png"])
    # One palette for all, or the colours would flicker; with colours that are rare, too.
    palette = frames[-1].quantize(128, Image.Quantize.MAXCOVERAGE)
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    film = io.BytesIO()
    durations = [FRAME] * (len(few) - 1) + [LAST]
    few[0].save(film, "GIF", save_all=True, append_images=few[1:], duration=durations, loop=0)
    path.write_bytes(film.getvalue())


def _name(panel: Panel, translate: Translate) -> str:
    inside, outside = f"{(~panel.outside).sum():,}", int(panel.outside.sum())
    if outside:
        return translate("{n} + {k} examples", n=inside, k=f"{outside:,}")
    return translate("{n} examples", n=inside)


def _draw(
    figure: "Figure", panels: Sequence[Panel], translate: Translate
) -> "list[tuple[Axes, AxesImage]]":
    """Draws all but what changes, and returns each panel's axes and map."""
    width = figure.get_figwidth()
    figure.suptitle(translate("What the network answers over the plane"), fontsize=22, y=0.985)
    grid = figure.add_gridspec(
        1, len(panels), wspace=0.08, left=0.85 / width, right=1 - 1.25 / width,
        bottom=0.235, top=0.765,
    )  # fmt: skip
    shown = []
    for i, panel in enumerate(panels):
        axes = figure.add_subplot(grid[i])
        image = axes.imshow(
            panel.probabilities[0], origin="lower", extent=(-EXTENT, EXTENT, -EXTENT, EXTENT),
            vmin=0, vmax=1, cmap=_colors(), interpolation="nearest",
        )  # fmt: skip
        _add_points(axes, panel)
        axes.set(xticks=[-1, 0, 1], yticks=[-1, 0, 1] if i == 0 else [])
        axes.tick_params(labelsize=14)
        axes.set_xlabel("$x_1$", fontsize=17, labelpad=0)
        if i == 0:
            axes.set_ylabel("$x_2$", fontsize=17, labelpad=0)
        shown.append((axes, image))
    bar = figure.add_axes((1 - 1.05 / width, 0.235, 0.18 / width, 0.53))
    figure.colorbar(shown[-1][1], cax=bar, ticks=[0, 0.5, 1])
    bar.tick_params(labelsize=14)
    bar.set_ylabel(translate("probability of class 1"), fontsize=14, labelpad=6)
    _add_legend(figure, panels, translate)
    return shown


def _colors() -> "ListedColormap":
    import matplotlib
    from matplotlib.colors import ListedColormap

    return ListedColormap(matplotlib.colormaps[MAP](np.linspace(*PART, LEVELS)))


def _add_points(axes: "Axes", panel: Panel) -> None:
    """Draws the training points, the board's edge and the square that is left out."""
    from matplotlib.patches import Rectangle

    size = float(np.clip(6000 / len(panel.points), 1.0, 10.0))
    for label, color in enumerate(DARK):
        chosen = panel.points[(panel.labels == label) & ~panel.outside]
        axes.scatter(chosen[:, 0], chosen[:, 1], s=size, color=color, linewidths=0)
    stars = panel.points[panel.outside]
    axes.scatter(stars[:, 0], stars[:, 1], s=70, linewidths=0.6, **STAR)
    axes.add_patch(Rectangle((-1, -1), 2, 2, fill=False, color="black", linewidth=1.2))
    left, bottom = (place * SIDE - 1 for place in LEFT_OUT)
    axes.add_patch(Rectangle((left, bottom), SIDE, SIDE, **HOLE))


def _add_legend(figure: "Figure", panels: Sequence[Panel], translate: Translate) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    dots = [
        Line2D([], [], linestyle="", marker="o", color=color, label=translate("class {n}", n=label))
        for label, color in enumerate(DARK)
    ]
    hole = Patch(**HOLE, label=translate("out of distribution"))
    star = Line2D(
        [], [], linestyle="", marker="*", markersize=13, markerfacecolor=STAR["facecolor"],
        markeredgecolor="black", label=translate("out-of-distribution examples"),
    )  # fmt: skip
    handles = [*dots, hole, *([star] if any(panel.outside.any() for panel in panels) else [])]
    figure.legend(handles=handles, loc="lower center", ncols=4, fontsize=14, frameon=False)
