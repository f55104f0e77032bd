"""Norms of fitted networks: ratios, slopes, ranks, each verdict, and the whole command."""

import json
import math
from collections.abc import Sequence
from itertools import combinations, product
from pathlib import Path

import numpy as np
import pytest
from conftest import Command, read_metrics
from helpers.words import left_in_english
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax.analysis.norms import COLUMNS
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.theory import norm_verdicts as verdicts
from rethinking_jax.theory.norm_results import (
    JUDGED,
    MEASURED,
    OTHER,
    RANDOM,
    TRUE,
    Fit,
    cell_rows,
    log_ratios,
    measure_rows,
    norm_plots,
    slopes,
    tau,
)

CONFIG = "--config=configs/norms.py"
SIZES, WIDTHS = (250, 1000, 4000), (128, 512)
UNLIKE = {TRUE: 0.0, RANDOM: 0.5}  # powers of n
ALIKE = dict.fromkeys(UNLIKE, 0.25)


def network(labels: str, n: int, width: int, seed: int, value: float, test: float = 0.5) -> Fit:
    """A network all of whose norms are `value`, and so are its margins, inverted."""
    margins = {name for name in COLUMNS if "margin" in name}
    line = {name: 1 / value if name in margins else value for name in COLUMNS}
    line |= {"epoch": 4, "train_accuracy": 1.0, "test_accuracy": test, "train_loss": 0.01}
    return Fit(labels, labels, n, width, seed, line)


def networks(powers: dict[str, float], factor: float = 2.0, seeds: int = 3) -> list[Fit]:
    """Networks whose norms are factor * n^power, with a little noise of each seed."""
    noise = np.random.default_rng(0)
    return [
        network(labels, n, width, seed, math.exp(0.01 * noise.normal()) * factor * n**power)
        for (labels, power), n, width, seed in product(powers.items(), SIZES, WIDTHS, range(seeds))
    ]


def outcomes(judged: Sequence[Verdict]) -> set[str]:
    return {one.outcome for one in judged}


@settings(max_examples=5, deadline=None)
@given(st.floats(0.1, 9), st.floats(-2, 2), st.floats(-2, 2))
def test_ratios_and_slopes_are_those_of_power_laws(c: float, a: float, b: float) -> None:
    fits = [
        network(labels, n, width, seed, own * n**power)
        for labels, own, power in ((TRUE, 1.0, a), (RANDOM, c, b), (OTHER, 7.0, 0.0))
        for n, width, seed in product(SIZES, WIDTHS, range(2))
    ]
    for measure, (column, power) in MEASURED.items():
        sign = power * (-1 if "margin" in column else 1)
        wanted = math.log(c) + (b - a) * np.mean(np.log(SIZES))
        assert log_ratios(fits, measure) == pytest.approx([sign * wanted] * 2, abs=1e-9)
        assert slopes(fits, TRUE, measure) == pytest.approx([sign * a] * 2, abs=1e-9)
        assert slopes(fits, RANDOM, measure) == pytest.approx([sign * b] * 2, abs=1e-9)
    assert slopes([one for one in fits if one.examples == 250], TRUE, "path norm") == []
    row = measure_rows(fits)[0]
    assert row["ratio"] == pytest.approx(math.exp(wanted))
    assert row["slope"] == pytest.approx(b - a)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_kendalls_tau_is_that_of_counting_pairs_with_ties(seed: int) -> None:
    rng = np.random.default_rng(seed)
    values, tests = rng.integers(1, 5, 12), rng.integers(0, 4, 12) / 4
    fits = [network(TRUE, 1, 1, 0, float(v), t) for v, t in zip(values, tests, strict=True)]
    signs = [
        (np.sign(values[i] - values[j]), np.sign(tests[j] - tests[i]))
        for i, j in combinations(range(12), 2)
    ]
    x, y = np.array(signs).T
    if x.any() and y.any():
        wanted = np.sum(x * y) / math.sqrt(np.sum(x**2) * np.sum(y**2))
        unfitted = fits[0]._replace(line=None)
        assert tau([*fits, unfitted], "path norm") == pytest.approx(wanted)


def test_each_verdict_can_be_yes_no_and_not_measured() -> None:
    unlike, alike = networks(UNLIKE), networks(ALIKE)
    for judge in (verdicts.larger, verdicts.faster):
        assert outcomes(judge(unlike)) == {"yes"}
        assert outcomes(judge(alike)) == {"no"}
        assert outcomes(judge(networks(UNLIKE, seeds=1))) == {"not measured"}
        unfitted = [one._replace(line=None) if one.seed == 2 else one for one in unlike]
        assert outcomes(judge(unfitted)) == {"not measured"}
        assert outcomes(judge([one for one in unlike if one.labels == TRUE])) == {"not measured"}
    negative = [
        *unlike[:-1],
        unlike[-1]._replace(line={**unlike[-1].line, "margin_over_path": -1.0}),
    ]
    judged = [one.outcome for one in verdicts.larger(negative)]
    assert judged == ["yes"] * 5 + ["not measured"]
    assert outcomes(verdicts.faster([one for one in unlike if one.examples == 250])) == {
        "not measured"
    }


