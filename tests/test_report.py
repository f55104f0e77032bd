"""The report: what the paper's claims come to, what the page shows, what the command refuses."""

import csv
import html.parser
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers import commands
from helpers.results import made, noise_sweep, run
from helpers.words import assert_spanish

from rethinking_jax.analysis import claims, paper
from rethinking_jax.analysis.claims import Judged
from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.figures import figures
from rethinking_jax.analysis.fitted import judged_at
from rethinking_jax.analysis.results import Results, series
from rethinking_jax.analysis.table import Column, Table, table, write_tables
from rethinking_jax.analysis.tables import tables
from rethinking_jax.analysis.verdicts import CLAIMS, Claim, Verdict, each_series, verdicts
from rethinking_jax.report import __main__ as report_command
from rethinking_jax.report import page


def noise_runs(*errors: float, fits: tuple[int | None, ...] = (2, 3, 4, 5, 6)) -> list:
    """A level of label noise for each test error, from 0 to 1."""
    levels = np.linspace(0, 1, len(errors))
    return [
        run("partially_corrupted_labels", fit, 1 - error, noise=float(level))
        for level, error, fit in zip(levels, errors, fits, strict=False)
    ]


SIX = [run("true_labels", 2, 0.9), run("random_labels", 5, 0.11), run("gaussian", 4, 0.1)]
TRUE, RANDOM = run("true_labels", 2, 0.9), run("random_labels", 4, 0.1)


@pytest.mark.parametrize(
    ("judge", "runs", "outcome", "words"),
    [
        (claims.fitted_all, SIX, "yes", "3 of 3"),
        (claims.fitted_all, [*SIX, run("random_pixels", None)], "no", "not: random pixels"),
        (claims.fitted_all, [TRUE], "not measured", "two settings"),
        (claims.fitted_random, [RANDOM], "yes", "1 of 1"),
        (claims.fitted_random, [RANDOM, run("random_labels", None, seed=1)], "no", "1 of 2"),
        (claims.fitted_random, [TRUE], "not measured", "random labels"),
        (claims.fitted_random, noise_runs(0.1, 0.9), "yes", "1 of 1"),
        # Chance is 0.1 with a standard deviation of 0.0095 on 1,000 examples.
        (claims.random_is_chance, [run("random_labels", 4, 0.128)], "yes", "0.0285"),
        (claims.random_is_chance, [run("random_labels", 4, 0.129)], "no", "0.1290"),
        (claims.random_is_chance, [run("random_labels", 4, 0.071)], "no", "0.0710"),
        (claims.random_is_chance, [TRUE], "not measured", "random labels"),
        (claims.true_generalizes, [TRUE], "yes", "0.9000"),
        (claims.true_generalizes, [run("true_labels", 2, 0.3)], "no", "0.3250"),
        (claims.true_generalizes, [RANDOM], "not measured", "true labels"),
        (claims.partial_between, noise_runs(0.1, 0.5, 0.9), "yes", "0.5000"),
        (claims.partial_between, noise_runs(0.1, 0.05, 0.9), "no", "0.9500"),
        (claims.partial_between, [TRUE, RANDOM], "not measured", "partially"),
        (claims.true_before_random, [TRUE, RANDOM], "yes", "true labels 20, random labels 40"),
        (claims.true_before_random, [run("true_labels", 5), RANDOM], "no", "50, random labels 40"),
        (claims.true_before_random, [TRUE, run("random_labels", None)], "yes", "never"),
        (claims.true_before_random, [run("true_labels", None), RANDOM], "not measured", "never"),
        (claims.true_before_random, [TRUE], "not measured", "random labels"),
        (claims.true_first, SIX, "yes", "gaussian 40"),
        (claims.true_first, [TRUE, run("gaussian", 1)], "no", "gaussian 10"),
        (claims.true_first, [TRUE, RANDOM], "not measured", "gaussian"),
        (claims.random_last, SIX, "yes", "random labels 50"),
        (claims.random_last, [RANDOM, run("gaussian", 5)], "no", "gaussian 50"),
        (claims.random_last, [TRUE, RANDOM], "not measured", "gaussian"),
        (claims.time_ratio, [TRUE, RANDOM], "yes", "2.00 times"),
        (claims.time_ratio, [TRUE, run("random_labels", 8)], "no", "4.00 times"),
        (claims.time_ratio, [TRUE, run("random_labels", None)], "not measured", "every seed"),
        (claims.time_grows, noise_runs(0, 0, 0), "yes", "correlation 1.00"),
        (claims.time_grows, noise_runs(0, 0, 0, fits=(3, 3, 3)), "no", "correlation 0.00"),
        (claims.time_grows, noise_runs(0, 0, 0, fits=(2, 4, 3)), "no", "correlation 0.50"),
        (claims.time_grows, noise_runs(0, 0, 0, 0, fits=(2, 3, 4, None)), "yes", "seed at 1"),
        (claims.time_grows, noise_runs(0, 0, 0, fits=(2, 3, None)), "not measured", "three"),
        (claims.error_rises, noise_runs(0.1, 0.5, 0.9), "yes", "0.9000"),
        (claims.error_rises, noise_runs(0.1, 0.5, 0.8), "no", "0.8000"),
        (claims.error_rises, noise_runs(0.9, 0.5, 0.9), "no", "correlation"),
        (claims.error_rises, noise_runs(0.1, 0.9), "not measured", "three"),
    ],
)
def test_every_claim_can_come_out_each_way(
    judge: Callable, runs: list, outcome: str, words: str
) -> None:
    (one,) = series(made(*runs))
    found, sentence, _ = judge(one)
    assert (found, words in sentence) == (outcome, True), sentence
    assert_spanish(sentence)


