"""Results of experiments that were never run, for the tests of claims, figures and pages."""

import copy

from rethinking_jax.analysis.results import Results

EPOCH = 10  # steps


def run(
    corruption: str,
    fit: int | None = 4,
    test: float = 0.1,
    *,
    noise: float | None = None,
    seed: int = 0,
    corrupted_test: float | None = None,
    running_loss: float = 1.0,
    final_loss: float = 0.2,
    each: dict[str, list[float]] | None = None,
    **override: object,
) -> tuple[dict, dict, list[dict]]:
    """One run of 8 epochs or until it fits in epoch `fit`: its override, summary and lines.

    `each` has a metric's value in each epoch, and so their number.
    """
    levels = {"random_labels": 1.0, "partially_corrupted_labels": noise}
    override = {"corruption": corruption, "label_noise": noise, "seed": seed, **override}
    name = ",".join(f"{key}={value}" for key, value in override.items())
    epochs = len(next(iter(each.values()))) if each else fit or 8
    lines = []
    for epoch in range(1, epochs + 1):
        line = {
            "member": name,
            "epoch": epoch,
            "step": EPOCH * epoch,
            "train_loss": final_loss if epoch == fit else 2.0 / epoch + seed / 10,
            "running_loss": running_loss if epoch == epochs else 2.0,
            "train_accuracy": 1.0 if epoch == fit else 0.5,
            "test_accuracy": test if corrupted_test is None else corrupted_test,
        }
        if corrupted_test is not None:
            line["test_accuracy_true_labels"] = test
        lines.append(line | {key: values[epoch - 1] for key, values in (each or {}).items()})
    summary = {
        "name": name,
        "model": override.get("model", "mlp_1x512"),
        "corruption": corruption,
        "label_noise": levels.get(corruption) or 0.0,
        "flipped_fraction": 0.0,
        "seed": seed,
        "steps_to_fit": fit and EPOCH * fit,
        "epochs_to_fit": fit,
        "epochs": epochs,
        "diverged": False,
        "best_test_accuracy": max(line["test_accuracy"] for line in lines),
        "best_epoch": max(lines, key=lambda line: line["test_accuracy"])["epoch"],
        **{key: lines[-1][key] for key in lines[-1] if key not in ("member", "epoch", "step")},
    }
    return override, summary, lines


def made(*runs: tuple[dict, dict, list[dict]], **changes: object) -> Results:
    # A copy: the runs below are shared by the tests.
    runs = copy.deepcopy(runs)
    summary = {
        "experiment": "test",
        "dataset": "mnist5k",
        "train_examples": 4000,
        "test_examples": 1000,
        "num_classes": 10,
        "device": "CPU",
        "versions": {"jax": "0"},
        "wall_seconds": 1.0,
        "members": [member for _, member, _ in runs],
        **changes,
    }
    config = {"dataset": summary["dataset"], "fit_threshold": 1.0, "sweep": [o for o, _, _ in runs]}
    return Results(summary, {member["name"]: lines for _, member, lines in runs}, config)


def noise_sweep() -> Results:
    """Two seeds at three levels; epochs to fit (2, 4), (3, 6), (6, 6)."""
    fits = {0.0: (2, 4), 0.5: (3, 6), 1.0: (6, 6)}
    return made(
        *(
            run(
                "partially_corrupted_labels",
                fit,
                0.9 - 0.8 * noise + seed / 100,
                noise=noise,
                seed=seed,
                corrupted_test=0.9 - 0.8 * noise,
                running_loss=0.04,
            )
            for noise, both in fits.items()
            for seed, fit in enumerate(both)
        )
    )


OFF = {"augmentation": "", "dropout_rate": 0.0, "weight_decay": 0.0}
ON = {"augmentation": "flip", "dropout_rate": 0.2, "weight_decay": 5e-4}
KEYS = {"augmentation": "augmentation", "dropout": "dropout_rate", "decay": "weight_decay"}


def row(
    setting: str,
    kinds: str,
    test: float | list[float],
    train: float = 1.0,
    *,
    seed: int = 0,
    model: str = "mlp_1x512",
    top5: tuple[float, float] | None = None,
    **metrics: list[float] | str | float,
) -> tuple[dict, dict, list[dict]]:
    """A run with some of augmentation, dropout and decay on; `test` in each epoch or at its end."""
    own = {KEYS[kind]: ON[KEYS[kind]] for kind in kinds.split()}
    tests = test if isinstance(test, list) else [test / 2, test]
    n = len(tests)
    each = {"test_accuracy": tests, "train_accuracy": [train / 2] * (n - 1) + [train]}
    if top5:
        each |= {"train_top5_accuracy": [top5[0]] * n, "test_top5_accuracy": [top5[1]] * n}
    lists = {key: value for key, value in metrics.items() if isinstance(value, list)}
    rest = {key: value for key, value in metrics.items() if key not in lists}
    name = f"{model},{setting},{kinds},{seed},{','.join(map(str, rest.values()))}"
    override = {**OFF, **own, **rest, "name": name, "model": model}
    made_run = run(f"{setting}_labels", None, each=each | lists, seed=seed, **override)
    made_run[1]["name"] = name
    if top5:
        made_run[1]["best_test_top5_accuracy"] = top5[1] + 0.01
    for line in made_run[2]:
        line["member"] = name
    return made_run


def lesson(name: str, *runs: tuple, **config: object) -> Results:
    found = made(*runs, experiment=name)
    return found._replace(config={**found.config, **config})


def checkerboards(rise: float = 0.02, outside: float = 0.0, few: float = 0.5) -> Results:
    """500, 1,000 and 5,000 points, and 1,000 with 9 from outside; two seeds."""
    runs = []
    for i, (name, beyond) in enumerate((("500", 0.0), ("1000", outside), ("5000", 2 * outside),
                                        ("1000+9", few))):  # fmt: skip
        for seed in range(2):
            shift = seed / 500
            inside, outer = 0.9 + rise * min(i, 2) + shift, 0.1 + beyond + shift
            each = {"train_loss": [1.0, 0.5], "outside_accuracy": [outer, outer]}
            runs.append(run("true_labels", None, inside, seed=seed, each=each,
                            model="mlp_sigmoid", dataset=f"checkerboard:{name}"))  # fmt: skip
    return lesson("course_checkerboard", *runs)
