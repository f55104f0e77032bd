"""What a key of a config takes: the same through every door."""

import copy
import enum
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
from absl import flags
from hypothesis import given
from hypothesis import strategies as st
from ml_collections import ConfigDict, FrozenConfigDict, config_dict

import rethinking_jax as rj
from rethinking_jax import config as configs
from rethinking_jax import main
from rethinking_jax.config import product, runs, sweep
from rethinking_jax.config.value import plain
from rethinking_jax.errors import UserError
from rethinking_jax.theory.settings import theory_config


class Named(str, enum.Enum):  # noqa: UP042
    RAW = "raw"


SPACE = {"np": np, "jnp": jnp, "Path": Path, "Named": Named}
# What is given, as Python has it, and what the key then holds.
TAKEN = {
    "epochs": (3, ["3", "np.int64(3)", "np.uint8(3)", "np.arange(4)[3]", "np.array(3)",
                   "jnp.int32(3)"]),
    "learning_rate": (0.1, ["0.1", "np.float64(0.1)", "np.float32(0.1)", "np.float16(0.1)",
                            "np.array(0.1, np.float32)", "jnp.float32(0.1)",
                            "np.linspace(0, 0.1, 3, dtype=np.float32)[-1]"]),
    "momentum": (0.0, ["0", "0.0", "np.int64(0)", "jnp.zeros(())"]),
    "stop_when_fitted": (False, ["False", "np.bool_(False)", "jnp.array(False)"]),
    "preprocess": ("raw", ["'raw'", "np.str_('raw')", "Path('raw')", "Named.RAW"]),
    "hidden_sizes": ((4, 5), ["(4, 5)", "[4, 5]", "range(4, 6)", "np.array([4, 5])",
                              "jnp.array([4, 5])", "(np.int64(4), 5)"]),
}  # fmt: skip
REFUSED = {
    "epochs": ["True", "np.bool_(True)", "3.0", "np.float64(3)", "1.5", "'3'", "None", "[3]",
               "np.array([3])", "int"],
    "learning_rate": ["True", "'0.1'", "None", "1j", "10**400", "[0.1]"],
    "stop_when_fitted": ["0", "1.0", "'false'", "None", "np.int64(1)"],
    "preprocess": ["3", "b'raw'", "None", "['raw']", "True"],
    "hidden_sizes": ["(4.0, 5)", "('4',)", "(True,)", "4", "np.array([[4]])", "None", "{4}",
                     "'4'", "(4, None)"],
}  # fmt: skip


def by_attribute(key: str, value: object) -> ConfigDict:
    config = rj.base_config()
    setattr(config, key, value)
    return config


def by_item(key: str, value: object) -> ConfigDict:
    config = rj.base_config()
    config[key] = value
    return config


def by_update(key: str, value: object) -> ConfigDict:
    config = rj.base_config()
    config.update({key: value})
    return config


def by_a_dict(key: str, value: object) -> ConfigDict:
    return configs.resolved({key: value}, theory_config)


def by_a_config_of_ones_own(key: str, value: object) -> ConfigDict:
    return configs.resolved(ConfigDict({key: value}, convert_dict=False), theory_config)


def by_a_sweep(key: str, value: object) -> ConfigDict:
    config = rj.base_config()
    config.model, config.hidden_sizes = "mlp", (3,)
    config.sweep = runs(sweep(key, [value]))
    return configs.members(config)[0].config


DOORS = (by_attribute, by_item, by_update, by_a_dict, by_a_config_of_ones_own, by_a_sweep)
Door = Callable[[str, object], ConfigDict]


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("key", TAKEN)
def test_a_value_is_taken_for_what_it_means(key: str, door: Door) -> None:
    expected, given = TAKEN[key]
    for text in given:
        held = door(key, eval(text, SPACE))[key]
        assert repr(held) == repr(expected), text  # of Python's own types, inside a tuple too


