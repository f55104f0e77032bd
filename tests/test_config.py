import json
from pathlib import Path

import pytest
from helpers.config_files import CONFIGS, load
from hypothesis import given
from hypothesis import strategies as st

from rethinking_jax import config as configs
from rethinking_jax import experiment
from rethinking_jax.config import (
    members,
    parse_argument,
    product,
    runs,
    sweep,
    zipped,
)
from rethinking_jax.corruption import SETTINGS
from rethinking_jax.errors import UserError
from rethinking_jax.theory.kinds import KINDS


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_every_config_is_valid_and_named_after_its_file(path: Path) -> None:
    config = load(path)
    assert config.experiment.rstrip("abc") == path.stem.rstrip("abc")
    assert len(experiment.members(config)) >= 1
    # What is written to config.json is what was resolved.
    plain = configs.to_json(config)
    assert json.loads(json.dumps(plain)) == plain
    own = set(KINDS[config.kind].defaults()) if "kind" in config else set()
    shared = {*KINDS[config.kind].shared, "kind"} if own else set(configs.base_config())
    assert set(plain) == shared | own


def test_the_paper_s_set_up_is_the_default_of_the_cifar10_config() -> None:
    path = next(path for path in CONFIGS if path.stem == "cifar10_random")
    for model, rate in (("inception_small", 0.1), ("alexnet_small", 0.01), ("mlp_1x512", 0.01)):
        config = load(path, model)
        assert (config.learning_rate, config.momentum, config.lr_decay) == (rate, 0.9, 0.95)
        assert (config.lr_decay_steps, config.crop_size, config.preprocess) == (0, 28, "paper")
        assert (config.weight_decay, config.dropout_rate, config.batch_size) == (0, 0, 128)
        assert config.corruption == "random_labels"


values = st.lists(st.integers(), max_size=4)


@given(values, values)
def test_product_and_zip_are_those_of_lists(a: list[int], b: list[int]) -> None:
    made = product(sweep("seed", a), sweep("epochs", b))
    assert [(run["seed"], run["epochs"]) for run in made] == [(x, y) for x in a for y in b]
    n = min(len(a), len(b))
    made = zipped(sweep("seed", a[:n]), sweep("epochs", b[:n]))
    assert [(run["seed"], run["epochs"]) for run in made] == list(zip(a[:n], b[:n], strict=True))


def test_zip_of_different_lengths_is_an_error() -> None:
    with pytest.raises(ValueError, match="shorter"):
        zipped(sweep("seed", [1, 2]), sweep("epochs", [1]))


def test_members_resolve_to_base_plus_overrides() -> None:
    config = configs.base_config()
    config.epochs = 7
    config.sweep = runs(product(sweep("corruption", SETTINGS[:2]), sweep("learning_rate", [1, 2])))
    made = members(config)
    assert [member.name for member in made] == [
        "true_labels,learning_rate=1",
        "true_labels,learning_rate=2",
        "partially_corrupted_labels,learning_rate=1",
        "partially_corrupted_labels,learning_rate=2",
    ]
    assert [member.config.learning_rate for member in made] == [1.0, 2.0, 1.0, 2.0]
    assert {member.config.epochs for member in made} == {7}
    assert config.learning_rate == 0.01  # the config itself is left as it was


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        ([{"sed": 1}], ["'sed'", "did you mean 'seed'"]),
        ([{"seed": "one"}], ["seed='one'", "type int"]),
        ([{"seed": 1}, {"seed": 1}], ["'seed=1'", "twice"]),
        ([{"epochs": 0}], ["epochs=0", "at least 1"]),
        ([{"vectorize": "loop"}], ["'vectorize'", "whole command"]),
        ([], ["JSON list of runs"]),
    ],
)
def test_a_wrong_sweep_is_named(overrides: list[dict], words: list[str]) -> None:
    config = configs.base_config()
    config.sweep = runs(overrides)
    with pytest.raises(UserError) as caught:
        members(config)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("label_noise", -0.1),
        ("label_noise", 1.1),
        ("label_noise", float("nan")),
        ("batch_size", -1),
        ("epochs", 0),
        ("optimizer_epsilon", 0.1),  # of adam and rmsprop, not of sgd
        ("learning_rate", -0.1),
        ("learning_rate", 0.0),
        ("learning_rate", float("nan")),
        ("learning_rate", float("inf")),
        ("momentum", 1.0),
        ("weight_decay", -1e-4),
        ("dropout_rate", 1.0),
        ("lr_decay", 0.0),
        ("fit_threshold", 0.0),
        ("seed", -1),
        ("checkpoints_to_keep", 0),
        ("corruption", "rando_labels"),
        ("preprocess", "papr"),
        ("model", "mlp_1x51"),
        ("optimizer", "sdg"),
        ("last_batch", "drp"),
        ("weight_decay_mask", "kernel"),
        ("weight_decay_kind", "decouple"),
        ("mixup_alpha", -0.1),
        ("mixup_alpha", float("inf")),
        ("sam_radius", -0.05),
        ("vectorize", "pmap"),
        ("epoch_loop", "sca"),
        ("hidden_sizes", (5,)),
    ],
)
def test_a_wrong_value_is_named_with_its_key(key: str, value: object) -> None:
    config = configs.base_config()
    if key == "label_noise":
        config.corruption = "partially_corrupted_labels"
    config[key] = value
    with pytest.raises(UserError) as caught:
        members(config)
    assert key in str(caught.value)
    assert str(value) in str(caught.value)
    if isinstance(value, str):
        assert "did you mean" in str(caught.value)


