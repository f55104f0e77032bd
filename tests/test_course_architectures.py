"""The lesson of architectures: its claims both ways, its slides, the real command."""

import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from conftest import Command
from helpers.config_files import CONFIGS, load
from helpers.results import lesson, run
from helpers.words import assert_spanish
from scipy.stats import spearmanr

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.lesson import slides, source
from rethinking_jax.analysis.networks import NETWORKS
from rethinking_jax.analysis.results import Results
from rethinking_jax.config import members
from rethinking_jax.course import LESSONS, architectures
from rethinking_jax.errors import UserError
from rethinking_jax.language.spanish import SPANISH
from rethinking_jax.models import MODELS, create_model, takes_widths
from rethinking_jax.models.own import is_own

CONFIG = next(path for path in CONFIGS if path.stem == "course_architectures")

# Model: parameters, operations, images per second, test accuracy.
NAMED = [name for name, own in NETWORKS.items() if not own.sized]
KNOWN = {
    "vgg_small": (3_000_000, 600_000_000, 60.0, 0.95),
    "mobilenet_small": (130_000, 60_000_000, 60.0, 0.95),
    "alexnet_small": (1_400_000, 120_000_000, 300.0, 0.94),
    "maxout": (3_500_000, 7_000_000, 5000.0, 0.90),
}


def networks(**changes: tuple) -> Results:
    """Three seeds of each; the second seed 0.001 better, the third as much worse."""
    runs = []
    for model, known in {**KNOWN, **changes}.items():
        parameters, flops, speed, test = known
        for seed, off in enumerate((0.0, 0.001, -0.001)):
            each = {"images_per_second": [1.0, speed, speed], "train_loss": [1.0, 0.5, 0.2]}
            one = run("true_labels", None, test + off, seed=seed, each=each, model=model)
            one[1].update(parameters=parameters, flops_per_image=flops)
            runs.append(one)
    return lesson("course_architectures", *runs)


def outcomes(results: Results) -> list[str]:
    found = LESSONS["course_architectures"].judge(results)
    assert_spanish(*(verdict.claim for verdict in found), *(verdict.ours for verdict in found))
    return [verdict.outcome for verdict in found]


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({}, [YES, YES, YES, YES, NO]),
        # A dense one wins; in order of parameters; the separable one is worse than VGG's.
        (
            {
                "maxout": (3_500_000, 7_000_000, 5000.0, 0.99),
                "mobilenet_small": (130_000, 60_000_000, 60.0, 0.93),
            },
            [NO, NO, YES, NO, NO],
        ),
        # None is told apart from the others.
        (
            {
                "maxout": (3_500_000, 7_000_000, 5000.0, 0.9495),
                "alexnet_small": (1_400_000, 120_000_000, 300.0, 0.95),
            },
            [NOT_MEASURED, NOT_MEASURED, YES, YES, NO],
        ),
        # Separable convolutions that save little, and cost accuracy.
        (
            {"mobilenet_small": (130_000, 130_000_000, 60.0, 0.92)},
            [YES, YES, NO, NO, NO],
        ),
        # Every network computes as many operations in a second.
        (
            {m: (p, f, 3.6e10 / f, a) for m, (p, f, _, a) in KNOWN.items()},
            [YES, YES, YES, YES, YES],
        ),
    ],
)
def test_claims_can_come_out_either_way(changes: dict, wanted: list[str]) -> None:
    assert outcomes(networks(**changes)) == wanted


def only(results: Results, *models: str) -> Results:
    pairs = zip(results.config["sweep"], results.summary["members"], strict=True)
    kept = [(o, m) for o, m in pairs if m["model"] in models]
    summary = {**results.summary, "members": [member for _, member in kept]}
    return results._replace(
        summary=summary, config={**results.config, "sweep": [override for override, _ in kept]}
    )


def test_claims_without_the_networks_they_need_are_not_measured() -> None:
    assert outcomes(only(networks(), "maxout")) == [NOT_MEASURED] * 5
    pair = only(networks(), "vgg_small", "mobilenet_small")
    assert outcomes(pair) == [NOT_MEASURED, NOT_MEASURED, YES, YES, NO]  # equal in accuracy


