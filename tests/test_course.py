"""The lessons of the course: slides, claims, both languages, the real command."""

import base64
import json
import math
import re
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command
from helpers import commands
from helpers.config_files import CONFIGS, load
from helpers.results import checkerboards, lesson, run
from helpers.words import assert_spanish, texts
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LinearRegression

from rethinking_jax import experiment
from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.lesson import (
    Lesson,
    curve,
    groups_of,
    note,
    over_epochs,
    slides,
    verdict,
)
from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import base_config, members, runs
from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.course import LESSONS, dataset_size, early_learning
from rethinking_jax.data import runs as data_runs
from rethinking_jax.language.phrases import spoken
from rethinking_jax.language.translate import Translate, translator
from rethinking_jax.pictures import gallery
from rethinking_jax.report import __main__ as report_command
from rethinking_jax.report import page
from rethinking_jax.report.section import plots_of, section
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.sweep import build, groups

EPOCHS = 8


def trained(losses: list[float], seed: int = 0, test: float = 0.9, **override: object) -> tuple:
    """A run on true labels with these training losses."""
    each = {"train_loss": losses, "images_per_second": [4000.0] * len(losses)}
    made_run = run("true_labels", None, test, seed=seed, each=each, **override)
    made_run[1]["parameters"] = 1000
    return made_run


def falling(rate: float, start: float = 2.0, epochs: int = EPOCHS) -> list[float]:
    return [start * math.exp(-rate * (epoch + 1)) for epoch in range(epochs)]


def batch_sizes(small: float = 1.0) -> Results:
    """Batches of 8, 32 and the whole set, two seeds; losses fall at different rates."""
    rates = {8: small, 32: 0.9, 0: 0.2}
    runs = [trained(falling(rate + s / 100), s, batch_size=b) for b, rate in rates.items()
            for s in range(2)]  # fmt: skip
    return lesson("course_batch_size", *runs)


def optimizers(momentum: float = 0.9) -> Results:
    kinds = (("sgd", 0.0, 0.3), ("sgd", 0.9, momentum), ("rmsprop", 0.0, 0.8), ("adam", 0.9, 1.0))
    runs = [trained(falling(rate), optimizer=name, momentum=m, learning_rate=0.01)
            for name, m, rate in kinds]  # fmt: skip
    return lesson("course_optimizers", *runs)


def learning_rates(*ends: float | None) -> Results:
    """A run for each decade with this loss at the end; None: not a number."""
    runs = [
        trained([2.0] * (EPOCHS - 1) + [end], learning_rate=10.0 ** (i - 4))  # type: ignore[list-item]
        for i, end in enumerate(ends)
    ]
    return lesson("course_learning_rate", *runs)


def network_sizes(large_train: float = 1.0, large_test: float = 0.93) -> Results:
    runs = []
    for sizes, parameters, train, test in (
        ([120, 84], 100, 0.98, 0.92), ([480, 240], 900, large_train, large_test),
    ):  # fmt: skip
        for seed in range(3):
            each = {"train_accuracy": [0.5, train], "train_loss": [1.0, 0.5]}
            one = run("true_labels", None, test + seed / 1e4, seed=seed, each=each,
                      hidden_sizes=sizes, model="mlp")  # fmt: skip
            one[1]["parameters"] = parameters
            runs.append(one)
    return lesson("course_network_size", *runs)


def dataset_sizes(power: float = 0.5, augmented: float = 0.9) -> Results:
    runs = []
    for n in (125, 250, 500, 1000):
        error = 2 * n**-power
        for names, factor in (("", 1.0), ("crop", augmented)):
            runs.append(trained([1.0, 0.5], test=1 - factor * error, train_examples=n,
                                augmentation=names))  # fmt: skip
    return lesson("course_dataset_size", *runs)


def randomized() -> Results:
    return lesson(
        "course_randomization",
        run("true_labels", 2, 0.9),
        run("random_labels", 4, 0.1),
        run("gaussian", 3, 0.1),
    )