@pytest.mark.parametrize("door", DOORS)
@pytest.mark.parametrize("key", REFUSED)
def test_a_value_of_another_type_is_refused(key: str, door: Door) -> None:
    for text in REFUSED[key]:
        with pytest.raises(UserError, match=rf"{key}.* must be|must be a number"):
            door(key, eval(text, SPACE))


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--config.epochs=3"], 3),
        (["-config.epochs=3"], 3),
        (["--config.epochs", "3"], 3),
        (["--config.epochs=2", "--config.epochs=3"], 3),  # as in any shell the last one counts
        (["--config.learning_rate=1"], 1.0),
        (["--config.learning_rate=1e-1"], 0.1),
        (["--noconfig.stop_when_fitted"], False),
        (["--config.stop_when_fitted=false"], False),
        (["--config.hidden_sizes=4,5"], (4, 5)),
        (["--config.hidden_sizes=(4,5)"], (4, 5)),
        (["--config.hidden_sizes=[4, 5]"], (4, 5)),
        (["--config.hidden_sizes=4", "--config.hidden_sizes=5"], (4, 5)),
        (["--config.hidden_sizes=4"], (4,)),
        (["--config.epochs="], "--config.epochs= must be of type int"),
        (["--config.epochs"], "Missing value for flag --config.epochs"),
        (["--config.epochs=3.0"], "--config.epochs=3.0 must be of type int"),
        (["--config.epochs=1e3"], "--config.epochs=1e3 must be of type int"),
        (["--config.epochs=True"], "--config.epochs=True must be of type int"),
        (["--config.epochs=None"], "--config.epochs=None must be of type int"),
        (["--noconfig.epochs"], "'noconfig.epochs'. Did you mean: config.epochs"),
        (["--config.epochs.x=3"], "--config.epochs.x is not a config key: did you mean 'epochs'"),
        (["--config.hidden_sizes[0]=3"], "did you mean 'hidden_sizes'"),
        (["--config.=3"], "--config. is not a config key"),
        (["--config.learning_rate=True"], "--config.learning_rate=True must be of type float"),
        (["--config.label_noise=None"], "--config.label_noise=None must be of type float"),
        (["--config.stop_when_fitted=maybe"], "must be of type bool"),
        (["--config.hidden_sizes=4.0"], "hidden_sizes=(4.0,) must be a list of whole numbers"),
        (["--config.hidden_sizes="], "hidden_sizes=('',) must be a list of whole numbers"),
        (["--config.hidden_sizes=4x5"], "hidden_sizes=('4x5',) must be a list of whole numbers"),
        (["--config.hidden_sizes=4 5"], "hidden_sizes=4 5 must be a list of whole numbers"),
        (["--config.hidden_sizes=(4,True)"], "must be a list of whole numbers"),
        (["--config=kernel", "--config.kind=min_norm"], "is of kind kernel"),
        (["--flagfile=no/such"], "Unable to open flagfile"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_the_command_line_takes_the_same(
    words: list[str], expected: object, capsys: pytest.CaptureFixture[str]
) -> None:
    values = flags.FlagValues()
    if not isinstance(expected, str):
        assert main.parse_flags(["main", *words], values) == ["main"]
        held = values.config[words[0].partition("config.")[2].partition("=")[0]]
        assert (held, type(held)) == (expected, type(expected))
        return
    with pytest.raises(SystemExit) as end:
        main.parse_flags(["main", *words], values)
    assert end.value.code == 2
    err = capsys.readouterr().err
    assert expected in err and err.count("\n") == 1


def test_a_file_of_flags_is_read_as_the_command_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "flags"
    given.write_text("--config=figure1:b\n--config.epochs=3\n")
    values = flags.FlagValues()
    main.parse_flags(["main", f"--flagfile={given}"], values)
    assert (values.config.experiment, values.config.epochs) == ("figure1b", 3)
    given.write_text("--config.epohs=3\n")
    with pytest.raises(SystemExit):
        main.parse_flags(["main", f"--flagfile={given}"], flags.FlagValues())
    assert "did you mean 'epochs'" in capsys.readouterr().err


def mistyped(config: Any) -> object:
    config.corupption = "random_labels"
    return config


def mistyped_item(config: Any) -> object:
    config["corupption"] = "random_labels"
    return config


def mistyped_update(config: Any) -> object:
    config.update(corupption="random_labels")
    return config


def mistyped_unlocked(config: Any) -> object:
    with config.unlocked():
        config.corupption = "random_labels"
    return config


def mistyped_in_an_unlocked_config(config: Any) -> object:
    config.unlock()
    config["corupption"] = "random_labels"
    return config


def mistyped_in_a_dict(config: Any) -> object:
    return config.to_dict() | {"corupption": "random_labels"}


def mistyped_in_a_config_of_ones_own(config: Any) -> object:
    return ConfigDict(mistyped_in_a_dict(config))


def mistyped_in_a_frozen_config(config: Any) -> object:
    return FrozenConfigDict(mistyped_in_a_dict(config))


MISTYPED = (mistyped, mistyped_item, mistyped_update, mistyped_unlocked, mistyped_in_a_dict,
            mistyped_in_an_unlocked_config, mistyped_in_a_config_of_ones_own,
            mistyped_in_a_frozen_config)  # fmt: skip


@pytest.mark.parametrize("mistake", MISTYPED)
@pytest.mark.parametrize("made", [rj.base_config, lambda: theory_config("kernel")])
def test_a_mistyped_key_never_trains_on_true_labels(
    mistake: Callable[[Any], object], made: Callable[[], ConfigDict], tmp_path: Path
) -> None:
    with pytest.raises(UserError, match=r"config\.corupption .*did you mean 'corruption'"):
        rj.run(mistake(made()), tmp_path / "run")  # type: ignore[arg-type]
    assert not (tmp_path / "run").exists()


def test_a_mistyped_key_that_is_read_is_named() -> None:
    with pytest.raises(AttributeError, match=r"config\.sed is not a config key.*'seed'"):
        _ = rj.base_config().sed


@pytest.mark.parametrize("given", [None, "quickstart", [{"seed": 1}], rj.base_config, 3])
def test_what_is_no_config_is_refused(given: Any, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"must be base_config\(\) with changes, or a dict of keys"):
        rj.run(given, tmp_path / "run")


def test_theory_refuses_kinds_and_keys_that_it_does_not_have() -> None:
    with pytest.raises(UserError, match=r"config\.kind='kernl' .*did you mean 'kernel'"):
        theory_config("kernl")
    with pytest.raises(UserError, match=r"config\.rigde .*did you mean 'ridge'"):
        theory_config("kernel", rigde=1.0)
    config = configs.resolved({"kind": "kernel", "ridge": np.float32(0.1)}, theory_config)
    assert config == theory_config("kernel", ridge=0.1)


def test_a_sweep_takes_numpy_and_a_list_of_runs() -> None:
    config = rj.base_config()
    config.corruption = "partially_corrupted_labels"
    levels = np.linspace(0, 1, 11, dtype=np.float32)
    config.sweep = product(sweep("seed", np.arange(2)), sweep("label_noise", jnp.asarray(levels)))
    written = rj.base_config()
    written.corruption = "partially_corrupted_labels"
    tenths = [round(i / 10, 1) for i in range(11)]
    written.sweep = runs(product(sweep("seed", [0, 1]), sweep("label_noise", tenths)))
    assert config.sweep == written.sweep
    names = [member.name for member in configs.members(config)]
    assert names[:2] == ["seed=0,label_noise=0.0", "seed=0,label_noise=0.1"]
    assert runs(one for one in sweep("seed", range(2))) == '[{"seed": 0}, {"seed": 1}]'
    with pytest.raises(UserError, match=r"config\.sweep: \{1\} must be a number"):
        runs([{"seed": {1}}])


@given(st.floats(width=32, allow_nan=False), st.integers(-(2**63), 2**63 - 1), st.booleans())
def test_plain_values_are_those_that_were_given(number: float, whole: int, truth: bool) -> None:
    short = plain(np.float32(number))
    assert type(short) is float and np.float32(short) == np.float32(number)
    assert repr(short) == repr(float(str(np.float32(number))))
    assert plain(np.float64(number)) == number
    assert (plain(np.int64(whole)), type(plain(np.int64(whole)))) == (whole, int)
    assert plain(np.bool_(truth)) is truth
    assert plain({"a": [np.int64(whole), (truth,)]}) == {"a": [whole, (truth,)]}


def test_a_config_still_does_what_ml_collections_says() -> None:
    config = rj.base_config()
    config.seed, config.label_noise = 3, 0.5
    for same in (pickle.loads(pickle.dumps(config)), copy.deepcopy(config)):
        assert same == config and same.is_locked and type(same) is type(config)
        with pytest.raises(UserError):
            same.epohs = 3
    config.label_noise = None  # it was made without a value
    free = config.copy_and_resolve_references()
    assert configs.to_json(free) == configs.to_json(config) and free.is_locked
    assert configs.to_json(configs.from_json(configs.to_json(config))) == configs.to_json(config)
    with pytest.raises(UserError, match="label_noise='x' must be of type float"):
        free.label_noise = "x"
    assert "label_noise: null" in str(config)


def test_a_value_may_follow_another_one_to_the_end(tmp_path: Path) -> None:
    config, bare = rj.base_config(), ConfigDict({"batch_size": 3})
    config.eval_batch_size = config.get_ref("batch_size")
    bare.eval_batch_size = bare.get_ref("batch_size")
    for made in (config, bare):
        own = configs.taken(made, theory_config)
        own.batch_size = np.int64(70)
        assert configs.resolved(own, theory_config).eval_batch_size == 70
    config.batch_size = config.get_ref("epochs") / 3
    with pytest.raises(UserError, match=r"batch_size=33\.3.* must be of type int"):
        rj.run(config, tmp_path / "run")
    for without in (
        config_dict.placeholder(int),
        config_dict.required_placeholder(int),
        config.get_ref("epochs") // config.get_ref("seed"),  # which is 0
    ):
        config.batch_size = without
        with pytest.raises(UserError, match="batch_size"):
            rj.run(config, tmp_path / "run")
    config.batch_size = 30
    assert configs.resolved(config, theory_config).eval_batch_size == 30
    with pytest.raises(UserError, match="must be of type int"):
        config.epochs = config.get_ref("learning_rate")


def test_the_argument_of_a_config_is_as_strict() -> None:
    for argument in ("seeds=true", "seeds=null", "seeds=1.0", "seeds=1e3", "seeds=", "on=1",
                     "rate=true"):  # fmt: skip
        with pytest.raises(UserError, match="must be of type"):
            configs.parse_argument(argument, seeds=1, rate=0.5, on=False)
