"""Section 2.2: uniform stability, by twins that differ in one training example.

Twins share initial weights, the order of examples and every label; one of them has a copy of
example j wherever the other has example i. All are members of one sweep. After every epoch the
distance of their weights is measured, |w - v| / sqrt(|w|^2 + |v|^2) as Hardt, Recht and Singer
(2016) do, and how far their losses are apart on every training and test example. The loss here
is 1 - p(label), which lies in [0, 1]: of an unbounded one no largest difference exists.

An algorithm with uniform stability beta has |loss(w, z) - loss(v, z)| <= beta for all twins and
all examples z, whatever the labels, and then an expected gap between test and training loss of
at most beta. So beta is at least the gap on random labels: it cannot say that true labels
generalize.
"""

from collections.abc import Sequence

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.analysis.curves import Curve, Plot
from rethinking_jax.analysis.findings import Findings, verdict
from rethinking_jax.analysis.intervals import difference
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.config import Member, Overrides
from rethinking_jax.config.key import AT_LEAST_1, Key
from rethinking_jax.corruption.randomness import generator
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.theory.fitting import TRAINING_KEYS, training_config
from rethinking_jax.theory.kind import (
    EXAMPLE_KEYS,
    LABEL_KEYS,
    Kind,
    Tools,
    at_least,
    check_images_stay,
    check_network,
    seeds_of,
)
from rethinking_jax.theory.twins import watch
from rethinking_jax.workdir.metrics import Json, Line, text_of

FAR = 10  # as many times 1 / n are more than a stability of order 1 / n allows
HALF = 0.5  # a gap, of a loss in [0, 1], that leaves a bound empty