def scales(raw_norm: float | None = 500.0, raw_loss: float | None = None) -> Results:
    runs = []
    for name, norm, loss in (("raw", raw_norm, raw_loss), ("dataset", 2.0, 0.3)):
        each = {"train_loss": [1.0, loss], "gradient_norm": [norm, 1.0]}
        runs.append(run("true_labels", None, 0.9, each=each, preprocess=name))  # type: ignore[arg-type]
    return lesson("course_normalization", *runs)


def validated(
    ends: tuple[float, ...] = (0.5, 0.94, 0.935), test: float = 0.94, spread: float = 0.002
) -> Results:
    """Settings that end with these validation accuracies; the best one's test accuracy."""
    runs = []
    for i, end in enumerate(ends):
        for seed in range(3):
            each = {"validation_accuracy": [0.3, end + spread * (seed - 1)],
                    "train_accuracy": [0.4, 1.0]}  # fmt: skip
            one = run("true_labels", None, test, seed=seed, each=each, model="mlp",
                      hidden_sizes=[120, 84], learning_rate=10.0 ** (i - 3))  # fmt: skip
            one[1]["test_accuracy"] = test
            runs.append(one)
    found = lesson("course_train_validation_test", *runs, validation_examples=500)
    found.summary["validation_examples"] = 500
    return found


def architectures() -> Results:
    costs = {"vgg_small": 900, "mobilenet_small": 100, "wide_resnet_28_1": 400, "mlp_1x512": 200}
    runs = []
    for model, number in costs.items():
        one = trained([2.0, 1.0], model=model)
        one[1].update(parameters=number, flops_per_image=number)
        runs.append(one)
    return lesson("course_architectures", *runs)


def widths(
    noisy: tuple[float, ...] = (0.3, 0.2, 0.3, 0.15),
    clean: tuple[float, ...] | None = (0.2, 0.15, 0.15, 0.1),
    train: tuple[float, ...] = (0.3, 0.2, 0.0, 0.0),
    spread: float = 0.002,
    name: str = "course_double_descent",
) -> Results:
    """Test errors of four widths, with and without noise; training errors with noise."""
    runs = []
    for noise, tests in ((0.2, noisy), (0.0, clean)):
        for width, test, error in zip((4, 16, 32, 128), tests or (), train, strict=False):
            for seed in range(3):
                fitted = 1 - (error if noise else 0.0)
                shift = spread * ((seed + width) % 3 - 1)
                one = run("partially_corrupted_labels", None, 1 - test - shift, noise=noise,
                          seed=seed, each={"train_accuracy": [0.5, fitted]}, model="mlp",
                          hidden_sizes=[width])  # fmt: skip
                runs.append(one)
    return lesson(name, *runs)


def in_time(
    errors: tuple[float, ...] = (0.8, 0.2, 0.3, 0.15), spread: float = 0.002, noise: float = 0.2
) -> Results:
    """Test errors after four epochs; from the third on all labels are fitted."""
    runs = []
    for seed in range(3):
        tests = [1 - error - spread * ((seed + i) % 3 - 1) for i, error in enumerate(errors)]
        each = {"test_accuracy": tests, "train_accuracy": [0.5, 0.8, 1.0, 1.0]}
        runs.append(run("partially_corrupted_labels", None, noise=noise, seed=seed, each=each,
                        model="mlp", hidden_sizes=[4096]))  # fmt: skip
    return lesson("double_descent_epochs", *runs)