@pytest.mark.parametrize(
    "judge",
    [claims.true_before_random, claims.true_first, claims.random_last, claims.time_ratio,
     claims.time_grows],
)  # fmt: skip
def test_times_of_runs_that_are_seldom_measured_are_not_judged(judge: Callable) -> None:
    every, seldom = made(*SIX, *noise_runs(0, 0, 0)), made(*SIX, *noise_runs(0, 0, 0))
    seldom.config["measure_every"] = 5
    assert all("measure_every" not in judge(one)[1] for one in series(every))
    found = [judge(one) for one in series(seldom)]
    assert all(outcome == "not measured" for outcome, _, _ in found)
    assert any("measure_every=1" in sentence for _, sentence, _ in found)


def test_claims_about_chance_need_the_number_of_classes() -> None:
    for missing in ({"num_classes": None}, {"test_examples": None}):
        results = made(*noise_runs(0.1, 0.5, 0.9), **missing)
        (one,) = series(results)
        for judge in (claims.random_is_chance, claims.true_generalizes, claims.error_rises):
            assert judge(one)[:2] == (
                "not measured",
                "Needs the number of classes in summary.json.",
            )
        assert page.page([results])


def test_the_measure_is_the_loss_where_all_reach_it() -> None:
    reached = [
        run("true_labels", 2, final_loss=0.1, running_loss=0.05),
        run("random_labels", 6, final_loss=0.1, running_loss=0.05),
    ]
    (one,) = series(made(*reached))
    assert "training loss 0.1: true labels 20" in claims.true_before_random(one)[1]
    assert "3.00 times as long: 60 against 20 steps to a mean" in claims.time_ratio(one)[1]
    (one,) = series(made(reached[0], run("random_labels", 6)))
    assert "train accuracy 1: true labels 20" in claims.true_before_random(one)[1]
    assert "60 against 20 steps to fit by train accuracy 1" in claims.time_ratio(one)[1]


CIFAR = {"dataset": "cifar10", "train_examples": 50_000, "test_examples": 10_000}


def fits(setting: str, *train: float, seed: int = 0, **override: object) -> tuple:
    """A run with this train accuracy at each epoch; its summary knows of no fit."""
    each = {"train_accuracy": list(train)}
    return run(setting, None, each=each, seed=seed, **override)