COLUMNS = (
    Column("labels", "name"),
    Column("seed", "seed"),
    Column("examples", "examples", "{:,}"),
    Column("train acc.", "train_accuracy", text_of),
    Column("distance of weights", "distance", "{:.4f}"),
    Column("train loss, mean", "train_mean", "{:.4f}"),
    Column("train loss, most", "train_most", "{:.4f}"),
    Column("test loss, mean", "test_mean", "{:.4f}"),
    Column("test loss, most", "test_most", "{:.4f}"),
    Column("on the replaced", "own", "{:.4f}"),
    Column("gap", "gap", "{:.4f}"),
)
NOTE = (
    "After the last epoch, means over the twins of a seed. Losses: how far those of twins are "
    "apart, 1 - p(label), over the training and the test examples; on the replaced: on the one "
    "that only one of them has seen. Test labels are drawn as the training labels are. Gap: test "
    "loss less training loss of the twin that has every example."
)
# The keys of a twin's line -> the keys of a row.
MEASURED = {
    "twin_distance": "distance",
    "twin_train_mean": "train_mean",
    "twin_train_most": "train_most",
    "twin_test_mean": "test_mean",
    "twin_test_most": "test_most",
    "twin_own": "own",
}


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains the twins of every seed and setting as one sweep, and compares them.

    Raises:
      UserError: there are fewer than two examples, or fewer than in a batch.
      RunFailed: stopped by a signal, or diverged.
    """
    config = members[0].config
    dataset = tools.tasks.dataset(config)
    count = len(dataset.train.labels)
    for _, own in members:
        check_count(count, own.batch_size)
    runs, changes = twin_runs(members, count)
    with tools.open_lab() as lab:
        lines = lab.train(
            training_config(config, stop_when_fitted=False, corrupt_test_labels=True),
            runs,
            cropped(dataset, config.crop_size),
            lambda index, run: run._replace(replaced=changes[index]),
            watch,
        )
    diverged = [name for name, own in lines.items() if own[-1]["train_loss"] is None]
    if diverged:
        raise RunFailed(f"{diverged[0]} diverged: try a smaller --config.learning_rate")
    measured = [
        _row(name, own, seed, count, lines) for name, own in members for seed in seeds_of(own)
    ]
    for name, _ in members:
        mean = np.mean(_values(measured, name, "distance"))
        tools.say(f"{name}: twins are {mean:.4f} apart after {config.epochs} epochs")
    data = f"{config.dataset}: {count:,} training, {len(dataset.test.labels):,} test images"
    made = table("stability", "Twins that differ in one example", COLUMNS, measured, NOTE)
    return Findings(
        measured,
        {"data": data, **_method(config, len(runs))},
        [made],
        _plots(members, lines),
        _verdicts(measured, count),
    )


def _method(config: ConfigDict, runs: int) -> dict[str, str]:
    return {
        "method": f"{config.seeds} seeds, {config.twins} twins of each, one sweep of {runs} runs: "
        f"{config.optimizer}, learning rate {config.learning_rate:g}, batches of "
        f"{config.batch_size}, {config.epochs} epochs",
        "twins": "example i is replaced by a copy of example j, both drawn by seed",
    }


def check(config: ConfigDict) -> None:
    """Checks one run's network, and that its labels alone are corrupted.

    Raises:
      UserError: the message says what would be right.
    """
    check_network(config)
    check_images_stay(config, "twins share their images")


def check_count(count: int, batch_size: int) -> None:
    """Refuses a training set of one example, or of fewer than a batch has.

    Raises:
      UserError: the message has both numbers.
    """
    if count < 2 or batch_size > count:
        raise UserError(
            f"config.batch_size={batch_size} and {count:,} training examples: there must be at "
            "least 2, and as many as in a batch"
        )


KIND = Kind(
    run,
    keys=(
        Key(
            "seeds",
            4,
            "Seeds, each with a run that has every example.",
            range=at_least(2, ", for an interval"),
        ),
        Key("twins", 2, "Twins of each seed's run.", range=AT_LEAST_1),
    ),
    training={
        "model": "mlp",
        "hidden_sizes": (128,),
        "optimizer": "sgd",
        "learning_rate": 0.05,
        "batch_size": 50,
        "epochs": 60,
        "preprocess": "paper",
    },
    one_for_all=(*EXAMPLE_KEYS, "crop_size"),
    check=check,
)


def twin_runs(
    members: Sequence[Member], count: int
) -> tuple[list[Overrides], list[tuple[int, int] | None]]:
    """Returns every run, that with all examples before its twins, and what each has replaced."""
    runs: list[Overrides] = []
    changes: list[tuple[int, int] | None] = []
    for name, config in members:
        own = {key: config[key] for key in (*TRAINING_KEYS, *LABEL_KEYS)}
        own = {
            key: list(v) if isinstance(v, tuple) else v for key, v in own.items() if v is not None
        }
        for seed in seeds_of(config):
            rng = generator(seed, "twins")
            pairs = [rng.choice(count, 2, replace=False).tolist() for _ in range(config.twins)]
            for twin, pair in enumerate([None, *pairs]):
                runs.append({**own, "name": _name(name, seed, twin), "seed": seed})
                changes.append(pair and (pair[0], pair[1]))
    return runs, changes


def _name(name: str, seed: int, twin: int) -> str:
    return f"{name},seed={seed},twin={twin}"


# Results -------------------------------------------------------------------------------------


def _row(
    name: str, config: ConfigDict, seed: int, count: int, lines: dict[str, list[Line]]
) -> Json:
    base = lines[_name(name, seed, 0)][-1]
    twins = [lines[_name(name, seed, twin + 1)][-1] for twin in range(config.twins)]
    return {
        "name": name,
        "corruption": config.corruption,
        "seed": seed,
        "examples": count,
        "train_accuracy": base["train_accuracy"],
        "gap": base["bounded_test"] - base["bounded_train"],
        **{ours: float(np.mean([line[key] for line in twins])) for key, ours in MEASURED.items()},
    }


def _values(measured: Sequence[Json], name: str, key: str) -> list[float]:
    return [row[key] for row in measured if row["name"] == name]


def _plots(members: Sequence[Member], lines: dict[str, list[Line]]) -> list[Plot]:
    distances, losses = [], []
    for name, config in members:
        own = [
            [lines[_name(name, seed, twin + 1)] for twin in range(config.twins)]
            for seed in seeds_of(config)
        ]
        epochs = [float(line["epoch"]) for line in own[0][0]]
        distances.append(_curve(name, epochs, own, "twin_distance"))
        losses.append(_curve(f"{name}, most", epochs, own, "twin_test_most"))
        losses.append(_curve(f"{name}, mean", epochs, own, "twin_test_mean"))
    same = "Twins share everything but one training example."
    return [
        Plot(
            "distance", "How far the weights of twins move apart", same, "epoch",
            "normalized distance", distances,
        ),
        Plot(
            "losses", "How far the losses of twins move apart", f"{same} Over all test examples.",
            "epoch", "difference of 1 - p(label)", losses,
        ),
    ]  # fmt: skip


def _curve(label: str, epochs: list[float], own: list[list[list[Line]]], key: str) -> Curve:
    values = np.array([np.mean([[line[key] for line in twin] for twin in s], axis=0) for s in own])
    note = f"mean of {len(own)} seeds, band from least to most"
    mean, low, high = (found.tolist() for found in (values.mean(0), values.min(0), values.max(0)))
    return Curve(label, epochs, mean, low, high, note)


def _verdicts(measured: list[Json], count: int) -> list[Verdict]:
    by_setting = {row["corruption"]: row["name"] for row in measured}
    true, random = by_setting.get("true_labels"), by_setting.get("random_labels")
    return [
        _further(
            "Twins' weights move further apart on random labels than on true ones.",
            measured, true, random, "distance", "The normalized distance",
        ),
        _further(
            "So do their losses on fresh examples.",
            measured, true, random, "test_mean", "The mean difference of losses",
        ),
        _not_uniform(measured, count),
        _gap(measured, true, random),
    ]  # fmt: skip


def _further(
    claim: str,
    measured: list[Json],
    true: str | None,
    random: str | None,
    key: str,
    what: str,
) -> Verdict:
    place = "not a claim of the paper"
    if not true or not random:
        return verdict(
            claim, place, None, "Needs true_labels and random_labels.", "", of_paper=False
        )
    far, near = (_values(measured, name, key) for name in (random, true))
    found = difference(far, near)
    return verdict(
        claim,
        place,
        found.low > 0,
        f"{what}: {np.mean(far):.4f} on random, {np.mean(near):.4f} on true labels; the difference "
        f"is {found.value:.4f} ({found.low:.4f} to {found.high:.4f}, 95 % over {len(far)} seeds).",
        "No number in the paper.",
        of_paper=False,
    )


def _not_uniform(measured: list[Json], count: int) -> Verdict:
    least = min(measured, key=lambda row: row["test_most"])
    return verdict(
        f"One example out of n changes some loss by more than {FAR} / n, on every kind of labels.",
        "section 2.2: uniform stability fails",
        least["test_most"] > FAR / count,
        f"The largest change on a test example: at least {least['test_most']:.3f} "
        f"({least['name']}, seed {least['seed']}); {FAR} / n is {FAR / count:.3f}.",
        "Uniform stability has to hold for every example, and needs about 1 / n.",
    )


def _gap(measured: list[Json], true: str | None, random: str | None) -> Verdict:
    claim = "No uniform stability can explain why true labels generalize."
    place = "section 2.2"
    if not true or not random:
        return verdict(claim, place, None, "Needs true_labels and random_labels.", "")
    large, small = (float(np.mean(_values(measured, name, "gap"))) for name in (random, true))
    return verdict(
        claim,
        place,
        large >= HALF and small < large / 2,
        f"It does not depend on labels, so it is at least the gap on random ones, {large:.3f} of a "
        f"loss of at most 1; the gap on true labels is {small:.3f}.",
        "The same algorithm fits random labels, so a property of the algorithm alone says nothing.",
    )