def early(
    corrected: tuple[float, ...] = (0.6, 0.8, 0.5, 0.1),
    memorized: tuple[float, ...] = (0.1, 0.1, 0.4, 0.9),
    tests: tuple[float, ...] = (0.7, 0.9, 0.8, 0.7),
    clean: tuple[float, ...] | None = (0.7, 0.9, 0.9, 0.89),
    spread: float = 0.004,
    wrong: float = 0.25,
    seeds: int = 3,
) -> Results:
    """Shares of the wrongly labelled images in four epochs, and test accuracies with and without
    wrong labels; of the images with a right label 0.9 are answered right."""
    runs = []
    for noise, accuracies in ((0.4, tests), (0.0, clean)):
        for seed in range(seeds if accuracies else 0):
            shifts = [spread * ((seed + epoch) % 3 - 1) for epoch in range(4)]
            each = {"test_accuracy": np.add(accuracies, shifts).tolist()}
            if noise:
                true = 0.9 * (1 - wrong) + wrong * np.add(corrected, shifts)
                each["train_accuracy_on_corrupted"] = list(memorized)
                each["train_accuracy_on_clean"] = [0.9] * 4
                each["train_accuracy_true_labels"] = true.tolist()
            setting = "partially_corrupted_labels" if noise else "true_labels"
            one = run(setting, None, noise=noise, seed=seed, each=each, model="mlp",
                      hidden_sizes=[512])  # fmt: skip
            one[1]["flipped_fraction"] = wrong if noise else 0.0
            runs.append(one)
    return lesson("course_early_learning", *runs)


def grokking(
    late: float = 0.9, usual: float = 0.92, fits: bool = True, spread: float = 0.01, seeds: int = 3
) -> Results:
    """Runs from two starts; from the large one test accuracy is 0.4 when training is fitted."""
    runs = []
    for scale, fitted, tests in (
        (1.0, (1.0, 1.0, 1.0), (0.9, 0.91, usual)), (4.0, (0.9, 1.0, 1.0), (0.3, 0.4, late)),
    ):  # fmt: skip
        for seed in range(seeds):
            ends = [*tests[:2], tests[2] + spread * (seed - 1)]
            train = [share if fits else 0.99 for share in fitted]
            each = {"train_accuracy": train, "test_accuracy": ends}
            runs.append(run("true_labels", None, seed=seed, each=each, init_scale=scale))
    return lesson("course_grokking", *runs)


EVERY = {
    "course_grokking": grokking,
    "course_double_descent": widths,
    "course_early_learning": early,
    "double_descent_networks": lambda: widths(name="double_descent_networks"),
    "double_descent_epochs": in_time,
    "course_architectures": architectures,
    "course_checkerboard": checkerboards,
    "course_train_validation_test": validated,
    "course_normalization": scales,
    "course_randomization": randomized,
    "course_batch_size": batch_sizes,
    "course_dataset_size": dataset_sizes,
    "course_learning_rate": lambda: learning_rates(2.3, 1.0, 0.1, 0.5, None),
    "course_network_size": network_sizes,
    "course_optimizers": optimizers,
}


def outcomes(results: Results) -> list[str]:
    name = results.summary["experiment"]
    found = LESSONS[name].judge(results)
    assert_spanish(*(verdict.claim for verdict in found), *(verdict.ours for verdict in found))
    return [verdict.outcome for verdict in found]


def test_every_lesson_has_a_config_of_its_name_and_example_runs_here() -> None:
    configs = {path.stem: load(path) for path in CONFIGS if path.stem.startswith("course_")}
    descent = next(path for path in CONFIGS if path.stem == "double_descent")
    besides = {f"double_descent_{part}": load(descent, part) for part in ("networks", "epochs")}
    assert set(configs) | set(besides) == set(LESSONS) == set(EVERY)
    assert all(config.experiment == name for name, config in besides.items())
    for name, config in configs.items():
        assert config.experiment == name
        assert len(members(config)) > 3