@pytest.mark.parametrize(
    ("runs", "data", "outcome", "words"),
    [
        # 49,999 of 50,000 is printed as the paper's 100.0, and is not all.
        ([fits("random_labels", 0.99998, model="mlp_3x512")], CIFAR, "yes", "end 0.99998"),
        ([fits("random_labels", 0.9995, model="mlp_3x512")], CIFAR, "yes", "0.9995 (printed as"),
        ([fits("random_labels", 0.9994, model="mlp_3x512")], CIFAR, "no", "0 of 1"),
        # The paper's own rows: 0.9934, with weight decay 0.9921, and the small AlexNet's 0.9982.
        ([fits("random_labels", 0.9929)], CIFAR, "yes", "0.9925 (printed as 99.3 % like the"),
        ([fits("random_labels", 0.9924)], CIFAR, "no", "like the paper's 0.9934"),
        ([fits("random_labels", 0.9916, weight_decay=5e-4)], CIFAR, "yes", "paper's 0.9921"),
        ([fits("random_labels", 0.9976, model="alexnet_small")], CIFAR, "yes", "paper's 0.9982"),
        # They are of CIFAR-10, the whole of it.
        ([fits("random_labels", 0.9929)], {}, "no", "0.9995 (printed as 100.0 %);"),
        ([fits("random_labels", 0.9929)], CIFAR | {"train_examples": 5000}, "no", "0.9995"),
        # Who stops runs sooner asks for no more.
        ([fits("random_labels", 0.91, fit_threshold=0.9)], CIFAR, "yes", "accuracy 0.9;"),
    ],
)  # fmt: skip
def test_fitted_is_what_the_paper_would_have_printed(
    runs: list, data: dict, outcome: str, words: str
) -> None:
    (one,) = series(made(*runs, **data))
    found, sentence, _ = claims.fitted_random(one)
    assert (found, words in sentence) == (outcome, True), sentence


def test_order_and_ratio_are_taken_at_the_highest_level_that_all_runs_reach() -> None:
    true = fits("true_labels", 0.9, 0.991, 0.9996, 1.0)
    random = fits("random_labels", 0.2, 0.5, 0.7, 0.9, 0.98, 0.9929)
    (one,) = series(made(true, random))
    ratio, order = claims.time_ratio(one), claims.true_before_random(one)
    level = "by train accuracy 0.99, the highest level that all runs reach"
    assert (ratio.outcome, order.outcome) == ("yes", "yes")
    assert f"3.00 times as long: 60 against 20 steps to fit {level}" in ratio.text
    assert f"Steps to fit {level}: true labels 20, random labels 60" in order.text
    # Every seed counts, also where another one is far above.
    (one,) = series(made(true, random, fits("random_labels", *[0.5] * 7, 0.97, seed=1)))
    assert "65 against 20 steps to fit by train accuracy 0.95," in claims.time_ratio(one).text


def test_results_are_judged_again_at_another_threshold() -> None:
    results = made(
        fits("true_labels", 0.9, 0.991, 0.9996, 1.0), fits("random_labels", 0.5, 0.9, 0.98)
    )
    low, high = (judged_at(results, level) for level in (0.98, 1.0))
    (at_low,), (at_high,) = series(low), series(high)
    assert claims.fitted_random(at_low)[:2] == (
        "yes", "1 of 1 runs reach train accuracy 0.98; train accuracy at the end 0.9800"
    )  # fmt: skip
    assert claims.fitted_all(at_high)[0] == "no"
    assert "30 against 20 steps to fit by train accuracy 0.98" in claims.time_ratio(at_low).text
    assert claims.time_ratio(at_high)[0] == "not measured"
    (shown, *_), (as_before, *_) = tables(low), tables(results)
    column = shown.keys.index("epochs_to_fit")
    assert [row[column] for row in shown.exact] == [2, 3]
    assert "accuracy of 0.98," in shown.note and "accuracy of 1," in as_before.note
    assert results.summary["members"][0]["epochs_to_fit"] is None  # untouched


def test_labels_that_are_never_true_are_not_the_papers_random_labels() -> None:
    (one,) = series(made(run("random_labels", exclude_true_class=True)))
    assert claims.random_is_chance(one)[0] == "not measured"


