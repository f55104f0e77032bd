"""What is claimed of kernels on noisy labels, judged by the draws of an experiment.

A claim over several cells (a kernel, a size, a level of noise) holds where the 95 % interval of
every cell is on its side. It fails where some cell is on the other side beyond chance, by Student's
t over the draws with Holm's correction for the number of cells. Otherwise the draws do not tell,
and it is not measured.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise

import numpy as np

from rethinking_jax.analysis import belkin
from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import Difference, holm, mean_interval, p_above_0
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory.kernel_noise_pages import beside
from rethinking_jax.workdir.metrics import Json, text_of

CHANCE = 0.05  # the probability of an error that is allowed in a family of tests
SHARP = 0.02  # half the width of an interval beyond which a number says nothing of the paper's
COSTS = 0.01  # what interpolation may cost in test error against a ridge
FLIP_FROM = 1500  # examples from which on the order of the two kernels depends on noise
NEVER_FALLS = "It never falls as noise grows."
FALLS = "It falls somewhere as noise grows."
SLIGHT, SOME, MUCH = 0.01, 0.1, 0.8  # the levels of noise that claims are about
# A family of cells: the values of each draw, by the name of the cell.
Cells = Mapping[str, Sequence[float]]


def decide(cells: Cells) -> bool | None:
    """Says whether the mean of every cell is above 0; None where the draws do not tell."""
    if not cells:
        return None
    if all(mean_interval(values, "draws").low > 0 for values in cells.values()):
        return True
    below = holm([p_above_0([-value for value in values]) for values in cells.values()])
    return False if min(below) < CHANCE else None


def verdicts(measured: Sequence[Json]) -> list[Verdict]:
    """Judges every claim; what is not solved says nothing."""
    kernels = [row for row in measured if row["norms"] and row["converged"]]
    return [
        _fits(kernels, [row for row in measured if not row["converged"]]),
        _as_the_paper(measured),
        _cheap(kernels),
        _larger_norm(kernels),
        _flips(kernels),
        _one_neighbour(measured),
        _harder_for_smooth(kernels),
        _above_chance(kernels),
    ]


def _fits(kernels: Sequence[Json], unsolved: Sequence[Json]) -> Verdict:
    most = max((max(row["train_errors"]) for row in kernels), default=0.0)
    missing = f" Not solved: {', '.join(row['name'] for row in unsolved)}." if unsolved else ""
    return _judged(
        "Kernels fit every training label at every level of noise.",
        f"{belkin.PAPER}, Table 3",
        most == 0 if kernels else None,
        f"The largest train error of {_draws(kernels)} draws and {len(kernels)} cells: "
        f"{text_of(most)}.{missing}"
        if kernels
        else f"Needs kernel=gaussian or laplacian.{missing}",
        "Training error 0.",
    )


def _as_the_paper(measured: Sequence[Json]) -> Verdict:
    own = beside(measured)
    sharp = [one for one in own if one.half <= SHARP]
    held, ours = None, f"Needs dataset={belkin.DATASET} at sizes of the tables and noise 0 or 0.1."
    if own:
        ours = f"None of {len(own)} intervals is as narrow as ± {SHARP}: more draws are needed."
    if sharp:
        rejected = [
            one for one, p in zip(sharp, holm([one.p for one in sharp]), strict=True) if p < CHANCE
        ]
        held = not rejected
        far = max(sharp, key=lambda one: abs(one.mean - one.cell.error))
        within = sum(one.within for one in sharp)
        where = "; ".join(_cell(one.cell) for one in rejected) or "none"
        ours = (
            f"{within} of {len(sharp)} errors within the 95 % interval of one more draw "
            f"({_draws(measured)} draws); {len(rejected)} too far after Holm's correction "
            f"({where}). "
            f"The largest difference: {100 * (far.mean - far.cell.error):+.2f} points "
            f"({_cell(far.cell)}). "
            f"{len(own) - len(sharp)} intervals wider than ± {SHARP} are left out."
        )
    return _judged(
        "Test errors of kernels and neighbours on MNIST are those of the paper.",
        f"{belkin.PAPER}, Tables 6 and 7",
        held,
        ours,
        "Gaussian kernel, 3,000 digits: 0.0410 without noise, 0.1400 at noise 0.1.",
    )


def _cell(cell: belkin.Cell) -> str:
    return f"{cell.learner}, {cell.examples:,} examples, noise {cell.noise:g}"


def _cheap(kernels: Sequence[Json]) -> Verdict:
    rows = [row for row in kernels if row["ridge_errors"] and row["noise"] < 1]
    costs = {
        f"{row['learner']}, {row['examples']:,} examples, noise {row['noise']:g}": np.subtract(
            row["test_errors"], row["ridge_errors"]
        ).tolist()
        for row in rows
    }
    held = decide({name: [COSTS - cost for cost in own] for name, own in costs.items()})
    ours = "Needs ridges and a noise below 1."
    if costs:
        name = max(costs, key=lambda name: float(np.mean(costs[name])))
        few = [own for row, own in zip(rows, costs.values(), strict=True) if row["noise"] <= SOME]
        upto = max((float(np.mean(own)) for own in few), default=float("nan"))
        ours = (
            f"Interpolation less the ridge that a held-out fifth chooses: at most {upto:+.4f} up "
            f"to noise {SOME}, at most {_interval(costs[name])} in all ({name}; "
            f"{_draws(rows)} draws, {len(costs)} cells)."
        )
    return _judged(
        f"Fitting every noisy label costs at most {COSTS} of test error against the best ridge.",
        "not a claim of the paper",
        held,
        ours,
        "No number in the paper.",
    )


def _larger_norm(kernels: Sequence[Json]) -> Verdict:
    by_place = _by_place(kernels, "norms")
    ratios = {
        f"{learner}, {size:,} examples": np.log(np.divide(own[SLIGHT], own[0])).tolist()
        for (learner, size), own in by_place.items()
        if {0, SLIGHT} <= own.keys()
    }
    held, ours = decide(ratios), f"Needs noise 0 and {SLIGHT}."
    if ratios:
        rising = all(
            float(np.mean(a)) <= float(np.mean(b))
            for own in by_place.values()
            for (_, a), (_, b) in pairwise(sorted(own.items()))
        )
        held = held if rising else False
        listed = "; ".join(
            f"{name} {np.exp(one.value):.3f} ({np.exp(one.low):.3f} to {np.exp(one.high):.3f})"
            for name, one in ((name, mean_interval(own, "")) for name, own in ratios.items())
        )
        ours = (
            f"Norm at noise {SLIGHT} over that at 0: {listed} (95 %, {_draws(kernels)} draws). "
            + (NEVER_FALLS if rising else FALLS)
        )
    return _judged(
        "One label in a hundred drawn anew makes the norm larger, and more noise larger still.",
        f"{belkin.PAPER}, Figures 2 to 4",
        held,
        ours,
        "More than 10 times on separable synthetic data, clearly on MNIST.",
    )


def _flips(kernels: Sequence[Json]) -> Verdict:
    by_place = _by_place(kernels, "test_errors")
    cells: dict[str, list[float]] = {}
    for size in sorted({size for _, size in by_place if size >= FLIP_FROM}):
        smooth, rough = (by_place.get((name, size), {}) for name in ("gaussian", "laplacian"))
        for noise, sign in ((0, 1), (SOME, -1)):
            if noise in smooth and noise in rough:
                off = np.subtract(rough[noise], smooth[noise])
                cells[f"{size:,} examples, noise {noise:g}"] = (sign * off).tolist()
    complete = {name.split(", ")[1] for name in cells} == {"noise 0", f"noise {SOME:g}"}
    ours = f"Needs both kernels, at least {FLIP_FROM:,} examples, noise 0 and {SOME}."
    if complete:
        ours = (
            "Error of the Laplacian less that of the Gaussian kernel: "
            + "; ".join(
                f"{name} {_interval(own if name.endswith(' 0') else [-x for x in own])}"
                for name, own in cells.items()
            )
            + f" ({_draws(kernels)} draws)."
        )
    return _judged(
        "Without noise the Gaussian kernel errs less, with noise 0.1 the Laplacian one.",
        f"{belkin.PAPER}, Tables 6 and 7",
        decide(cells) if complete else None,
        ours,
        "3,000 digits: 0.0494 - 0.0410 without noise, 0.1385 - 0.1400 with it.",
    )


def nearest_limit(noise: float, classes: int) -> float:
    """Returns the error of one neighbour whose true label is always right, at a level of noise.

    With e = noise (k - 1) / k both labels are true with probability (1 - e)^2, and the same wrong
    one with e^2 / (k - 1).
    """
    e = noise * (classes - 1) / classes
    return 1 - (1 - e) ** 2 - e**2 / (classes - 1)


def _one_neighbour(measured: Sequence[Json]) -> Verdict:
    rows = [row for row in measured if (row["learner"], row["noise"]) == ("1-NN", SOME)]
    held, ours = None, f"Needs kernel=nearest and noise {SOME}."
    if rows:
        last = max(rows, key=lambda row: row["examples"])
        bayes, limit = last["bayes_error"], nearest_limit(SOME, last["num_classes"])
        half_way = (bayes + limit) / 2
        held = decide({"": [error - half_way for error in last["test_errors"]]})
        ours = (
            f"Test error {_interval(last['test_errors'], '')} at {last['examples']:,} examples "
            f"({_draws(rows)} draws). The Bayes error is {bayes:.3f}, the limit of one neighbour "
            f"{limit:.3f}, and the middle of both {half_way:.3f}."
        )
    return _judged(
        "The nearest neighbour, which fits every label too, stays away from the Bayes error.",
        f"{belkin.PAPER}, Table 7",
        held,
        ours,
        "0.2121 at 15,000 digits and noise 0.1, where the Bayes error is 0.09.",
    )


def _harder_for_smooth(kernels: Sequence[Json]) -> Verdict:
    by_place = _by_place([row for row in kernels if row["steps"]], "steps")
    ratios = {
        place: np.log(np.divide(own[1], own[0]))
        for place, own in by_place.items()
        if {0, 1} <= own.keys()
    }
    sizes = {size for name, size in ratios if name == "gaussian"} & {
        size for name, size in ratios if name == "laplacian"
    }
    held, ours = None, "Needs both kernels and noise 0 and 1, at a size at which steps are counted."
    if sizes:
        size = max(sizes)
        smooth, rough = ratios["gaussian", size], ratios["laplacian", size]
        held = decide({"": (smooth - rough).tolist()})
        apart = mean_interval((smooth - rough).tolist(), "draws")
        value, low, high = (float(np.exp(x)) for x in (apart.value, apart.low, apart.high))
        ours = (
            f"Steps of conjugate gradients, random labels over true ones, {size:,} examples: "
            f"Gaussian {np.exp(smooth.mean()):.2f}, Laplacian {np.exp(rough.mean()):.2f}, their "
            f"ratio {value:.2f} ({low:.2f} to {high:.2f}, 95 %, {_draws(kernels)} draws)."
        )
    return _judged(
        "Random labels cost the Gaussian kernel more steps than true ones do, and the Laplacian "
        "kernel few more.",
        f"{belkin.PAPER}, Tables 1 and 2",
        held,
        ours,
        "Epochs of EigenPro-SGD on MNIST, true and random labels: Gaussian 20 and 873, Laplacian "
        "4 and 7.",
    )


def _above_chance(kernels: Sequence[Json]) -> Verdict:
    rows = [row for row in kernels if row["noise"] == MUCH]
    size = max((row["examples"] for row in rows), default=0)
    cells, listed = {}, []
    for row in rows:
        if row["examples"] == size:
            chance = 1 - 1 / row["num_classes"]
            least = chance - (chance - row["bayes_error"]) / 4
            cells[row["name"]] = [least - error for error in row["test_errors"]]
            listed.append(f"{row['learner']} {_interval(row['test_errors'], '')}")
    return _judged(
        "With four labels in five drawn anew, kernels that fit them all are well above chance.",
        f"{belkin.PAPER}, Figure 5",
        decide(cells),
        f"Test error at noise {MUCH}, {size:,} examples: {'; '.join(listed)} "
        f"({_draws(rows)} draws); chance {chance:.2f}, Bayes error {rows[0]['bayes_error']:.2f}; "
        f"a quarter of the way is {least:.3f}."
        if rows
        else f"Needs noise {MUCH}.",
        "Well above chance (a figure only).",
    )


def _judged(claim: str, place: str, held: bool | None, ours: str, theirs: str) -> Verdict:
    """Returns the verdict on a claim that is not of the paper that this package is about."""
    return verdict(claim, place, held, ours, theirs, of_paper=False)


def _by_place(rows: Sequence[Json], key: str) -> dict[tuple[str, int], dict[float, list[float]]]:
    """Returns the values of each draw by learner and size, then by noise."""
    found: dict[tuple[str, int], dict[float, list[float]]] = {}
    for row in rows:
        found.setdefault((row["learner"], row["examples"]), {})[row["noise"]] = row[key]
    return found


def _draws(rows: Sequence[Json]) -> int:
    """Returns how many draws each cell has."""
    return len(rows[0]["test_errors"])


def _interval(values: Sequence[float], sign: str = "+") -> str:
    found: Difference = mean_interval(values, "draws")
    form: Callable[[float], str] = f"{{:{sign}.4f}}".format
    return f"{form(found.value)} ({form(found.low)} to {form(found.high)})"