@pytest.mark.parametrize(
    ("results", "wanted"),
    [
        (batch_sizes(), [YES, YES, NO]),  # the smallest batch is the fastest
        (batch_sizes(small=0.4), [YES, YES, YES]),  # 32 is
        (batch_sizes(small=0.1), [NO, YES, YES]),  # after 8 epochs 8 is worse than all
        (checkerboards(), [YES, YES, YES]),
        (checkerboards(rise=-0.03, outside=0.1, few=-0.05), [NO, NO, NO]),
        (checkerboards(rise=0.0, outside=0.0125, few=0.01), [NOT_MEASURED] * 3),
        (randomized(), [YES, YES, YES, YES, YES]),
        (scales(), [YES, YES]),
        (scales(raw_norm=None), [YES, YES]),  # diverged within the first epoch
        (scales(raw_norm=3.0, raw_loss=0.1), [NO, NO]),
        (optimizers(), [YES, YES]),
        (optimizers(momentum=0.2), [NO, YES]),
        (learning_rates(2.3, 1.0, 0.1, 0.5, None), [YES, YES, YES]),
        (learning_rates(0.2, 0.1, 0.05), [NO, NO, NO]),
        (learning_rates(2.3, 0.1), [NOT_MEASURED] * 3),
        (network_sizes(), [YES, YES, YES]),
        (network_sizes(0.9, 0.89), [NO, NO, NO]),
        (validated(), [YES, NO, YES, NOT_MEASURED]),
        (validated((0.2, 0.9, 0.3), test=0.9), [YES, YES, YES, NOT_MEASURED]),
        (validated(test=0.7), [YES, NO, NO, YES]),  # it flatters
        (validated(test=0.999), [YES, NO, NO, NO]),
        (validated((0.9, 0.901, 0.902)), [NO, NO, NO, NO]),  # nothing is told apart, 0.94 in test
        (dataset_sizes(), [YES, YES, YES]),
        (dataset_sizes(power=-0.1), [NO, YES, NO]),
        (dataset_sizes(augmented=0.5), [YES, YES, NO]),
        (dataset_sizes(augmented=1.1), [YES, NO, YES]),
        (widths(), [YES, YES, YES]),
        (widths(noisy=(0.3, 0.25, 0.2, 0.15)), [NO, NOT_MEASURED, NO]),
        (widths(noisy=(0.2, 0.3, 0.15, 0.15), train=(0.3, 0.05, 0.02, 0)), [YES, YES, YES]),
        (
            widths(noisy=(0.2, 0.3, 0.25, 0.15), train=(0.3, 0.3, 0.3, 0.1)),
            [YES, NOT_MEASURED, YES],
        ),
        (widths(train=(0.3, 0.0, 0.0, 0.0)), [YES, NO, YES]),
        (widths(clean=(0.3, 0.1, 0.3, 0.1)), [YES, YES, NO]),
        (widths(clean=None), [YES, YES, NOT_MEASURED]),
        (widths(spread=0.1), [NOT_MEASURED] * 3),
        (grokking(), [YES, YES]),
        (grokking(late=0.45, usual=1.3), [NO, NO]),
        (grokking(late=0.6, usual=1.1), [NOT_MEASURED] * 2),
        (grokking(fits=False), [NOT_MEASURED] * 2),
        (grokking(seeds=1), [NOT_MEASURED] * 2),
        (in_time(), [YES, YES]),
        (in_time(errors=(0.8, 0.2, 0.3, 0.25)), [YES, NO]),
        (in_time(errors=(0.8, 0.4, 0.3, 0.25)), [NO, YES]),
        (in_time(noise=0.0), [NOT_MEASURED, NOT_MEASURED]),
        (early(), [YES, YES, YES, YES]),
        (early(memorized=(0.7, 0.9, 0.9, 0.9)), [NO, YES, YES, YES]),
        (early(corrected=(0.6, 0.7, 0.75, 0.8), memorized=(0.1,) * 4), [YES, NO, YES, YES]),
        (early(memorized=(0.05,) * 4), [YES, NO, YES, YES]),  # it falls, but for nothing
        (early(tests=(0.6, 0.7, 0.8, 0.9)), [YES, YES, NO, NO]),
        (early(clean=(0.9, 0.5, 0.5, 0.5)), [YES, YES, YES, NO]),
        (early(clean=None), [YES, YES, YES, NOT_MEASURED]),
        (early(spread=0.2), [YES, *[NOT_MEASURED] * 3]),
        (early(spread=0.3), [NOT_MEASURED, NOT_MEASURED, NO, NOT_MEASURED]),
        (early(wrong=0.0), [NOT_MEASURED] * 4),
        (early(seeds=1), [NOT_MEASURED] * 4),
    ],
)
def test_claims_can_come_out_either_way(results: Results, wanted: list[str]) -> None:
    assert outcomes(results) == wanted