def test_each_model_is_judged_by_itself() -> None:
    results = made(TRUE, RANDOM, run("random_labels", None, model="alexnet_small"))
    found = {
        v.series: v for v in verdicts(series(results)) if v.claim == "Random labels are fitted."
    }
    assert {name: v.outcome for name, v in found.items()} == {
        "mlp_1x512": "yes",
        "alexnet_small": "no",
    }
    assert "1 seed, mnist5k" in found["mlp_1x512"].ours
    together = [v for v in verdicts(series(results)) if v.series == "all models"]
    assert len(together) == 3  # of all models at once
    assert len(verdicts(series(results))) == 2 * (len(CLAIMS) - 3) + 3


def test_rank_correlation() -> None:
    assert claims.rank_correlation([1, 2, 3, 4], [10, 20, 30, 35]) == pytest.approx(1)
    assert claims.rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)
    # By hand: ranks (1, 2, 3, 4) and (1, 2.5, 2.5, 4).
    assert claims.rank_correlation([1, 2, 3, 4], [1, 5, 5, 9]) == pytest.approx(4.5 / 22.5**0.5)


# Curves and tables --------------------------------------------------------------------


def test_the_band_is_numpys_and_a_stopped_seed_keeps_its_last_value() -> None:
    runs = [run("random_labels", fit, seed=seed) for seed, fit in enumerate((3, 5, 4))]
    (plot, accuracy) = figures(made(*runs))
    (curve,) = plot.curves
    losses = [[line["train_loss"] for line in lines] for _, _, lines in runs]
    filled = np.array([own + own[-1:] * (5 - len(own)) for own in losses])
    assert curve.x == [0.01, 0.02, 0.03, 0.04, 0.05]
    np.testing.assert_allclose(curve.y, filled.mean(0))
    np.testing.assert_allclose(curve.low, filled.min(0))
    np.testing.assert_allclose(curve.high, filled.max(0))
    assert [curve.label for curve in accuracy.curves] == ["train", "test"]
    assert "3 seeds" in curve.note


def test_the_caption_says_how_much_of_the_training_set_the_loss_is_of() -> None:
    def caption(*samples: int) -> str:
        runs = [run("random_labels", seed=s, train_eval_examples=s) for s in samples]
        return next(p for p in figures(made(*runs)) if p.name == "learning_curves").caption

    assert "over the whole training set as" in caption(0)
    assert "over 1,500 images of the training set as" in caption(1500)
    assert "over all or 1,500 images of the training set as" in caption(1500, 0)


def test_figure_1b_and_1c_against_a_hand_computation() -> None:
    plots = {plot.name: plot for plot in figures(noise_sweep())}
    assert set(plots) == {"learning_curves", "figure_1b", "figure_1c"}
    ours = [curve for curve in plots["figure_1b"].curves if not curve.paper]
    assert len(ours) == 2  # by train accuracy, and by the loss of the epoch
    for curve in ours:
        assert curve.x == [0, 0.5, 1]
        assert curve.y == pytest.approx([1, 1.5, 2])  # means 30, 45, 60 over 30
        assert curve.low == pytest.approx([20 / 30, 1, 2])
        assert curve.high == pytest.approx([40 / 30, 2, 2])
    errors = {curve.label: curve for curve in plots["figure_1c"].curves if not curve.paper}
    assert errors["mlp_1x512, corrupted test labels"].y == pytest.approx([0.1, 0.5, 0.9])
    assert errors["mlp_1x512, true test labels"].y == pytest.approx([0.095, 0.495, 0.895])
    assert plots["figure_1c"].level == (0.9, "chance, 90%")


def test_labels_that_are_never_true_are_no_curve_of_figure_1b() -> None:
    noises = (0.0, 0.2)
    runs = [run("partially_corrupted_labels", 3, noise=noise, exclude_true_class=True)
            for noise in noises]  # fmt: skip
    names = [plot.name for plot in figures(made(*runs))]
    assert "learning_curves" in names and not {"figure_1b", "figure_1c"} & set(names)


