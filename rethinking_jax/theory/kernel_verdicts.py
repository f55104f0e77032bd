"""What the paper says of kernel machines, judged by the runs of `kernel`."""

from rethinking_jax.analysis.chance import DEVIATIONS, Chance, well_above
from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.workdir.metrics import Json, text_of


def verdicts(measured: list[Json]) -> list[Verdict]:
    """Judges what the paper says of kernel machines by the results of runs, see `kernel.run`."""
    measured = [row for row in measured if row["converged"]]  # what is no solution says nothing
    plain = [row for row in measured if row["ridge"] == 0]
    true = [row for row in plain if row["corruption"] == "true_labels"]
    random = [row for row in measured if row["corruption"] == "random_labels"]
    fits = all(row["train_error"] == 0 for row in plain)
    learns = all(
        1 - row["test_error"] >= well_above(Chance(1 - _chance(row), row["test_deviation"]))
        for row in true
    )
    at_chance = all(
        abs(row["test_error"] - _chance(row)) <= DEVIATIONS * row["test_deviation"]
        for row in random
    )
    return [
        verdict(
            "Without a ridge the solution fits all labels, true or random.",
            "section 5",
            fits if plain else None,
            f"Train error: {_list(plain, 'train_error')}." if plain else "Needs ridge=0.",
            "K alpha = Y is solved exactly.",
        ),
        verdict(
            "Fitting the training set exactly, without a regularizer, generalizes.",
            "Table 3",
            learns if true else None,
            f"Test error on true labels: {_list(true, 'test_error')}."
            if true
            else "Needs true_labels with ridge=0.",
            "Test error 0.012 (MNIST), 0.46 (CIFAR-10), no preprocessing.",
        ),
        verdict(
            "The same machines test at chance after random labels.",
            "section 2, for kernels",
            at_chance if random else None,
            f"Test error: {_list(random, 'test_error')}." if random else "Needs random_labels.",
            "Networks: test error 0.90 (CIFAR-10).",
        ),
        _larger_norm(true),
        _random_norm(plain),
    ]


def _larger_norm(true: list[Json]) -> Verdict:
    pairs = [
        (raw, wavelets)
        for raw in true
        for wavelets in true
        if (raw["kernel"], wavelets["kernel"]) == ("gaussian", "gabor")
        and raw.get("variant") == wavelets.get("variant")
    ]
    texts = [
        f"Norm and test error: {raw['norm']:.1f} and {text_of(raw['test_error'])} on pixels, "
        f"{wavelets['norm']:.1f} and {text_of(wavelets['test_error'])} on wavelets"
        + (f" ({raw['variant']})." if "variant" in raw else ".")
        for raw, wavelets in pairs
    ]
    held = all(
        wavelets["norm"] > raw["norm"] and wavelets["test_error"] < raw["test_error"]
        for raw, wavelets in pairs
    )
    return verdict(
        "The larger norm generalizes better: wavelets against pixels.",
        "section 5",
        held if pairs else None,
        " ".join(texts) or "Needs gaussian and gabor on true_labels with ridge=0.",
        "220 and 0.012 on pixels, 390 and 0.006 on wavelets (MNIST).",
    )


def _random_norm(plain: list[Json]) -> Verdict:
    pairs = [
        (machine(a), b["norm"] / a["norm"])
        for a in plain
        for b in plain
        if machine(a) == machine(b)
        and (a["corruption"], b["corruption"]) == ("true_labels", "random_labels")
    ]
    ratios = ", ".join(f"{kernel} {ratio:.2f}" for kernel, ratio in pairs)
    return verdict(
        "Random labels need a larger norm than true ones with the same kernel.",
        "not a claim of the paper",
        all(ratio > 1 for _, ratio in pairs) if pairs else None,
        f"Norm over that of true labels: {ratios}."
        if pairs
        else "Needs both settings with ridge=0.",
        "No number in the paper.",
        of_paper=False,
    )


def machine(row: Json) -> str:
    """Names the kernel of a row, and what else tells it from the others."""
    return f"{row['kernel']} {row['variant']}" if "variant" in row else str(row["kernel"])


def _chance(row: Json) -> float:
    """Returns the test error by chance."""
    return float(1 - 1 / row["num_classes"])


def _list(found: list[Json], key: str) -> str:
    return ", ".join(
        machine(row)
        + (f" ridge {row['ridge']:g}" if row["ridge"] else "")
        + f" {row['corruption'].replace('_', ' ')} {text_of(row[key])}"
        for row in found
    )