def test_what_a_seed_has_at_its_own_luckiest_epoch_is_not_counted() -> None:
    """Accuracies that do not change but by chance are no loss, though each has a best epoch."""
    rng = np.random.default_rng(0)
    chance = rng.normal(0.8, 0.05, (4, 400))
    chosen = early_learning.chosen_by_others(chance)
    assert chosen.tolist() == [
        max(range(400), key=lambda t, i=i: sum(chance[j, t] for j in range(4) if j != i))
        for i in range(4)
    ]
    assert abs(chance[range(4), chosen].mean() - 0.8) < 0.1 < (chance.max(1) - 0.8).min()


def test_a_lesson_whose_runs_lack_its_accuracies_is_an_ordinary_report() -> None:
    """One with a validation set nobody asked for, and the one about it without."""
    asked = validated()
    without = asked._replace(config={**asked.config, "validation_examples": 0})
    assert not any(plot.slide for plot in plots_of(without))
    other = asked._replace(summary={**asked.summary, "experiment": "course_network_size"})
    for member in other.summary["members"]:
        del member["test_accuracy"], member["best_test_accuracy"]
        member["best_validation_accuracy"] = member["validation_accuracy"]
    for line in (line for own in other.lines.values() for line in own):
        del line["test_accuracy"]
    assert not any(plot.slide for plot in plots_of(other))
    assert "the chosen runs alone looked at it, once" in page.page([other])


def test_a_lesson_of_ones_own_is_an_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    def plots(results: Results, translate: Translate) -> list[Plot]:
        curves = [curve(group.setting, over_epochs(group, "train_loss"), note(group, translate))
                  for group in groups_of(results)]  # fmt: skip
        return [Plot("mine", "My slide", "", translate("epochs"), "loss", curves)]

    def judge(results: Results) -> list[Verdict]:
        return [verdict(results, "My claim.", YES, "Loss 1")]

    results = lesson("mine", run("true_labels", 2))
    assert "My slide" not in page.page([results])
    monkeypatch.setitem(LESSONS, "mine", Lesson(plots, judge))
    text = page.page([results])
    assert "My slide" in text and "My claim." in text and "What the lecture says" in text


def test_times_to_a_loss_against_a_hand_computation() -> None:
    """Epochs to loss 0.1 at 4,000 images a second and 4,000 images: as many seconds."""
    text = LESSONS["course_batch_size"].judge(batch_sizes())[1].ours
    epochs = {batch: [math.ceil(math.log(20) / (rate + s / 100)) for s in range(2)]
              for batch, rate in ((8, 1.0), (32, 0.9))}  # fmt: skip
    for batch, values in epochs.items():
        assert f"{batch} {np.mean(values):.2f}" in text
    assert "all never" in text


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.integers(2, 10**6), st.floats(1e-4, 1.0)), min_size=3, max_size=9,
             unique_by=lambda point: point[0])
)  # fmt: skip
def test_the_power_law_is_the_straight_line_of_scikit_learn(points: list) -> None:
    n, errors = (np.array(values, float) for values in zip(*points, strict=True))
    x, y = np.log(n)[:, None], np.log(errors)
    reference = LinearRegression().fit(x, y)
    found = dataset_size.power_law(n, errors)
    assert found.power == pytest.approx(-reference.coef_[0], rel=1e-6, abs=1e-9)
    assert math.log(found.factor) == pytest.approx(reference.intercept_, rel=1e-6, abs=1e-7)
    if np.ptp(y) > 1e-6:
        assert found.r2 == pytest.approx(reference.score(x, y), rel=1e-6, abs=1e-7)


