"""A fuzz of config files, sweeps and typed keys: the runs are those that are written, or one line.

Whatever is drawn goes through the command in this process, as far as the data. What each key may be
is said here a second time, in the plainest way.
"""

import contextlib
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from helpers import fuzz
from hypothesis import strategies as st
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax import main

pytestmark = pytest.mark.filterwarnings("error")


class Spec(NamedTuple):
    """What a key may be: its type, a check of the value, and examples of both kinds."""

    kind: type
    is_right: Callable[[Any], bool]
    right: tuple[Any, ...]
    wrong: tuple[Any, ...] = ()


def between(low: float, high: float) -> Callable[[Any], bool]:
    return lambda value: low <= value <= high


def share(value: float) -> bool:
    return 0 <= value < 1


def above_0(value: float) -> bool:
    return 0 < value < 3.4028235e38  # the largest float32


CORRUPTIONS = (
    "true_labels", "random_labels", "partially_corrupted_labels", "shuffled_pixels", "gaussian",
    "random_pixels",
)  # fmt: skip
ODD = (None, "x", "", True, 1.5, [1], {}, -1, 0, 10**400, "1", float("nan"), float("inf"))
SPECS = {
    "seed": Spec(int, between(0, 2**31 - 1), (0, 1, 7, 2**31 - 1), (2**31, 1.0)),
    "epochs": Spec(int, between(1, 2**31 - 1), (1, 3), (2**31,)),
    "batch_size": Spec(int, between(0, 2**31 - 1), (0, 10, 64)),
    "learning_rate": Spec(float, above_0, (0.1, 1, 0.05, 1e-3), (1e39,)),
    "momentum": Spec(float, share, (0.0, 0.5, 0), (1.0, 1)),
    "dropout_rate": Spec(float, share, (0.0, 0.25), (1.0, -0.1)),
    "weight_decay": Spec(float, between(0, 1e9), (0.0, 1e-4, 1), (-1e-4,)),
    "weight_decay_kind": Spec(str, ("coupled", "decoupled").__contains__, ("coupled", "decoupled")),
    "label_smoothing": Spec(float, share, (0.0, 0.1), (1.0,)),
    "corruption": Spec(str, CORRUPTIONS.__contains__, CORRUPTIONS, ("random_label", "gauss")),
    "label_noise": Spec(
        float, lambda value: value is None or 0 <= value <= 1, (0.0, 0.3, 1, 0.5), (1.01, "0.3")
    ),
    "exclude_true_class": Spec(bool, lambda value: True, (True, False), (1, 0)),
    "train_examples": Spec(int, between(0, 2**31 - 1), (0, 60), (60.0,)),
    "data_seed": Spec(int, between(0, 2**31 - 1), (0, 5)),
    "stop_when_fitted": Spec(bool, lambda value: True, (True, False), ("yes", 1)),
    "optimizer": Spec(str, ("sgd", "adam", "rmsprop").__contains__, ("sgd", "adam"), ("SGD",)),
    "hidden_sizes": Spec(
        tuple,
        lambda value: len(value) > 0 and all(0 < one < 2**31 for one in value),
        ([8], [16, 4]),
        ([], [0], [8.0], [True], "8,8", ["8"]),
    ),
}
OF_THE_COMMAND = {"max_members": 2, "experiment": "mine", "data_dir": "x", "vectorize": "loop"}
UNKNOWN = ("corupption", "lr", "Seed", "epoch", "learning rate", "label_noise ", "kind", "")
WRONG = object()


def meaning(key: str, value: Any) -> Any:
    """What a run is where a key is given a value; WRONG where it must be refused."""
    value = held(key, value)
    return value if value is not WRONG and SPECS[key].is_right(value) else WRONG


def held(key: str, value: Any) -> Any:
    """What a config holds where a key is given a value; WRONG where it is of another type."""
    if key not in SPECS:
        return WRONG
    if value is None:
        return None if key == "label_noise" else WRONG
    kind = SPECS[key].kind
    taken = {int: (int,), float: (int, float), tuple: (list, tuple)}.get(kind, (kind,))
    if not isinstance(value, taken) or (isinstance(value, bool) and kind is not bool):
        return WRONG
    if kind is tuple and any(type(one) is not int for one in value):
        return WRONG
    try:
        return kind(value)
    except OverflowError:
        return WRONG


def noise(run: dict[str, Any]) -> float:
    """The probability with which a run changes a label."""
    given = run["label_noise"]
    usual = {"random_labels": 1.0, "partially_corrupted_labels": 0.5}.get(run["corruption"], 0.0)
    is_partial = run["corruption"] == "partially_corrupted_labels"
    return given if is_partial and given is not None else usual