def with_margins(raw: Sequence[float], normal: Sequence[float]) -> list[Fit]:
    """Networks with margins as they are and normalized: true labels first, for each of 3 seeds."""
    cells = [(labels, n) for labels in (TRUE, RANDOM) for n in SIZES]
    return [
        fit._replace(
            line={
                **fit.line,
                "margin_10th": raw[i],
                **dict.fromkeys(verdicts.NORMALIZED, normal[i]),
            }
        )
        for seed in range(3)
        for i, fit in enumerate(network(labels, n, 128, seed, 1.0) for labels, n in cells)
    ]


def test_margins_are_judged_by_how_well_they_tell_networks_apart() -> None:
    apart, mixed = (6, 5, 4, 3, 2, 1), (3, 1, 6, 4, 2, 5)
    fits = with_margins(mixed, apart)
    assert verdicts.aurocs(fits, "normalized_margin") == [1.0] * 3
    assert outcomes(verdicts.told_apart(fits)) == {"yes"}
    assert outcomes(verdicts.told_apart(with_margins(mixed, mixed))) == {"no"}
    # Margins as they are count by the direction that tells more; at the ceiling nothing is said.
    for raw in (apart, apart[::-1]):
        assert outcomes(verdicts.told_apart(with_margins(raw, mixed))) == {"not measured"}
    assert outcomes(verdicts.told_apart(fits[:3])) == {"not measured"}


def test_norms_that_labels_do_not_move_are_told_so() -> None:
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(40):
        fits = [
            one._replace(line={name: value * math.exp(rng.normal()) if name in COLUMNS else value
                               for name, value in one.line.items()})
            for one in networks(ALIKE)
        ]  # fmt: skip
        found += "yes" in outcomes(verdicts.larger(fits))
    assert found <= 6  # 2 of 40 are expected at most; 7 or more have a chance below 0.01


# The whole command ------------------------------------------------------------------------


@pytest.mark.usefixtures("no_report")
def test_the_command_measures_where_networks_fit_alike(answer: Command, tmp_path: Path) -> None:
    command = (
        f"{CONFIG}:sizes=40+80,widths=8,noise=,seeds=2,epochs=12,fitted_loss=1.0",
        "--config.batch_size=20",
        f"--workdir={tmp_path}",
    )
    done = answer(*command)
    assert done.returncode == 0, done.stderr
    lines = read_metrics(tmp_path)
    assert len({line["member"] for line in lines}) == 8
    summary = json.loads((tmp_path / "summary.json").read_text())
    cells = [member for member in summary["members"] if "width" in member]
    assert len(summary["members"]) == len(cells) + len(MEASURED) == 4 + len(MEASURED)
    for cell in cells:
        first = [
            next(
                line
                for line in lines
                if line["member"] == f"{cell['name']},n={cell['examples']},width=8,seed={seed}"
                and line["train_loss"] <= 1.0
            )
            for seed in range(2)
        ]
        assert cell["fitted"] == "2 of 2"
        for key in ("epoch", "test_accuracy", *COLUMNS):
            name = "epochs" if key == "epoch" else key
            assert cell[name] == pytest.approx(np.mean([line[key] for line in first]))
    assert len(summary["verdicts"]) == 14
    again = answer(*command)
    assert again.returncode == 0
    assert read_metrics(tmp_path) == lines
    assert left_in_english(tmp_path) == []


def test_figures_have_positive_numbers_and_what_has_none_is_left_out() -> None:
    fits = networks(UNLIKE)
    assert len(norm_plots(fits)) == len(JUDGED) + 1
    for plot in norm_plots(fits):
        assert all(min(*one.x, *one.low) > 0 for one in plot.curves)
    negative = [one._replace(line={**one.line, "normalized_margin": -1.0}) for one in fits]
    assert len(norm_plots(negative)) == len(JUDGED) - 1
    assert norm_plots([one._replace(line=None) for one in fits]) == []


def test_networks_that_do_not_fit_have_no_row_of_numbers() -> None:
    fits = [network(TRUE, 250, 8, seed, 2.0) for seed in range(2)]
    fits += [network(RANDOM, 250, 8, 0, 2.0), Fit(RANDOM, RANDOM, 250, 8, 1, None)]
    rows = cell_rows(fits)
    assert [row["fitted"] for row in rows] == ["2 of 2", "1 of 2"]
    assert all(row["ratio"] is None for row in measure_rows(fits))


@pytest.mark.parametrize(
    ("argument", "key", "message"),
    [
        ("sizes=10+9000", "", "config.sizes=10+9000: mnist5k has 4,000 training examples"),
        ("sizes=20+10", "", "config.sizes='20+10' must be rising numbers"),
        ("widths=", "", "config.widths='' must be one or more rising numbers"),
        (
            "",
            '--config.sweep=[{"corruption": "gaussian"}]',
            "norms are compared on the same images",
        ),
        ("seeds=1", "", "config.seeds=1 must be at least 2, for an interval"),
    ],
)
def test_what_cannot_be_measured_is_refused(
    argument: str, key: str, message: str, answer: Command, tmp_path: Path
) -> None:
    words = [f"{CONFIG}:{argument}", *filter(None, [key]), f"--workdir={tmp_path / 'run'}"]
    done = answer(*words)
    assert done.returncode == 2
    assert message in done.stderr
    assert not (tmp_path / "run").exists()
