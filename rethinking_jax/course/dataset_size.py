"""Test error against the number of training examples: data is the best regularizer."""

from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.claims import outcome
from rethinking_jax.analysis.curves import Curve, Plot, seeds_curve
from rethinking_jax.analysis.lesson import Lesson, groups_of, note, unmeasured, verdict
from rethinking_jax.analysis.results import Group, Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.language.translate import Translate
from rethinking_jax.workdir.metrics import text_of

POWER = "Test error falls as a power of the number of training examples."
AUGMENTED = "Augmentation lowers the test error at every number of examples."
DATA = "Twice the data wins more than augmentation."
# The share of the logarithms' variance that the straight line of a power law explains, at least.
STRAIGHT = 0.95


class Fit(NamedTuple):
    """The law error = factor * n ** -power, and the share of variance that it explains (r2)."""

    power: float
    factor: float
    r2: float


def power_law(n: np.ndarray, errors: np.ndarray) -> Fit:
    """Fits error = factor * n ** -power by least squares on the logarithms.

    Args:
      n: the numbers of examples, at least two different ones.
      errors: the error with each of them, above 0.
    """
    x, y = np.log(n), np.log(errors)
    slope, intercept = np.polyfit(x, y, 1)
    residual = np.sum((y - slope * x - intercept) ** 2)
    total = np.sum((y - y.mean()) ** 2)
    r2 = 1 - residual / total if total > 0 else 1.0
    return Fit(-float(slope), float(np.exp(intercept)), float(r2))


# The errors of each seed by rising numbers of examples.
Errors = dict[int, list[float]]


def errors(results: Results) -> dict[str, Errors]:
    """Returns test errors by augmentation; "" is none."""
    found: dict[str, Errors] = {}
    for group in groups_of(results):
        size = group.config["train_examples"] or results.summary["train_examples"]
        found.setdefault(group.augmentation, {})[size] = _errors(group)
    return {name: dict(sorted(own.items())) for name, own in found.items()}


def _errors(group: Group) -> list[float]:
    return [1 - accuracy for accuracy in group.test_accuracy()]


def _means(own: Errors) -> tuple[np.ndarray, np.ndarray]:
    return np.array(list(own), float), np.array([np.mean(values) for values in own.values()])


def plots(results: Results, translate: Translate) -> list[Plot]:
    """Draws the test error against examples on logarithmic scales, with the fitted power law."""
    curves = []
    seeds = note(groups_of(results)[0], translate)
    for name, own in errors(results).items():
        label = translate("augmented: {names}" if name else "no augmentation", names=name)
        n, mean = _means(own)
        curves.append(seeds_curve(label, n, list(own.values()), seeds))
        if len(own) > 1 and (mean > 0).all():
            fit = power_law(n, mean)
            line = (fit.factor * n**-fit.power).tolist()
            law = translate("{label}: error ~ n^-{power:.2f}", label=label, power=fit.power)
            curves.append(Curve(law, n.tolist(), line, line, line))
    title = translate("Error against the number of training examples")
    axes = translate("training examples"), translate("test error")
    caption = "Straight: the fitted power law."
    return [Plot("dataset_size", title, caption, *axes, curves, log="xy")]


def judge(results: Results) -> list[Verdict]:
    """Judges whether there is a power law, and whether data wins more than augmentation."""
    found = errors(results)
    plain = found.get("", {})
    augmented = next((own for name, own in found.items() if name), {})
    return [*_power(results, plain), *_against(results, plain, augmented)]


def _power(results: Results, plain: Errors) -> list[Verdict]:
    n, mean = _means(plain)
    if len(n) < 4 or (mean <= 0).any():
        need = "at least four numbers of training examples and errors above 0"
        return unmeasured(results, need, POWER)
    fit = power_law(n, mean)
    text = (
        f"Test error {text_of(mean[0])} with {n[0]:,.0f} examples, {text_of(mean[-1])} with "
        f"{n[-1]:,.0f}; fitted: error = {fit.factor:.2f} n^-{fit.power:.2f}, R² {fit.r2:.3f}, "
        f"at least {STRAIGHT:g} counts as a power law"
    )
    return [verdict(results, POWER, outcome(fit.power > 0 and fit.r2 >= STRAIGHT), text)]


def _against(results: Results, plain: Errors, augmented: Errors) -> list[Verdict]:
    shared = [n for n in plain if n in augmented]
    doubled = [n for n in shared if 2 * n in plain]
    gain = {n: float(np.mean(plain[n]) - np.mean(augmented[n])) for n in shared}
    twice = {n: float(np.mean(plain[n]) - np.mean(plain[2 * n])) for n in doubled}
    if not doubled:
        return unmeasured(
            results,
            "runs with and without augmentation at n and 2 n training examples",
            AUGMENTED,
            DATA,
        )
    helps = all(value > 0 for value in gain.values())
    told = ", ".join(f"{n:,}: {value:.4f}" for n, value in gain.items())
    data = all(twice[n] > gain[n] for n in doubled)
    both = ", ".join(f"{n:,}: {twice[n]:.4f} and {gain[n]:.4f}" for n in doubled)
    return [
        verdict(results, AUGMENTED, outcome(helps), f"It lowers the test error by {told}"),
        verdict(results, DATA, outcome(data), f"Twice the data and augmentation win {both}"),
    ]


LESSON = Lesson(plots, judge)