@pytest.mark.parametrize("name", EVERY)
def test_slides_say_the_same_in_both_languages(name: str) -> None:
    english, spanish = (
        plots_of(EVERY[name]()._replace(config={**EVERY[name]().config, "language": code}))
        for code in ("en", "es")
    )
    assert [plot.name for plot in english] == [plot.name for plot in spanish]
    for ours, theirs in zip(english, spanish, strict=True):
        assert ours.slide and theirs.slide
        assert ours.title != theirs.title and spoken(ours.title, "es") == theirs.title
        assert ours.x_label != theirs.x_label
        for a, b in zip(ours.curves, theirs.curves, strict=True):
            assert a.x == b.x
            # What has been translated already stays as it is.
            assert spoken(a.label, "es") == spoken(b.label, "es") == b.label
            assert re.findall(r"[\d.,]+", a.label) == re.findall(r"[\d.,]+", b.label)


def test_what_a_lesson_of_ones_own_says_stays_as_it_is() -> None:
    def plots(results: Results, translate: Translate) -> list[Plot]:
        title = translate("mine, {n:g} of them", n=2)
        return [Plot("mine", title, "", translate("epochs"), translate("accuracy"), [])]

    spanish = optimizers()._replace(config={**optimizers().config, "language": "es"})
    (plot,) = slides(Lesson(plots, lambda results: []), spanish)
    assert (plot.title, plot.x_label) == ("mine, 2 of them", "épocas")


@pytest.mark.parametrize("name", EVERY)
def test_a_lesson_is_in_spanish_from_its_title_to_its_tables(name: str) -> None:
    assert_spanish(*texts(section(EVERY[name]())))


def test_a_phrase_is_filled_in_the_other_language_or_missed() -> None:
    assert translator("es")("batch of {n}", n=8) == "lote de 8"
    with pytest.raises(KeyError):
        translator("es")("a phrase that nobody translated")


@pytest.mark.parametrize("noise", [0.0, 0.7])
def test_a_slide_of_samples_has_the_run_s_own_images_and_labels(noise: float) -> None:
    config = base_config()
    config.sweep = runs(
        [
            {"corruption": "true_labels"},
            {"corruption": "partially_corrupted_labels", "label_noise": noise, "seed": 1},
            {"corruption": "gaussian"},
        ]
    )
    found = members(config)
    datasets = data_runs.load_datasets(found, lambda line: None)
    labelled = [(groups.label_run(m, datasets[k]), datasets[k])
                for m in found for k in [data_runs.dataset_key(m.config)]]  # fmt: skip
    rows = gallery.corrupted(labelled, translator("en"))
    assert [row.name for row in rows] == ["true labels", "partially corrupted labels", "gaussian"]
    assert rows[0].labels == ("0", "1", "2", "3", "4", "5")  # the first of each class
    assert not any(rows[0].wrong) and not any(rows[2].wrong)
    of_run = labelled[1][0]
    true = labelled[1][1].train.labels
    first = [int(np.flatnonzero(true == digit)[0]) for digit in range(6)]
    assert rows[1].labels == tuple(str(of_run.train_labels[i]) for i in first)
    assert rows[1].wrong == tuple(bool(of_run.train_labels[i] != true[i]) for i in first)
    assert any(rows[1].wrong) == (noise > 0)
    stored = np.asarray(labelled[0][1].train.images)[first]
    np.testing.assert_array_equal(rows[0].images, stored)
    np.testing.assert_array_equal(rows[1].images, stored)
    assert (rows[2].images != stored).mean() > 0.5
    # One setting needs no comparison.
    assert gallery.corrupted(labelled[:1], translator("en")) == []


@pytest.mark.slow
def test_gradient_norms_of_an_epoch_against_autodiff(answer: Command, tmp_path: Path) -> None:
    """One step of gradient descent: the norm at the start, computed here from the loss alone."""
    done = answer(
        "--config=configs/course_normalization.py:seeds=1,epochs=1,train_examples=64",
        "--config.batch_size=0", "--config.checkpoint_every=0", f"--workdir={tmp_path}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    config = load(next(path for path in CONFIGS if path.stem == "course_normalization"),
                  "seeds=1,epochs=1,train_examples=64")  # fmt: skip
    config.batch_size = 0
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert len(lines) == 3
    for member, line in zip(members(config), lines, strict=True):
        (data,) = data_runs.load_datasets([member], lambda text: None).values()
        model = build.make_model(member.config, 10)
        scaled = make_preprocess(member.config.preprocess, *data.moments)(data.train.images)
        params = model.init(purpose_key(0, "init"), scaled[:1], train=False)["params"]

        def loss(params: dict, model=model, scaled=scaled, data=data) -> jax.Array:
            logits = model.apply({"params": params}, scaled, train=True)
            log_p = jax.nn.log_softmax(logits)
            return -log_p[jnp.arange(64), data.train.labels].mean()

        squares = [float(jnp.sum(g**2)) for g in jax.tree.leaves(jax.grad(loss)(params))]
        assert line["gradient_norm"] == pytest.approx(math.sqrt(sum(squares)), rel=1e-4)