def test_the_papers_curves_start_switched_off_unless_like_meets_like() -> None:
    results = noise_sweep()
    for plot in figures(results)[1:]:
        theirs = [curve for curve in plot.curves if curve.paper]
        assert len(theirs) == 3 and not any(curve.shown for curve in theirs)
        assert all(curve.label.startswith("paper, CIFAR-10, ") for curve in theirs)
    cifar = results._replace(
        config=results.config | {"dataset": "cifar10"},
        summary=results.summary | {"dataset": "cifar10"},
    )
    losses, times, _ = figures(cifar)
    assert [c.label for c in times.curves if c.paper and c.shown] == ["paper, CIFAR-10, MLP 1x512"]
    assert sum(curve.paper for curve in losses.curves) == 2  # true and random labels


def test_a_level_that_never_fits_is_left_out() -> None:
    (plot,) = (
        p for p in figures(made(*noise_runs(0, 0, 0, fits=(2, 3, None)))) if p.name == "figure_1b"
    )
    assert plot.curves[0].x == [0, 0.5]


def test_tables_over_label_noise_and_beside_the_paper(tmp_path: Path) -> None:
    write_tables(tables(noise_sweep()), tmp_path / "tables")
    with (tmp_path / "tables" / "label_noise.csv").open() as file:
        found = list(csv.DictReader(file))
    assert [float(row["relative_time_accuracy_mean"]) for row in found] == [1, 1.5, 2]
    assert [float(row["epochs_to_fit_max"]) for row in found] == [4, 6, 6]
    assert float(found[1]["test_error_true_labels_min"]) == pytest.approx(0.49)
    assert [float(row["paper_relative_time"]) for row in found] == [1, 1.786, 1.964]
    with (tmp_path / "tables" / "paper.csv").open() as file:
        beside = list(csv.DictReader(file))
    assert [row["setting"] for row in beside] == ["true labels", "random labels"]
    assert float(beside[1]["paper_test_accuracy"]) == 0.1061
    assert beside[0]["comparable"].startswith("not comparable: data set is mnist5k")
    assert "1.50 (1.00 to 2.00)" in (tmp_path / "tables" / "label_noise.md").read_text()


def test_the_papers_numbers_are_consistent() -> None:
    figure = paper.figure_1()
    assert all(len(loss) == 69 for loss in figure["training_loss"].values())
    assert all(len(c) == 11 and c[0] == 1 for c in figure["relative_time"].values())
    assert {row.model for row in paper.TABLE_1} == set(paper.MODELS)
    assert len({row[:3] for row in paper.TABLE_1}) == len(paper.TABLE_1)


def test_a_run_is_what_the_summary_says_it_was() -> None:
    results = made(TRUE, RANDOM)
    for member, config in zip(results.summary["members"], results.configs, strict=True):
        member["config"] = {**config, "weight_decay": 5e-4}
    (one,) = series(results)
    assert [group.regularizers for group in one.groups] == [("weight_decay",)] * 2
    del results.summary["members"][0]["config"]  # as a workdir of before
    assert results.configs[0] == {**results.config, **results.config["sweep"][0]}


def test_a_figure_a_table_and_a_claim_of_ones_own_are_a_line_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def figure(results: Results) -> list[Plot]:
        return [Plot("mine", "My figure", "", "x", "y", [Curve("a", [0.0], [1.0], [1.0], [1.0])])]

    def own_table(results: Results) -> Table:
        columns = [Column("my column", "key", "{:.1f}")]
        return table("mine", "My table", columns, [{"key": 0.25}, {"key": None}])

    monkeypatch.setattr("rethinking_jax.analysis.figures.FIGURES", [figure])
    monkeypatch.setattr("rethinking_jax.analysis.tables.TABLES", [own_table])
    judge = each_series(lambda one: Judged("yes", f"{len(one.groups)} groups"))
    monkeypatch.setitem(CLAIMS, "mine", Claim("My claim.", "my book", judge, "3", of_paper=False))
    text = page.page([made(TRUE, RANDOM)])
    for words in ("My figure", "My table", "<td>0.2</td>", "<td>-</td>", "my column", "My claim.",
                  "2 groups (1 seed, mnist5k).", "My book: 3"):  # fmt: skip
        assert words in text


