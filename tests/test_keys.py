"""The table of keys, and all that follows from it.

python tests/test_keys.py    writes docs/keys.md anew
"""

import json
import math
import re
from pathlib import Path

import pytest
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.config import GROUPS, KEYS, Key
from rethinking_jax.config.docs import keys_help, keys_page
from rethinking_jax.config.key import check_keys
from rethinking_jax.errors import UserError
from rethinking_jax.models import MODELS
from rethinking_jax.theory.kinds import KINDS
from rethinking_jax.theory.settings import keys_of, theory_config

PAGE = Path(__file__).parents[1] / "docs" / "keys.md"
RESOURCES = {
    "vectorize": "loop",
    "max_members": 3,
    "data_devices": 1,
    "epoch_loop": "step",
    "checkpoint_every": 7,
    "checkpoint_every_steps": 11,
    "checkpoints_to_keep": 5,
    "data_dir": "/data",
    "language": "es",
}


def page() -> str:
    return keys_page({name: (kind.keys, theory_config(name)) for name, kind in KINDS.items()})


def quickstart() -> ConfigDict:
    config = configs.base_config()
    config.experiment = "quickstart"
    config.lr_decay_steps, config.epochs, config.checkpoint_every = 390, 150, 10
    settings = ("true_labels", "partially_corrupted_labels", "random_labels", "shuffled_pixels",
                "random_pixels", "gaussian")  # fmt: skip
    config.sweep = configs.runs(configs.sweep("corruption", settings))
    return config


def test_the_page_of_keys_is_the_table_s() -> None:
    assert PAGE.read_text() == page(), "python tests/test_keys.py writes docs/keys.md anew"


def test_what_would_be_right_names_the_largest_number() -> None:
    for keys in (KEYS.values(), *(kind.keys for kind in KINDS.values())):
        for key in keys:
            if key.range and math.isfinite(key.range.most):
                named = map(float, re.findall(r"\d[\d.e]*", key.range.wanted))
                assert max(named) == pytest.approx(key.range.most), key.name


def test_every_key_is_told_in_help_and_page() -> None:
    assert sum(map(len, GROUPS.values())) == len(KEYS) == len(configs.base_config())
    for name, key in KEYS.items():
        assert f"\n  {name}=" in keys_help()
        assert f"\n| `{name}` |" in page()
        assert key.doc[0].isupper() and key.doc.endswith(".")
    assert max(map(len, keys_help().splitlines())) <= 100


def test_every_default_is_allowed() -> None:
    config = configs.base_config()
    check_keys(config, KEYS)  # raises what it refuses
    for name, key in KEYS.items():
        assert not key.choices or config[name] in key.choices


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_the_ends_of_a_range_are_allowed_and_what_is_outside_is_not(key: Key) -> None:
    config = configs.base_config()
    if key.range is None:
        return
    kind = config.get_type(key.name)
    config[key.name] = kind(key.range.least)
    check_keys(config, KEYS)
    config[key.name] = kind(key.range.least - 1)
    with pytest.raises(UserError, match=re.escape(f"must be {key.range.wanted}")):
        check_keys(config, KEYS)


def test_what_is_registered_at_run_time_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    config = configs.base_config()
    config.model = "mine"
    with pytest.raises(UserError, match="model='mine' is not known"):
        configs.members(config)
    monkeypatch.setitem(MODELS, "mine", MODELS["mlp_1x512"])
    assert configs.members(config)[0].config.model == "mine"


@pytest.mark.parametrize("key", KEYS.values(), ids=lambda key: key.name)
def test_a_sweep_sets_what_is_one_run_s_own(key: Key) -> None:
    config = configs.base_config()
    value = key.default(0.5) if isinstance(key.default, type) else key.default
    config.corruption = "partially_corrupted_labels"
    if key.name == "loss_strength":  # it needs a loss that has one
        config.loss = "soft_bootstrap"
    config.sweep = configs.runs([{"name": "a", key.name: value}])
    if key.scope in ("array", "static", "pace"):
        assert len(configs.members(config)) == 1
        return
    with pytest.raises(UserError, match="whole command"):
        configs.members(config)


def test_resources_do_not_name_a_run() -> None:
    for config in (configs.base_config(), quickstart()):
        named = configs.digest(config)
        for key, value in RESOURCES.items():
            config[key] = value
        assert configs.digest(config) == named
        config.epochs += 1
        assert configs.digest(config) != named


def test_a_language_names_no_experiment() -> None:
    for kind in KINDS:
        english, spanish = (theory_config(kind, language=code) for code in ("en", "es"))
        assert configs.digest(english, keys_of(english)) == configs.digest(
            spanish, keys_of(spanish)
        )


def test_resources_in_a_sweep_name_a_run_that_has_no_other_name() -> None:
    def digest(**override: object) -> str:
        config = configs.base_config()
        config.sweep = configs.runs([override])
        return configs.digest(config)

    assert digest(name="a", checkpoint_every=1) == digest(name="a", checkpoint_every=2)
    assert digest(name="a", seed=1) != digest(name="a", seed=2)
    assert digest(checkpoint_every=1) != digest(checkpoint_every=2)


def test_a_default_workdir_of_the_first_version_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    config = quickstart()
    named = configs.default_workdir(config)
    assert named == f"runs/quickstart-{configs.digest(config)}"
    former = tmp_path / "runs" / "quickstart-4eaeb60e"  # by the first version, of this very config
    former.mkdir(parents=True)
    assert configs.default_workdir(config) == "runs/quickstart-4eaeb60e"
    (tmp_path / named).mkdir()
    assert configs.default_workdir(config) == named


def test_members_of_one_program_differ_in_arrays_alone() -> None:
    config = configs.base_config()
    static = configs.static_part(config)
    assert json.loads(json.dumps(static)) == static
    assert set(static) == {name for name, key in KEYS.items() if key.scope in ("static", "pace")}


if __name__ == "__main__":
    PAGE.write_text(page())