def idle(run: dict[str, Any]) -> set[str]:
    """The keys of a run that have another value than their default, and no effect."""
    found = set()
    if run["label_noise"] is not None and noise(run) != run["label_noise"]:
        found.add("label_noise")
    if run["exclude_true_class"] and not noise(run):
        found.add("exclude_true_class")
    if run["weight_decay_kind"] != "coupled" and not run["weight_decay"]:
        found.add("weight_decay_kind")
    if run["data_seed"] and not run["train_examples"]:
        found.add("data_seed")
    return found


def done(run: dict[str, Any]) -> str:
    """What a run does, however it is written."""
    p, plain = noise(run), dict(run)
    images = run["corruption"] in ("shuffled_pixels", "random_pixels", "gaussian")
    plain["corruption"] = run["corruption"] if images else "labels"
    plain["label_noise"] = float(p)
    unused = {"exclude_true_class": not p, "weight_decay_kind": not run["weight_decay"]}
    unused["data_seed"] = not run["train_examples"]
    for key, is_unused in unused.items():
        if is_unused:
            del plain[key]
    return repr(sorted(plain.items()))


DEFAULTS = {key: configs.KEYS[key].unset for key in SPECS}
START = {"model": "mlp", "hidden_sizes": [8]}


def named(override: dict[str, Any]) -> str:
    """The name of a run of a sweep."""
    if "name" in override:
        return str(override["name"])

    def spelt(value: Any) -> str:
        return json.dumps(float(f"{value:.12g}") if isinstance(value, float) else value)

    return ",".join(
        str(value) if key == "corruption" else f"{key}={spelt(value)}"
        for key, value in override.items()
    )


def runs_of(base: dict[str, Any], sweep: str) -> list[dict[str, Any]] | None:
    """The runs of a config; None where it must be refused."""
    start = {key: meaning(key, value) for key, value in {**START, **base}.items() if key != "model"}
    if WRONG in start.values():
        return None
    start = {**DEFAULTS, **start}
    overrides = parsed(sweep) if sweep else [{}]
    if overrides is None:
        return None
    made = []
    for override in overrides:
        own = {key: meaning(key, value) for key, value in override.items() if key != "name"}
        if WRONG in own.values():
            return None
        made.append({**start, **own})
    names = [named(override) for override in overrides]
    if any(name.strip() != name or not name.isprintable() for name in names if sweep):
        return None
    if len(set(names)) < len(names) or len(set(map(done, made))) < len(made):
        return None
    for key in SPECS:
        vain = [key in idle(run) for run in made]
        used = [not is_vain for is_vain in vain]
        if any(vain) and not any(
            u and can_use(run, key) for u, run in zip(used, made, strict=True)
        ):
            return None  # no run uses it
        if any(
            v and key in own and (key == "label_noise" or misleads(key, own))
            for v, own in zip(vain, overrides, strict=True)
        ):
            return None
    return made


def can_use(run: dict[str, Any], key: str) -> bool:
    """Says whether a run uses a key, whatever its value."""
    other = {"label_noise": 0.0 if noise(run) else 1.0, "exclude_true_class": True}
    other |= {"weight_decay_kind": "decoupled", "data_seed": 1}
    if key == "label_noise":
        return run["corruption"] == "partially_corrupted_labels" or noise(run) == run[key]
    return key not in other or key not in idle({**run, key: other[key]})


def misleads(key: str, own: dict[str, Any]) -> bool:
    """Says whether the name of a run claims what it does not do."""
    others = {
        "exclude_true_class": ("corruption", "label_noise"),
        "weight_decay_kind": ("weight_decay",),
        "data_seed": ("train_examples", "validation_examples"),
    }
    return not ("name" in own or any(other in own for other in others[key]))


