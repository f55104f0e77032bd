"""Numbers as slides show them, and what they are of in small print."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from rethinking_jax.analysis import lesson
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.networks import NETWORKS, network
from rethinking_jax.analysis.results import Group, Results, Series
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk.slide import Slide
from rethinking_jax.workdir.metrics import Json, text_of

DASH = "-"  # stands where there is no number
DIGITS = 3
GAUSSIAN = "Gaussian points"  # what an experiment of theory may look at in place of images


def mean(values: Iterable[float | None] | None) -> str:
    """Returns a mean over seeds, an accuracy or an error, in three digits; `DASH` without one."""
    known = [] if values is None else [value for value in values if value is not None]
    return text_of(float(np.mean(known)), DIGITS) if known else DASH


def number(value: float | None) -> str:
    """Returns one accuracy or error in three digits; `DASH` where there is none."""
    return DASH if value is None else text_of(value, DIGITS)


def errors(accuracies: Sequence[float]) -> list[float]:
    """Returns the errors that belong to accuracies."""
    return [1 - value for value in accuracies]


def epochs(values: Sequence[int | None]) -> str:
    """Returns the mean epochs of all seeds; `DASH` where one did not get there."""
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.0f}" if known and len(known) == len(values) else DASH


def setting(group: Group, words: Translate) -> str:
    """Returns the name of a setting in the reader's language."""
    return words(group.setting.replace("_", " "))


def network_name(model: str, words: Translate, widths: Sequence[int] = ()) -> str:
    """Returns what a reader calls a network; `widths` are those of its layers, if it has some."""
    own = network(model)
    if own.sized:
        return f"MLP {'-'.join(map(str, widths))}" if widths else "MLP"
    return words(own.name) if model in NETWORKS else model


def series_name(one: Series, words: Translate) -> str:
    """Returns what a reader calls the network of a series."""
    widths = one.groups[0].config.get("hidden_sizes") or ()
    return network_name(one.model, words, widths)


def regularizers(names: Sequence[str], words: Translate) -> str:
    """Returns the names of regularizers that are on, or that there is none."""
    if not names:
        return words("none")
    return " + ".join(words(name.replace("_", " ")) for name in names)


def ours(results: Results, series: Sequence[Series], words: Translate) -> str:
    """Returns the small print of trained runs: data, size, networks, seeds, device."""
    groups = [group for one in series for group in one.groups]
    models = list(dict.fromkeys(series_name(one, words) for one in series))
    several = len(models) > lesson.MOST_NAMED
    named = words("{n} networks", n=len(models)) if several else ", ".join(models)
    sizes = results.summary.get("train_examples")
    images = words("{n} training images", n=f"{sizes:,}") if sizes else ""
    return words(
        "Ours: {what}.",
        what="; ".join(
            filter(
                None,
                (results.summary["dataset"], images, named, seeds(groups, words),
                 results.summary["device"]),
            )
        ),
    )  # fmt: skip


def seeds(groups: Sequence[Group], words: Translate) -> str:
    """Returns how many seeds groups have, such as "1 seed" or "3 to 5 seeds"."""
    counts = sorted({group.seeds for group in groups})
    if counts[0] < counts[-1]:
        return words("{least} to {most} seeds", least=counts[0], most=counts[-1])
    return count_of_seeds(counts[0], words)


def count_of_seeds(count: int, words: Translate) -> str:
    """Returns a number of seeds in words."""
    return words("{n} seed" if count == 1 else "{n} seeds", n=count)


def seeds_of(rows: Iterable[Json], words: Translate) -> str:
    """Returns how many seeds measurements have; those of an experiment with one do not name it."""
    return count_of_seeds(len({row.get("seed", 0) for row in rows}), words)


def network_of(name: str, words: Translate) -> str:
    """Returns what a reader calls a network of a config's argument, such as "mlp_1x8"."""
    kind, _, size = name.partition("_")
    return f"MLP {size}" if kind == "mlp" and size else network_name(name, words)


def of_theory(found: TheoryResults, words: Translate, *more: str) -> str:
    """Returns the small print of an experiment of theory: data, what else is given, device."""
    parts = (data_name(found.summary["dataset"], words), *more, found.summary["device"])
    return words("Ours: {what}.", what="; ".join(filter(None, parts)))


def data_name(name: str, words: Translate) -> str:
    """Returns the name of a data set, or of points that are drawn in its place."""
    return words(name) if name == GAUSSIAN else name


def papers(place: str, words: Translate) -> str:
    """Returns the small print of the paper's numbers; `place` is where they stand in it."""
    return words("The paper: {place}.", place=place)


def with_ours(
    draft: Slide, script: str, small_print: str, points: Sequence[str], **shown: Any
) -> Slide:
    """Returns a slide with our numbers, made of the one that stands where nothing was measured.

    Args:
      draft: the slide with the paper's numbers.
      script: what is said of ours.
      small_print: what ours are of; it comes before that of the paper.
      points: all points of the slide.
      **shown: its charts, table or picture.
    """
    source = f"{small_print} {draft.source}".strip()
    return draft._replace(script=script, source=source, points=points, missing="", **shown)