# The page -----------------------------------------------------------------------------

HOSTILE = '</script><img src=x onerror="alert(1)">$\\frac{'


class Loads(html.parser.HTMLParser):
    """Everything that a page would load, and every tag in it."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.loads += [
            value or ""
            for key, value in attrs
            if key in ("src", "srcset", "data", "xlink:href") or (key == "href" and tag != "a")
        ]


def hostile() -> Results:
    results = made(TRUE, RANDOM, experiment=HOSTILE, device=HOSTILE, command=HOSTILE)
    for member, override in zip(results.summary["members"], results.config["sweep"], strict=True):
        results.lines[HOSTILE + member["name"]] = results.lines.pop(member["name"])
        member["name"], member["model"] = HOSTILE + member["name"], HOSTILE
        override["hidden_sizes"] = HOSTILE
    return results


@pytest.mark.parametrize("results", [noise_sweep(), hostile()], ids=["sweep", "hostile"])
def test_the_page_loads_nothing_and_escapes_everything(results: Results) -> None:
    text = page.page([results])
    found = Loads()
    found.feed(text)
    assert all(load.startswith(("#", "data:")) for load in found.loads)
    assert "@import" not in text and "url(http" not in text
    assert found.tags.count("script") == 2 == text.count("</script>")
    assert "img" not in found.tags
    ids = [part.split('"')[0] for part in text.split(' id="')[1:]]
    assert len(ids) == len(set(ids))


def test_the_embedded_data_is_json_with_every_point() -> None:
    text = page.page([noise_sweep(), noise_sweep()])
    data = json.loads(text.split('id="data">')[1].split("</script>")[0])
    assert list(data) == ["s0f0", "s0f1", "s0f2", "s1f0", "s1f1", "s1f2"]
    first = data["s0f1"]["curves"][0]
    assert [first[key][1] for key in ("x", "y", "low", "high")] == [0.5, 1.5, 1.0, 2.0]
    for button in ("s0f1-curve-0", "s1f2-curve-1", "s0f1-band-0"):
        assert f'id="{button}"' in text


def test_a_loss_that_is_no_number_leaves_a_gap() -> None:
    override, member, lines = run("true_labels", None)
    lines[3]["train_loss"] = None
    text = page.page([made((override, member, lines))])
    assert "null" in text and "NaN" not in text


def test_the_same_bytes_when_written_twice(tmp_path: Path) -> None:
    contents = []
    for folder in (tmp_path / "a", tmp_path / "b"):
        folder.mkdir()
        page.write_report(folder, noise_sweep())
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        contents.append({str(path.relative_to(folder)): path.read_bytes() for path in files})
    assert contents[0] == contents[1]
    assert {"report.html", "figures/learning_curves.png", "figures/figure_1c.svg"} <= set(
        contents[0]
    )
    assert {"tables/results.csv", "tables/label_noise.md"} <= set(contents[0])


# The command --------------------------------------------------------------------------


@pytest.fixture
def report(tmp_path: Path) -> Command:
    return lambda *arguments: commands.answer(report_command.main, arguments, tmp_path)


def save(results: Results, folder: Path) -> Path:
    folder.mkdir()
    (folder / "summary.json").write_text(json.dumps(results.summary))
    (folder / "config.json").write_text(json.dumps(results.config))
    lines = [json.dumps(line) + "\n" for own in results.lines.values() for line in own]
    (folder / "metrics.jsonl").write_text("".join(lines))
    return folder


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ({"summary.json": None, "config.json": None}, ["not a workdir", "summary.json"]),
        ({"summary.json": None}, ["bad/config.json", "damaged", "experiment"]),
        ({"summary.json": "{"}, ["bad/summary.json", "cannot be read"]),
        ({"summary.json": "[]"}, ["bad/summary.json", "not a JSON object"]),
        ({"summary.json": "{}"}, ["bad/summary.json", "no 'experiment'"]),
        ({"config.json": None}, ["bad/config.json", "cannot be read"]),
        ({"config.json": '{"sweep": [], "dataset": "x"}'}, ["bad", "number of runs"]),
        ({"metrics.jsonl": ""}, ["bad/metrics.jsonl", "no line of"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_bad_workdir_is_one_line_and_nothing_is_written(
    damage: dict[str, str | None], words: list[str], report: Command, tmp_path: Path
) -> None:
    good, bad = (save(made(TRUE, RANDOM), tmp_path / name) for name in ("good", "bad"))
    for name, text in damage.items():
        (bad / name).unlink() if text is None else (bad / name).write_text(text)
    result = report("good", "bad")
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert len(list(good.iterdir())) == 3


def test_the_command_line(report: Command, tmp_path: Path) -> None:
    for name in ("one", "two"):
        save(made(TRUE, RANDOM, experiment=name), tmp_path / name)
    for arguments, words in (
        (["none"], ["none", "no such folder"]),
        ([], ["WORKDIR"]),
        (["one", "--outptu=x"], ["--outptu"]),
        (["one", "--output=no/x.html"], ["--output=no/x.html", "no folder"]),
        (["one", "--fit_treshold=0.9"], ["did you mean '--fit_threshold'?"]),
        (["one", "--fit_threshold=x"], ["--fit_threshold", "'x'"]),
        (["one", "--fit_threshold=1.5"], ["--fit_threshold=1.5 must be above 0 and at most 1"]),
        (["one", "--fit_threshold=nan"], ["--fit_threshold=nan must be above 0"]),
    ):
        result = report(*arguments)
        assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
        assert all(word in result.stderr for word in words), result.stderr
    result = report("one", "two", "--output=both.html", "--fit_threshold=0.5")
    assert result.returncode == 0, result.stderr
    assert "reach train accuracy 0.5;" in (tmp_path / "one" / "report.html").read_text()
    assert "one on mnist5k" in (tmp_path / "one" / "report.html").read_text()
    both = (tmp_path / "both.html").read_text()
    assert "one on mnist5k" in both and "two on mnist5k" in both
    result = report("--help")
    assert result.returncode == 0 and "WORKDIR" in result.stdout


def test_reading_a_report_needs_no_jax() -> None:
    code = (
        "import sys, rethinking_jax.report.page; "
        "print([m for m in ('jax', 'tensorflow') if m in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert result.stdout.strip() == "[]", result.stderr


def test_a_real_run_ends_with_its_report(answer: Command, report: Command, tmp_path: Path) -> None:
    sweep = [{"corruption": "true_labels"}, {"corruption": "random_labels"}]
    arguments = (
        f"--config.sweep={json.dumps(sweep)}",
        "--config.train_examples=300",
        "--config.epochs=2",
        f"--workdir={tmp_path / 'run'}",
    )
    result = answer(*arguments)
    assert result.returncode == 0, result.stderr
    summary = json.loads((tmp_path / "run" / "summary.json").read_text())
    assert summary["num_classes"] == 10
    written = {
        path: path.read_bytes()
        for path in (tmp_path / "run").rglob("*")
        if path.suffix in (".html", ".png", ".svg", ".csv", ".md")
    }
    text = (tmp_path / "run" / "report.html").read_text()
    assert "python -m rethinking_jax.main" in text and "0 of 2 settings" in text
    result = report("run")
    assert result.returncode == 0, result.stderr
    assert written == {path: path.read_bytes() for path in written}


@pytest.mark.parametrize(
    ("place", "of_paper", "source"),
    [
        ("Tables 1 and 2", True, "The paper, Tables 1 and 2"),
        ("section 2.1, for 2 layers", True, "The paper, section 2.1, for 2 layers"),
        ("a check of the method", False, "A check of the method"),
        ("not a claim of the paper", False, "Not a claim of the paper"),
    ],
)
def test_only_what_the_paper_says_is_called_the_paper_s(
    place: str, of_paper: bool, source: str
) -> None:
    assert Verdict("claim", place, "", "yes", "ours", "theirs", of_paper).source == source