def parsed(text: str) -> list[dict[str, Any]] | None:
    """The overrides of a sweep; None where the text is none."""

    class Twice(Exception):
        pass

    def run(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len(dict(pairs)) < len(pairs):
            raise Twice
        return dict(pairs)

    def constant(name: str) -> Any:
        raise ValueError(name)

    try:
        found = json.loads(text, object_pairs_hook=run, parse_constant=constant)
    except (ValueError, Twice, RecursionError):
        return None
    if not isinstance(found, list) or not found:
        return None
    for each in found:
        if not isinstance(each, dict) or not isinstance(each.get("name", "a"), str):
            return None
        if each.get("name") == "":
            return None
    return found


# What is drawn -------------------------------------------------------------------------


@st.composite
def settings_of(draw: st.DrawFn, most: int, wrong: bool) -> dict[str, Any]:
    """Some keys with values, one of which is wrong where asked for."""
    keys = draw(st.lists(st.sampled_from(sorted(SPECS)), max_size=most, unique=True))
    found = {key: draw(st.sampled_from(SPECS[key].right)) for key in keys}
    # Likely together, and each alone a mistake.
    if "label_noise" in found and draw(st.integers(0, 3)):
        found["corruption"] = "partially_corrupted_labels"
    if found.get("weight_decay_kind") == "decoupled" and draw(st.integers(0, 3)):
        found["weight_decay"] = 1e-4
    if found.get("data_seed") and draw(st.integers(0, 3)):
        found["train_examples"] = 60
    if wrong:
        key = draw(st.sampled_from([*SPECS, *UNKNOWN]))
        spec = SPECS.get(key, SPECS["seed"])
        found[key] = draw(st.sampled_from([*spec.wrong, *ODD]))
    return found


@st.composite
def sweeps(draw: st.DrawFn) -> str:
    """The text of a sweep, sometimes with a mistake in it."""
    mistake = draw(st.sampled_from(["", "", "", "value", "text", "text", "name", "command"]))
    runs = [
        draw(settings_of(3, mistake == "value" and place == 0))
        for place in range(draw(st.integers(1, 3)))
    ]
    for place, run in enumerate(runs):
        if draw(st.integers(0, 2)) == 0:
            names = ["", " a", "a\n", "\x1b[1m", 3, None, "a", "[b]"] if mistake == "name" else []
            run["name"] = draw(st.sampled_from([*names, f"run {place}", f"é{place}", "same"]))
        if mistake == "command":
            key = draw(st.sampled_from(sorted(OF_THE_COMMAND)))
            run[key] = OF_THE_COMMAND[key]
    text = json.dumps(runs, ensure_ascii=draw(st.booleans()))
    if mistake == "text":
        place = draw(st.integers(0, len(text)))
        cut = draw(st.integers(0, 2))
        text = text[:place] + draw(st.sampled_from(["", *'{}[],:"0-e. n\\'])) + text[place + cut :]
    return text


class Case(NamedTuple):
    """A config file, what is typed beside it, and what both mean."""

    source: str
    typed: tuple[str, ...]
    base: dict[str, Any] | None  # None: the file must be refused
    sweep: str


@st.composite
def assignments(draw: st.DrawFn, key: str, value: Any) -> str:
    """One way of setting a key in Python."""
    ways = [f"c[{key!r}] = {spelt(value)}", f"c.update({{{key!r}: {spelt(value)}}})"]
    if key.isidentifier():
        ways.append(f"c.{key} = {spelt(value)}")
        if type(value) is int and abs(value) < 2**63:
            ways += [f"c.{key} = np.int64({value})", f"c.{key} = np.array({value})"]
        if type(value) is float:
            ways += [
                f"c.{key} = np.float32({spelt(value)})",
                f"c.{key} = np.float64({spelt(value)})",
            ]
        if type(value) is bool:
            ways.append(f"c.{key} = np.bool_({value})")
    return draw(st.sampled_from(ways))


def spelt(value: Any) -> str:
    return f'float("{value}")' if isinstance(value, float) else repr(value)


BAD_SOURCES = (
    "def get_config(:\n    pass\n",
    "c = 1\n",
    "get_config = 3\n",
    "def get_config():\n    pass\n",
    "def get_config():\n    return 3\n",
    "def get_config():\n    return []\n",
    "def get_config(x):\n    return {}\n",
    "def get_config():\n    import sys; sys.exit()\n",
    "def get_config():\n    raise SystemExit('no\\nway')\n",
    "def get_config():\n    return undefined\n",
    "def get_config():\n    raise Exception\n",
    "def get_config():\n    raise ValueError('a\\nb')\n",
    "import no_such_module\n",
    "def get_config():\n    return {1: 2}\n",
    "def get_config():\n    return {'seed': {'a': 1}}\n",
    "class get_config:\n    pass\n",
    "def get_config():\n  return get_config()\n",
    "\0",
    "def get_config():\n\treturn {}\n        return {}\n",
    "é = '\\ud800'\ndef get_config():\n    raise ValueError(é)\n",
)  # fmt: skip


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """A config file with settings or a sweep, and what is typed beside it."""
    if not draw(st.integers(0, 7)):
        return Case(draw(st.sampled_from(BAD_SOURCES)), (), None, "")
    wrong = draw(st.sampled_from(["", "", "", "file", "typed"]))
    inside = draw(settings_of(4, wrong == "file"))
    typed = draw(settings_of(2, wrong == "typed")) if draw(st.booleans()) else {}
    sweep = draw(st.one_of(st.just(""), sweeps()))
    where = draw(st.sampled_from(["file", "typed"]))
    way = draw(st.sampled_from(["base", "base", "dict", "ConfigDict"]))
    if way == "base":
        lines = [draw(assignments(key, value)) for key, value in (START | inside).items()]
        lines = ["c = rj.base_config()", *lines]
    else:
        body = ", ".join(f"{key!r}: {spelt(value)}" for key, value in (START | inside).items())
        lines = [f"c = {'ConfigDict' if way == 'ConfigDict' else ''}({{{body}}})"]
    if sweep and where == "file":
        runs = parsed(sweep)
        as_list = runs is not None and way == "base" and draw(st.booleans())
        lines.append(f"c['sweep'] = {runs if as_list else sweep!r}")
    head = (
        "import numpy as np\nimport rethinking_jax as rj\nfrom ml_collections import ConfigDict\n"
    )
    source = f"{head}def get_config():\n    " + "\n    ".join([*lines, "return c"]) + "\n"
    words = [f"--config.{key}={as_typed(value)}" for key, value in typed.items()]
    words += [f"--config.sweep={sweep}"] if sweep and where == "typed" else []
    if any(held(key, value) is WRONG for key, value in inside.items()):
        return Case(source, tuple(words), None, sweep)
    return Case(
        source, tuple(words), {**inside, **{k: read(k, v) for k, v in typed.items()}}, sweep
    )


def as_typed(value: Any) -> str:
    return str(tuple(value) if isinstance(value, list) else value)


def read(key: str, value: Any) -> Any:
    """What a typed text means; as the value itself where it is right, else as texts are read."""
    if key not in SPECS or (value is not None and meaning(key, value) is not WRONG):
        return value
    text, kind = as_typed(value), SPECS[key].kind
    if kind is str:
        return text
    if kind is bool:
        return {"true": True, "1": True, "false": False, "0": False}.get(text.lower(), WRONG)
    with contextlib.suppress(ValueError, OverflowError):
        if kind in (int, float):
            return kind(text)
    return UNSURE


UNSURE = object()  # ml_collections reads tuples in ways of its own


# The door ------------------------------------------------------------------------------


def outcome(case: Case, folder: Path, patch: pytest.MonkeyPatch) -> tuple[int, str, list[Any]]:
    """The exit code, what is on stderr, and the config of each run that would be trained."""
    found: list[ConfigDict] = []
    patch.setattr(main, "_run", lambda config, workdir, command, share: found.append(config))
    path = folder / "mine.py"
    path.write_text(case.source, errors="surrogatepass")
    err, out = io.StringIO(), io.StringIO()
    with contextlib.redirect_stderr(err), contextlib.redirect_stdout(out):
        code = main.main(["main", f"--config={path}", *case.typed])
    return code, err.getvalue(), [one.config for one in configs.members(found[0])] if found else []


def check(case: Case, folder: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        code, said, made = outcome(case, folder, patch)
    assert code in (0, 2), said
    if code:
        assert not made and said.startswith("rethinking_jax: ") and said.count("\n") == 1, said
    else:
        assert not said
    if case.base is None:
        assert code == 2
        return
    if any(value is UNSURE for value in case.base.values()):
        return
    wanted = runs_of(case.base, case.sweep)
    typed = {word.split("=")[0].removeprefix("--config.") for word in case.typed}
    overrides = parsed(case.sweep) if case.sweep else None
    if wanted is not None and overrides and typed & set.intersection(*map(set, overrides)):
        wanted = None  # what is typed has no effect on any run
    if wanted is None:
        assert code == 2, "it had to be refused"
        return
    assert code == 0, said
    assert len(made) == len(wanted)
    for config, run in zip(made, wanted, strict=True):
        given = {key: config[key] for key in SPECS}
        assert given == run
        assert [type(value) for value in given.values()] == [type(value) for value in run.values()]
        for key, known in configs.KEYS.items():
            if key not in SPECS and key not in ("sweep", "model"):
                assert config[key] == known.unset


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("configs")


@fuzz.few(cases(), 60)
def test_a_config_means_what_is_written(case: Case, folder: Path) -> None:
    check(case, folder)


@fuzz.many(cases(), 800)
def test_many_configs_mean_what_is_written(case: Case, folder: Path) -> None:
    check(case, folder)
