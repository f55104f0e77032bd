"""Keys that do nothing, runs that are the same, and sweeps that are not what they seem."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Command
from helpers.config_files import CONFIGS, load
from hypothesis import given, settings
from hypothesis import strategies as st
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.config import KEYS, member
from rethinking_jax.errors import UserError
from rethinking_jax.experiment import trained
from rethinking_jax.theory.kinds import KINDS
from rethinking_jax.theory.settings import keys_of, theory_config
from rethinking_jax.workdir.folder import Folder

PARTIAL = "partially_corrupted_labels"
# Of each key that needs another one: a value, and what must be set for it to have an effect.
NEEDS: dict[str, tuple[object, dict[str, object], dict[str, object]]] = {
    # key: (value, where it does nothing, where it does something)
    "label_noise": (0.3, {}, {"corruption": PARTIAL}),
    "exclude_true_class": (True, {}, {"corruption": "random_labels"}),
    "labels_file": ("a.npz", {}, {"corruption": "given_labels"}),
    "corruption_seed": (3, {}, {"corruption": "gaussian"}),
    "corrupt_test_labels": (True, {"corruption": "gaussian"}, {"corruption": PARTIAL}),
    "data_seed": (3, {}, {"train_examples": 100}),
    "last_batch": ("drop", {"batch_size": 0}, {}),
    "lr_decay_steps": (100, {"lr_decay": 1.0}, {}),
    "label_smoothing": (0.1, {"loss": "squared"}, {"loss": "cross_entropy"}),
    "loss_strength": (0.5, {}, {"loss": "soft_bootstrap"}),
    "optimizer_epsilon": (0.1, {}, {"optimizer": "adam"}),
    "weight_decay_mask": ("kernels", {}, {"weight_decay": 1e-4}),
    "weight_decay_kind": ("decoupled", {}, {"weight_decay": 1e-4}),
    "checkpoints_to_keep": (5, {"checkpoint_every": 0}, {}),
    "read_threads": (2, {"input": "memory"}, {}),
    "read_workers": (2, {"input": "memory"}, {"input": "stream"}),
}
OF_A_RUN = [name for name in NEEDS if KEYS[name].scope in ("array", "static", "pace")]


def with_keys(**changes: object) -> ConfigDict:
    config = configs.base_config()
    config.update(changes)
    return config


def swept(*overrides: dict, **changes: object) -> ConfigDict:
    return with_keys(sweep=configs.runs(overrides), **changes)


def names(config: ConfigDict, **options: object) -> list[str]:
    return [one.name for one in configs.members(config, **options)]


def test_the_table_has_every_key_that_needs_another() -> None:
    assert set(NEEDS) == {name for name, key in KEYS.items() if key.needs}
    for name, key in KEYS.items():
        assert key.needs is None or (name not in key.needs.keys and set(key.needs.keys) < set(KEYS))


@pytest.mark.parametrize("key", NEEDS)
def test_a_key_that_is_typed_and_does_nothing_is_refused(key: str) -> None:
    value, idle, used = NEEDS[key]
    with pytest.raises(UserError, match=f"config.{key}={value} has no effect: it is for") as caught:
        names(with_keys(**{key: value}, **idle), typed=[key, *idle])
    assert any(other in str(caught.value) for other in KEYS[key].needs.keys)
    assert names(with_keys(**{key: value}, **used), typed=[key])
    # A config file may hold what recipes set before they know the runs, and nothing else.
    if KEYS[key].needs.idle:
        assert names(with_keys(**{key: value}, **idle))
    else:
        with pytest.raises(UserError, match="has no effect"):
            names(with_keys(**{key: value}, **idle))
    # At its default a key is not refused.
    assert names(with_keys(**idle), typed=list(idle))


@pytest.mark.parametrize("key", OF_A_RUN)
def test_a_run_that_sets_a_key_in_vain_is_refused(key: str) -> None:
    value, idle, used = NEEDS[key]
    with pytest.raises(UserError, match=f"{key}={value} has no effect on the run") as caught:
        names(swept({key: value}, {key: value, **used, "seed": 1}, **idle))
    assert KEYS[key].needs.told in str(caught.value)
    turned_on = {name: KEYS[name].unset for name in idle} | used
    assert names(swept({key: value, **turned_on}, {key: value, **turned_on, "seed": 1}, **idle))


HARMLESS: list[list[dict]] = [
    # The kind of a decay that is 0 in one of the runs.
    configs.product(
        configs.sweep("weight_decay", [0, 1e-4]), configs.sweep("weight_decay_kind", ["decoupled"])
    ),
    [{"name": "none", "weight_decay_kind": "decoupled"},
     {"name": "on", "weight_decay_kind": "decoupled", "weight_decay": 1e-3}],
    configs.product(
        configs.sweep("corruption", [PARTIAL]),
        configs.sweep("label_noise", [0, 0.5, 1]),
        configs.sweep("exclude_true_class", [True]),
        configs.sweep("corrupt_test_labels", [True]),
    ),
    configs.product(
        configs.sweep("optimizer", ["sgd", "adam"]), configs.sweep("optimizer_epsilon", [1e-3])
    ),
    # What label_noise says is true of these.
    [{"corruption": "true_labels", "label_noise": 0.0},
     {"corruption": "random_labels", "label_noise": 1.0}],
    [{"corruption": PARTIAL, "label_noise": None}],
]  # fmt: skip


@pytest.mark.parametrize("overrides", HARMLESS)
def test_a_rest_that_another_run_uses_is_accepted(overrides: list[dict]) -> None:
    assert len(names(swept(*overrides))) == len(overrides)


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        # Whatever else the run says, and whatever it is called: its labels are not 0.2 random.
        ([{"corruption": "random_labels", "label_noise": 0.2}], ["label_noise=0.2", PARTIAL]),
        ([{"name": "noisy", "label_noise": 0.2}], ["'noisy'", "label_noise=0.2", PARTIAL]),
        ([{"label_noise": 0.2}, {"corruption": PARTIAL, "label_noise": 0.8}], ["=0.2", PARTIAL]),
        # No run uses them.
        ([{"name": "a", "weight_decay_kind": "decoupled"}], ["weight_decay_kind", "weight_decay "]),
        ([{"weight_decay": 0, "weight_decay_mask": "kernels"}], ["weight_decay_mask", "above 0"]),
    ],
)  # fmt: skip
def test_a_run_that_is_not_what_it_says_is_refused(overrides: list[dict], words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        names(swept(*overrides))
    for word in words:
        assert word in str(caught.value)


SAME: list[tuple[dict, dict, dict]] = [
    # two runs, and the config of both
    ({"corruption": "random_labels", "seed": 0}, {"seed": 0, "corruption": "random_labels"}, {}),
    ({"learning_rate": 1}, {"learning_rate": 1.0}, {}),
    ({"name": "a", "seed": 1}, {"name": "b", "seed": 1}, {}),
    ({"name": "a"}, {"name": "b", "seed": 0}, {}),
    ({"model": "mlp", "hidden_sizes": [5]}, {"hidden_sizes": [5], "model": "mlp"}, {}),
    ({"checkpoint_every": 1}, {"checkpoint_every": 2}, {}),
    ({"corruption": PARTIAL}, {"corruption": PARTIAL, "label_noise": 0.5}, {}),
    ({"corruption": PARTIAL, "label_noise": 1}, {"corruption": "random_labels"}, {}),
    ({"corruption": PARTIAL, "label_noise": 0}, {"corruption": "true_labels"}, {}),
    ({"weight_decay": 0, "weight_decay_kind": "coupled"},
     {"weight_decay": 0, "weight_decay_kind": "decoupled"}, {}),
    ({"corruption": "true_labels", "exclude_true_class": True},
     {"corruption": "true_labels", "exclude_true_class": False}, {}),
    ({"lr_decay": 1.0, "lr_decay_steps": 5}, {"lr_decay": 1.0, "lr_decay_steps": 6}, {}),
    ({"name": "a", "lr_decay_steps": 5}, {"name": "b", "lr_decay_steps": 6}, {"lr_decay": 1.0}),
]  # fmt: skip


@pytest.mark.parametrize(("first", "second", "changes"), SAME)
def test_two_runs_that_are_the_same_are_refused_with_both_names(
    first: dict, second: dict, changes: dict
) -> None:
    # A third run uses every rest, so that only the two are wrong.
    third = {"name": "all", "corruption": "random_labels", "seed": 7, "weight_decay": 1e-4,
             "exclude_true_class": True, "weight_decay_kind": "decoupled", "lr_decay": 0.9,
             "lr_decay_steps": 3}  # fmt: skip
    each = [names(swept(one, third, **changes))[0] for one in (first, second)]
    with pytest.raises(UserError) as caught:
        names(swept(first, third, second, **changes))
    assert f"the runs {each[0]!r} and {each[1]!r} are the same" in str(caught.value)


overrides = st.fixed_dictionaries(
    {},
    optional={
        "seed": st.integers(0, 5),
        "learning_rate": st.sampled_from([1, 0.1, 2.0]),
        "corruption": st.sampled_from(["true_labels", "random_labels", "gaussian"]),
        "epochs": st.integers(1, 3),
        "momentum": st.sampled_from([0, 0.5]),
        "weight_decay": st.sampled_from([0, 0.0, 1, 1.0]),
    },
)


@settings(max_examples=60, deadline=None)
@given(overrides, st.permutations(range(6)), st.booleans())
def test_a_run_is_the_same_however_it_is_spelt(own: dict, order: list[int], named: bool) -> None:
    items = list(own.items())
    turned = dict(items[i] for i in order if i < len(items))
    spelt = {
        key: float(value) if type(value) is int and KEYS[key].kind is float else value
        for key, value in turned.items()
    } | ({"name": "again"} if named else {})
    with pytest.raises(UserError, match=r"are the same|is there twice"):
        names(swept(own, spelt))
    other = {**spelt, "seed": own.get("seed", 0) + 1}
    assert len(names(swept(own, other))) == 2


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[{"seed": 0, "seed": 1}]', ["'seed' twice", "0 and 1"]),
        ('[{"seed": 0}, {"name": "a", "epochs": 2, "name": "b"}]', ["'name' twice"]),
        ('[{"learning_rate": NaN}]', ["NaN"]),
        ('[{"learning_rate": -Infinity}]', ["-Infinity"]),
        ('[{"learning_rate": 1e999}]', ["learning_rate=inf"]),
        ('[{"name": 5}]', ["name=5", "text"]),
        ('[{"name": null}]', ["name=None", "text"]),
        ('[{"name": ""}]', ["name=''", "text"]),
        ("[" * 100_000, ["not JSON"]),
        ('[[{"seed": 0}]]', ["list of runs"]),
        ('[{"kind": "kernel"}]', ["'kind'", "whole command"]),
        *(
            (json.dumps([{"model": "mlp", key: value}]), [f"{key}=", "must be", wanted])
            for key, wanted, values in (
                ("learning_rate", "type float", [None, True, "0.1", [0.1], {}, 10**400]),
                ("seed", "type int", [None, True, 1.5, 1.0, "1", [1]]),
                ("gradient_norm", "type bool", [None, 1, 0.0, "true"]),
                ("preprocess", "type str", [None, 1, True, ["paper"]]),
                ("hidden_sizes", "list of whole numbers",
                 [None, "120-84", 5, [1.5], ["5"], [True], [None], [[5]], {"5": 5}]),
                ("label_noise", "type float", [True, "0.5", [0.5]]),
            )
            for value in values
        ),
    ],
)  # fmt: skip
def test_what_json_has_must_be_of_the_key_s_type(text: str, words: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        names(with_keys(sweep=text))
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        (['--config.sweep=[{"label_noise":0.2},{"label_noise":0.8}]'],
         ["label_noise=0.2 has no effect", "corruption=partially_corrupted_labels"]),
        (["--config.sweep=", "--config.exclude_true_class=True"], ["exclude_true_class=True"]),
        (["--config.sweep=", "--config.weight_decay_mask=kernels"], ["weight_decay above 0"]),
        (["--config.sweep=", "--config.lr_decay=1", "--config.lr_decay_steps=9"], ["lr_decay "]),
        (['--config.sweep=[{"learning_rate":null}]'], ["learning_rate=None", "type float"]),
        (["--config.sweep=", "--config.augmentation=crop+flip", "--config.crop_size=0"],
         ["augmentation='crop+flip'", "crop_size=0"]),
        (["--config=configs/kernel.py", "--config.filters=7"], ["filters=7", "random_conv"]),
        (["--config=configs/kernel.py:corruption=true_labels", "--config.seed=1"], ["seed=1"]),
    ],
)  # fmt: skip
def test_the_command_answers_in_one_line(
    flags: list[str], words: list[str], answer: Command, tmp_path: Path
) -> None:
    result = answer(*flags, cwd=tmp_path)
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert all(word in result.stderr for word in words), result.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_config_file_is_a_door_too(answer: Command, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from rethinking_jax.config import base_config\n"
        "def get_config():\n"
        "    config = base_config()\n"
        "    config.corrupt_test_labels = True\n"
        "    return config\n"
    )
    result = answer(f"--config={file}", cwd=tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "corrupt_test_labels=True has no effect" in result.stderr


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_a_config_of_ours_is_one_run_without_its_sweep(path: Path) -> None:
    """As `--config.sweep=''` makes it, of recipes whose runs set what the rest of them needs."""
    config = load(path)
    config.sweep = ""
    assert len(experiment.members(config)) == 1


# Theory ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "changes", "used"),
    [
        ("shattering", {"dataset": "mnist"}, {"points": "images"}),
        ("shattering", {"crop_size": 20}, {"points": "images"}),
        ("shattering", {"data_seed": 1}, {"points": "images"}),
        ("theorem1", {"trained_epochs": 7}, {"trained_widths": "4"}),
        ("min_norm", {"num_features": 7}, None),
        ("min_norm", {"ntk_seeds": 2}, {"ntk_widths": "4"}),
        ("kernel", {"gamma": 0.1, "kernel": "linear"}, {"kernel": "gabor"}),
        ("kernel", {"scale": 3.0}, {"kernel": "laplacian"}),
        ("kernel_noise", {"ridges": "1", "kernel": "nearest"}, {"kernel": "laplacian"}),
        ("kernel", {"seed": 1}, {"corruption": "gaussian"}),
        ("kernel", {"label_noise": 0.1}, {"corruption": PARTIAL}),
        (
            "kernel",
            {"seed": 1, "corruption": "gaussian", "corruption_seed": 2},
            {"corruption_seed": None},
        ),
        ("theorem1", {"corruption_seed": 1}, {"corruption": "random_labels"}),
        ("stability", {"exclude_true_class": True}, {"corruption": "random_labels"}),
        ("rademacher", {"data_seed": 1}, {}),
    ],
)
def test_a_key_of_theory_that_does_nothing_is_refused(
    kind: str, changes: dict, used: dict | None
) -> None:
    if used != {}:
        idle = {"features": "pixels"} if used is None else {}
        with pytest.raises(UserError, match=f"config.{next(iter(changes))}=.* has no effect"):
            experiment.members(theory_config(kind, **changes, **idle))
    assert experiment.members(theory_config(kind, **{**changes, **(used or {})}))


def test_runs_of_theory_that_are_the_same_are_refused() -> None:
    config = theory_config("kernel", sweep=configs.runs([{"seed": 0}, {"seed": 1}]))
    with pytest.raises(UserError, match="'seed=1': it is for kernel=random_conv, or a corruption"):
        experiment.members(config)
    config.sweep = configs.runs([{"ridge": 0}, {"ridge": 0.0}])
    with pytest.raises(UserError, match=r"'ridge=0' and 'ridge=0\.0' are the same"):
        experiment.members(config)


@pytest.mark.parametrize(
    ("kind", "key", "values"),
    [
        ("shattering", "dimensions", (3, 5)),
        ("shattering", "points", ("gaussian", "images")),
        ("rademacher", "gamma", (0.1, 0.2)),
        ("stability", "train_examples", (100, 200)),
        ("theorem1", "trained_epochs", (1, 2)),
    ],
)
def test_what_a_kind_looks_at_once_is_no_run_s_own(
    kind: str, key: str, values: tuple, tmp_path: Path
) -> None:
    changes = {"trained_widths": "4"} if kind == "theorem1" else {}
    config = theory_config(kind, sweep=configs.runs(configs.sweep(key, values)), **changes)
    with pytest.raises(UserError, match=f"'{key}' is one for all runs of kind={kind}"):
        experiment.run(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()


# Identity ----------------------------------------------------------------------------


def all_configs() -> list[ConfigDict]:
    return [configs.base_config(), *map(theory_config, KINDS)]


@pytest.mark.parametrize("config", all_configs(), ids=lambda config: config.get("kind", "trains"))
def test_a_key_that_an_older_config_json_does_not_have_is_at_its_default(
    config: ConfigDict, tmp_path: Path
) -> None:
    def folder(config: ConfigDict) -> Folder:
        return Folder(
            tmp_path, configs.to_json(config), lambda plain: configs.identity_of(plain, keys)
        )

    keys = keys_of(config)
    assert configs.identity_of(configs.to_json(config), keys).keys() <= {"kind", "sweep"}
    named = configs.digest(config, keys)
    for name, key in keys.items():
        if name == "sweep" or key.scope in ("location", "resource", "pace"):
            continue
        plain = {k: value for k, value in configs.to_json(config).items() if k != name}
        (tmp_path / "config.json").write_text(json.dumps(plain))
        folder(config).check()
        other = config.copy_and_resolve_references()
        other[name] = {
            bool: lambda v: not v, int: lambda v: (v or 0) + 1, float: lambda v: (v or 0) + 0.5,
            str: lambda v: v + "x", tuple: lambda v: (*v, 9),
        }[key.kind](config[name])  # fmt: skip
        with pytest.raises(UserError, match=rf"{name} \(its default there, .* now\)"):
            folder(other).check()
        assert configs.digest(other, keys) != named


def test_a_default_workdir_of_theory_by_the_version_before_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = theory_config("kernel")
    keys = keys_of(config)
    named = configs.default_workdir(config, keys)
    former = f"runs/kernel-{configs.digest(config)}"
    assert named == f"runs/kernel-{configs.digest(config, keys)}" != former
    (tmp_path / former).mkdir(parents=True)
    assert configs.default_workdir(config, keys) == former


@pytest.mark.parametrize(
    ("value", "spelt"),
    [(3 * 0.1, "0.3"), (0.1, "0.1"), (1e-05, "1e-05"), (1.0, "1.0"), (2, "2"), (1.1 * 1.1, "1.21"),
     (sum([0.1] * 8), "0.8"), (1e22, "1e+22"), (0.123456789012, "0.123456789012")],
)  # fmt: skip
def test_a_number_is_spelt_short_in_a_name(value: float, spelt: str) -> None:
    assert names(swept({"learning_rate": value})) == [f"learning_rate={spelt}"]


@pytest.mark.parametrize("kind", ["rademacher", "shattering"])
def test_what_draws_no_corruption_has_no_seed_of_one(kind: str) -> None:
    with pytest.raises(UserError, match="corruption_seed is not a config key"):
        theory_config(kind, corruption_seed=1)


def test_a_corruption_seed_that_is_the_seed_makes_no_other_run() -> None:
    own = {"corruption": "random_labels", "seed": 2}
    with pytest.raises(UserError, match="are the same"):
        names(swept(own, {**own, "corruption_seed": 2}))
    assert len(names(swept(own, {**own, "corruption_seed": 3}))) == 2


def test_names_that_become_one_are_refused() -> None:
    config = swept({"label_noise": 0.3}, {"label_noise": 3 * 0.1}, corruption=PARTIAL)
    with pytest.raises(UserError, match=r"'label_noise=0\.3' is there twice"):
        names(config)


def long_spelling(value: object, digits: int | None) -> str:
    return json.dumps(value)


def test_a_workdir_of_long_names_goes_on_under_them(
    tmp_path: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A version before this one wrote every digit of a number into the name of a run."""
    small: dict[str, object] = {
        "data_dir": str(data_dir), "model": "mlp", "hidden_sizes": (3,), "train_examples": 40,
        "batch_size": 20, "epochs": 1, "corruption": PARTIAL,
    }  # fmt: skip
    levels = [{"label_noise": i * 0.1} for i in (1, 3)]
    with monkeypatch.context() as before:
        before.setattr(member, "_spelt", long_spelling)
        summary = experiment.run(swept(*levels, **small), tmp_path, report=False)
    long = [one["name"] for one in summary["members"]]
    assert long == ["label_noise=0.1", "label_noise=0.30000000000000004"]
    lines = (tmp_path / "metrics.jsonl").read_text()

    again = swept(*levels, {"label_noise": 6 * 0.1}, **small)
    summary = experiment.run(again, tmp_path, report=False)
    assert [one["name"] for one in summary["members"]] == [*long, "label_noise=0.6"]
    # What was there is not trained again.
    now = (tmp_path / "metrics.jsonl").read_text()
    assert now.startswith(lines) and now.count("\n") == lines.count("\n") + 1
    assert [run.name for run in trained.load(tmp_path)] == [*long, "label_noise=0.6"]


def begun(*known: str) -> Callable[[], set[str]]:
    return lambda: set(known)


def test_runs_of_theory_go_on_under_long_names() -> None:
    config = theory_config("stability", sweep=configs.runs([{"learning_rate": 3 * 0.1}]))
    runs = experiment.members(config)
    long = f"learning_rate={3 * 0.1}"
    found = configs.named_as_begun(config, runs, begun(f"{long},seed=0,twin=0"))
    assert [one.name for one in found] == [long]
    found = configs.named_as_begun(config, runs, begun("learning_rate=0.3,seed=0,twin=0"))
    assert [one.name for one in found] == ["learning_rate=0.3"]
