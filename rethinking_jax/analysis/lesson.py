"""The type of a lesson, and the parts that its figures and claims are made of."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Band, Curve, Plot, band
from rethinking_jax.analysis.intervals import Difference, difference
from rethinking_jax.analysis.networks import network
from rethinking_jax.analysis.results import Group, Results, count_seeds, series
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.language.translate import Translate, translator

# More networks than this are not named in the small print of a slide: its legend has them.
MOST_NAMED = 4


class Lesson(NamedTuple):
    """An experiment of the course.

    Attributes:
      plots: draws its slides from the results; every word on them goes through a `Translate`.
      judge: holds what the lecture says against the results.
      validated: whether it is about runs that a validation set chooses among.
    """

    plots: Callable[[Results, Translate], list[Plot]]
    judge: Callable[[Results], list[Verdict]]
    validated: bool = False


def slides(lesson: Lesson, results: Results) -> list[Plot]:
    """Returns the figures of a lesson in large type, in the config's language.

    What a lesson of one's own says, and the phrase book does not know, stays as it is.
    """
    translate, as_it_is = translator(results.config.get("language", "en")), translator("en")

    def said(phrase: str, **values: object) -> str:
        return (translate if phrase in SPANISH else as_it_is)(phrase, **values)

    return [plot._replace(slide=True) for plot in lesson.plots(results, said)]


def source(results: Results) -> str:
    """Returns the small print of a slide: what its numbers are of."""
    translate = translator(results.config.get("language", "en"))
    summary, swept = results.summary, set(results.swept)
    models, sizes = results.models, results.config.get("hidden_sizes")
    if sizes and all(network(model).sized for model in models):
        models = ["MLP" if "hidden_sizes" in swept else f"MLP {'-'.join(map(str, sizes))}"]
    named = ", ".join(models) if len(models) <= MOST_NAMED else ""
    images = translate("{n} training images", n=f"{summary['train_examples']:,}")
    if swept & {"dataset", "train_examples"}:
        images = ""
    seeds = max(group.seeds for group in groups_of(results))
    count = translate("{n} seed" if seeds == 1 else "{n} seeds", n=seeds)
    return "; ".join(filter(None, (summary["dataset"], images, named, count, summary["device"])))


def groups_of(results: Results) -> list[Group]:
    """Returns the groups of runs that differ in their seed only, in the order of the config."""
    return [group for one in series(results) for group in one.groups]


def by_key(results: Results, key: str) -> dict[Any, Group]:
    """Returns the groups by their value of a config key, in the order of the config.

    A list is a tuple there; the key says of which type its values are.
    """
    values = [(group.config[key], group) for group in groups_of(results)]
    return {tuple(v) if isinstance(v, list) else v: group for v, group in values}


def over_epochs(group: Group, key: str) -> Band:
    """Returns a metric at the end of each epoch: epochs, then mean, least and most over seeds."""
    _, mean, low, high = band(group.lines, key)
    return [float(line["epoch"]) for line in max(group.lines, key=len)], mean, low, high


def seconds_per_epoch(group: Group, size: int) -> float:
    """Returns the seconds of an epoch of `size` examples, without compiling and measuring.

    The speed is the median over all epochs and seeds.
    """
    speeds = [line["images_per_second"] for own in group.lines for line in own]
    return float(size / np.median(speeds))


def over_seconds(group: Group, key: str, size: int) -> Band:
    """Returns a metric against the seconds of training, see `seconds_per_epoch`."""
    epochs, mean, low, high = over_epochs(group, key)
    pace = seconds_per_epoch(group, size)
    return [epoch * pace for epoch in epochs], mean, low, high


def epochs_to_loss(group: Group, loss: float) -> float:
    """Returns the mean epochs over seeds until a training loss is reached; infinity for never."""
    steps = group.steps_to_loss("train_loss", loss)
    if None in steps:
        return float("inf")
    first = group.lines[0][0]
    per_epoch = first["step"] / first["epoch"]
    return float(np.mean([step / per_epoch for step in steps if step is not None]))


def up_to(points: Band, last: float) -> Band:
    """Returns the part of a line up to x = last."""
    x, mean, low, high = points
    count = sum(value <= last for value in x)
    return x[:count], mean[:count], low[:count], high[:count]


def final(group: Group, key: str) -> list[float]:
    """Returns a metric at the end of each seed's run; infinity where a loss was not a number."""
    return [np.inf if value is None else float(value) for value in group.values(key)]


def curve(label: str, points: Band, note: str) -> Curve:
    """Returns a line of a slide."""
    return Curve(label, *points, note=note)


def note(group: Group, translate: Translate) -> str:
    """Says what a line over several seeds shows; "" for one."""
    if group.seeds == 1:
        return ""
    return translate("mean of {n} seeds, band from least to most", n=group.seeds)


def sample(results: Results) -> str:
    """Says what numbers are of: data, seeds, device."""
    summary = results.summary
    return f"{summary['dataset']}, {count_seeds(groups_of(results))}, {summary['device']}"


def verdict(results: Results, claim: str, outcome: str, ours: str) -> Verdict:
    """Returns what became of a claim of the lecture, whose numbers say what they are of."""
    return _verdict(results, claim, outcome, f"{ours} ({sample(results)}).")


def _verdict(results: Results, claim: str, outcome: str, sentence: str) -> Verdict:
    return Verdict(claim, "", ", ".join(results.models), outcome, sentence, "", of_paper=False)


def unmeasured(results: Results, need: str, *claims: str) -> list[Verdict]:
    """Returns claims that these runs cannot answer, with what would be needed."""
    return [_verdict(results, claim, NOT_MEASURED, f"Needs {need}.") for claim in claims]


def less(
    a: Sequence[float], b: Sequence[float], examples: tuple[int, int] | int | None = None
) -> tuple[str, Difference]:
    """Judges whether the values of a are below those of b, as far as their seeds tell.

    Args:
      a: a value for each seed.
      b: the same of what must be above.
      examples: for accuracies the size of their set, or the sizes of b's and of a's.
    """
    found = difference(b, a, examples)
    if found.low > 0:
        return YES, found
    return (NO if found.high < 0 else NOT_MEASURED), found


def all_above_0(*found: Difference) -> str:
    """Says whether all numbers are above 0; not measured where their intervals do not tell."""
    if all(one.low > 0 for one in found):
        return YES
    return NO if any(one.value <= 0 for one in found) else NOT_MEASURED


def told(found: Difference, form: str = "{:.4f}") -> str:
    """Returns a difference and its interval in words."""
    text = f"a difference of {form.format(found.value)}"
    if not found.of:
        return f"{text}, one seed each and no interval"
    return (
        f"{text} (95 % interval {form.format(found.low)} to {form.format(found.high)}, "
        f"over {found.of})"
    )