def test_the_numbers_in_verdicts_against_a_hand_computation() -> None:
    parameters, convolution, operations, _, time = (
        verdict.ours for verdict in LESSONS["course_architectures"].judge(networks())
    )
    sizes, flops, speeds, tests = zip(*KNOWN.values(), strict=True)
    assert f"over 4 networks {spearmanr(sizes, tests).statistic:.2f}" in parameters
    assert "a difference of 0.0500" in parameters  # a convolutional one and maxout
    assert "a difference of 0.0400" in convolution and "small AlexNet, 0.9400" in convolution
    assert "10.0 times as many" in operations
    paces = np.array(flops) * np.array(speeds) / 1e9  # the median: the first epoch compiles
    assert f"{max(paces) / min(paces):.1f}" in time
    assert f"{spearmanr(flops, 1 / np.array(speeds)).statistic:.2f}" in time
    assert "3 seeds" in parameters


def test_points_of_the_slides_are_the_seeds_at_the_network_s_cost() -> None:
    results = networks()
    by_parameters, by_flops, by_time = slides(LESSONS["course_architectures"], results)
    for plot in (by_parameters, by_flops, by_time):
        assert plot.log == "x" and plot.slide
        assert [curve.label for curve in plot.curves] == [NETWORKS[model].name for model in KNOWN]
    for i, (parameters, flops, speed, test) in enumerate(KNOWN.values()):
        for plot, x in (
            (by_parameters, parameters / 1e6), (by_flops, flops / 1e6), (by_time, 1000 / speed)
        ):  # fmt: skip
            assert plot.curves[i].x == pytest.approx([x] * 3)
            assert plot.curves[i].y == pytest.approx([test - 0.001, test, test + 0.001])


@pytest.mark.parametrize("language", ["en", "es"])
def test_what_a_slide_says_fits_on_it(language: str) -> None:
    """Ten points of 1/72 inch are about 0.075 inch wide a letter, of 12.8."""
    results = networks(**{name: KNOWN["maxout"] for name in MODELS if name in NAMED})
    results = results._replace(config={**results.config, "language": language})
    assert len(source(results)) < 150
    for plot in slides(LESSONS["course_architectures"], results):
        assert len(plot.title) < 60 and len(plot.x_label) < 70
        assert all(len(curve.label) < 40 for curve in plot.curves)


def test_every_name_is_translated_and_dense_is_what_does_not_convolve() -> None:
    assert {NETWORKS[name].name for name in NAMED} <= set(SPANISH)
    dense = {
        name
        for name in MODELS
        if not is_own(name)  # which another test has brought
        and not create_model(
            name, num_classes=2, hidden_sizes=(4,) if takes_widths(name) else ()
        ).convolutional
    }
    assert {name for name, own in NETWORKS.items() if own.dense} == dense


def test_another_data_set_is_taken_at_its_full_size() -> None:
    here, there = load(CONFIG), load(CONFIG, "dataset=cifar10")
    assert (here.image_size, here.train_examples, here.batch_size) == (14, 500, 10)
    assert (there.image_size, there.train_examples, there.batch_size) == (0, 0, 128)
    given = load(CONFIG, "dataset=cifar10,train_examples=500,models=mlp_2x64+all_cnn,seeds=2")
    assert given.train_examples == 500
    assert [(m.config.model, m.config.seed) for m in members(given)] == list(
        itertools.product(("mlp", "all_cnn"), (0, 1))
    )
    with pytest.raises(UserError, match="did you mean 'vgg_small'"):
        load(CONFIG, "models=vgg_smal")


def test_the_command_counts_what_a_network_costs(answer: Command, tmp_path: Path) -> None:
    done = answer(
        "--config=configs/course_architectures.py:mlp_1x16+maxout,seeds=1,epochs=2"
        ",train_examples=40",
        f"--workdir={tmp_path}",
    )
    assert done.returncode == 0, done.stderr
    found = {m["name"]: m for m in json.loads((tmp_path / "summary.json").read_text())["members"]}
    assert {name: (m["parameters"], m["flops_per_image"]) for name, m in found.items()} == {
        "mlp_1x16": (197 * 16 + 170, 2 * (196 * 16 + 160)),
        "maxout": (197 * 1200 + 241 * 1200 + 2410, 2 * (196 * 1200 + 240 * 1200 + 2400)),
    }
    for name in ("parameters", "flops", "time"):
        picture = tmp_path / "figures" / f"accuracy_against_{name}.png"
        assert picture.read_bytes().startswith(b"\x89PNG")
    report = (tmp_path / "report.html").read_text()
    assert architectures.PARAMETERS in report