def test_label_noise_that_would_do_nothing_is_refused() -> None:
    config = configs.base_config()
    config.corruption = "random_labels"
    config.label_noise = 0.3
    with pytest.raises(UserError, match="partially_corrupted_labels"):
        members(config)
    config.label_noise = 1.0
    assert members(config)[0].config.label_noise == 1.0
    config.label_noise = 0.3
    config.sweep = runs(sweep("corruption", SETTINGS))  # one of the six uses it
    assert len(members(config)) == 6


def test_argument_strings() -> None:
    parsed = parse_argument("gaussian,seeds=3,rate=1", "setting", setting="x", seeds=1, rate=0.5)
    assert (parsed.setting, parsed.seeds, parsed.rate) == ("gaussian", 3, 1.0)
    assert parse_argument("", "setting", setting="x").setting == "x"
    assert parse_argument("on=true", on=False).on is True
    for argument, word in (
        ("sedes=3", "did you mean 'seeds'"),
        ("seeds=x", "type int"),
        ("seeds=1.5", "type int"),
        ("seeds=1,gaussian", "gaussian"),
    ):
        with pytest.raises(UserError, match=word):
            parse_argument(argument, "setting", setting="x", seeds=1)


def test_the_digest_names_what_is_run_and_not_where() -> None:
    config = configs.base_config()
    base = configs.digest(config)
    for key, value in (("data_dir", "/data"), ("manual_dir", "/m"), ("tensorboard", True)):
        config[key] = value
        assert configs.digest(config) == base
    config.seed = 1
    assert configs.digest(config) != base


def test_figure_1_trains_every_model_level_and_seed() -> None:
    path = next(path for path in CONFIGS if path.stem == "figure1")
    made = members(
        load(path, "b,dataset=mnist5k,models=mlp_1x512+inception_small,seeds=2,levels=3")
    )
    assert len({member.name for member in made}) == len(made) == 12
    assert made[3].name == "p=0.5,mlp_1x512,seed=1"
    found = {(m.config.model, m.config.label_noise, m.config.seed) for m in made}
    assert found == {
        (model, p, seed)
        for model in ("mlp_1x512", "inception_small")
        for p in (0, 0.5, 1)
        for seed in (0, 1)
    }
    rates = {m.config.model: m.config.learning_rate for m in made}
    assert rates == {"mlp_1x512": 0.01, "inception_small": 0.1}
    assert all(m.config.corrupt_test_labels for m in made)
    settings = [m.name for m in members(load(path, "a"))]
    assert settings[0] == "true_labels"
    assert settings[-1] == "random_labels"


@pytest.mark.parametrize("argument", ["d", "b,seeds=0", "b,levels=1"])
def test_figure_1_refuses_what_it_does_not_have(argument: str) -> None:
    path = next(path for path in CONFIGS if path.stem == "figure1")
    with pytest.raises(UserError, match="the config's argument"):
        load(path, argument)