def test_the_command_makes_slides_and_a_batch_of_nought_is_the_whole_set(
    answer: Command, tmp_path: Path
) -> None:
    workdir = tmp_path / "lesson"
    words = [
        "--config=configs/course_batch_size.py:batch_sizes=50+0,train_examples=100,seeds=1,epochs=2",
        f"--workdir={workdir}",
    ]
    done = answer(*words)
    assert done.returncode == 0, done.stderr
    assert f"Slides:          {workdir / 'figures'}" in done.stdout
    lines = [json.loads(line) for line in (workdir / "metrics.jsonl").read_text().splitlines()]
    steps = {line["member"]: line["step"] for line in lines}
    assert steps == {"batch_size=50": 2 * 2, "batch_size=all": 40}
    for name in ("loss_against_epochs", "loss_against_time"):
        assert (workdir / "figures" / f"{name}.png").read_bytes().startswith(b"\x89PNG")
    report = (workdir / "report.html").read_text()
    assert "What the lecture says" in report
    assert "The paper&#39;s claims" not in report and "The paper's claims" not in report
    assert "Pérdida" not in report
    # A language is how results are shown, not what they are.
    again = answer(*words, "--config.language=es")
    assert again.returncode == 0, again.stderr
    assert "Complete already" in again.stdout
    assert report_command.main([str(workdir), "--language=es"]) == 0
    assert "Pérdida por época" in (workdir / "report.html").read_text()
    refused = commands.answer(report_command.main, [str(workdir), "--language=fr"], tmp_path)
    assert refused.returncode == 2
    assert "--language" in refused.stderr and "es" in refused.stderr


def test_pictures_are_drawn_again_in_another_language_where_the_data_is_at_hand(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = np.random.default_rng(0)
    images, labels = rng.integers(0, 256, (60, 12, 12), np.uint8), np.arange(60) % 4
    data, workdir = tmp_path / "own.npz", tmp_path / "run"
    np.savez(data, x_train=images, y_train=labels, x_test=images, y_test=labels)
    config = base_config()
    config.dataset, config.model, config.hidden_sizes = str(data), "mlp", (8,)
    config.batch_size, config.epochs, config.augmentation = 30, 1, "rotate"
    config.sweep = runs([{"corruption": name} for name in ("true_labels", "random_labels")])
    experiment.run(config, workdir)
    files = [workdir / "figures" / f"{name}.svg" for name in ("corruptions", "augmentations")]
    english = [file.read_text() for file in files]
    assert "random labels" in english[0] and "stored" in english[1]
    assert report_command.main([str(workdir), "--language=es"]) == 0
    spanish = [file.read_text() for file in files]
    assert "etiquetas al azar" in spanish[0] and "original" in spanish[1]
    assert "random labels" not in spanish[0] and "stored" not in spanish[1]
    shown = base64.b64encode((workdir / "figures" / "corruptions.png").read_bytes()).decode()
    assert shown in (workdir / "report.html").read_text()
    # There and back it is the same picture, of the very labels and pixels.
    assert report_command.main([str(workdir), "--language=en"]) == 0
    assert [file.read_text() for file in files] == english
    data.unlink()
    capsys.readouterr()
    assert report_command.main([str(workdir), "--language=es"]) == 0
    assert "The pictures of images stay as they are: dataset=" in capsys.readouterr().out
    assert [file.read_text() for file in files] == english
