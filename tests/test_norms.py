"""Measures of weights and margins: their definitions, and the columns that any run may ask for."""

import json
from functools import partial
from itertools import chain, product
from pathlib import Path
from typing import ClassVar

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command, read_metrics
from hypothesis import given, settings
from hypothesis import strategies as st

import rethinking_jax as rj
from rethinking_jax import config as configs
from rethinking_jax.analysis import results
from rethinking_jax.analysis.figures import figures
from rethinking_jax.analysis.norms import COLUMNS, norms_table
from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.data.load import load_dataset
from rethinking_jax.errors import UserError
from rethinking_jax.experiment import trained
from rethinking_jax.models import MODELS, create_model, having, takes_widths
from rethinking_jax.models.mlp import MLP
from rethinking_jax.step.norms import MEASURES, Network, columns, matrices, path_norm, spectral_norm
from rethinking_jax.sweep.build import make_model

pytestmark = pytest.mark.usefixtures("no_report")

ALL = "+".join(MEASURES)
SMALL = (
    "--config=configs/quickstart.py",
    "--config.model=mlp",
    "--config.hidden_sizes=(8, 6)",
    "--config.train_examples=60",
    "--config.batch_size=20",
    "--config.epochs=2",
    "--config.stop_when_fitted=False",
    f"--config.measures={ALL}",
    '--config.sweep=[{"seed": 3}, {"seed": 4, "corruption": "random_labels"}]',
)


def network(seed: int, widths: tuple[int, ...] = (3, 5, 4, 2)) -> tuple[MLP, dict]:
    """An MLP on inputs of [1, widths[0], 1] whose biases are not 0."""
    model = MLP(widths[-1], widths[1:-1])
    params = model.init(jax.random.key(seed), jnp.zeros((1, 1, widths[0], 1)), train=False)
    rng = np.random.default_rng(seed)
    return model, jax.tree.map(lambda x: rng.normal(size=x.shape), params["params"])


def measured(model: MLP, params: dict, start: dict, images: np.ndarray) -> dict[str, float]:
    logits = np.asarray(model.apply({"params": params}, images, train=False))
    path = float(path_norm(model, params, images.shape[1:]))
    margins = logits[:, 0] - logits[:, 1:].max(1)
    return columns(list(MEASURES), Network(matrices(params), matrices(start), path, margins))


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 2**31), st.integers(1, 90), st.integers(1, 90), st.integers(0, 90))
def test_spectral_norms_are_those_of_numpy(seed: int, rows: int, width: int, rank: int) -> None:
    rng = np.random.default_rng(seed)
    weight = rng.normal(size=(rows, rank)) @ rng.normal(size=(rank, width))
    wanted = np.linalg.svd(weight, compute_uv=False)[0]
    assert spectral_norm(weight) == pytest.approx(wanted, rel=1e-9)
    assert spectral_norm(weight) == spectral_norm(weight.copy())


@settings(max_examples=4, deadline=None)
@given(st.integers(0, 1000), st.floats(0.1, 10))
def test_layers_scaled_against_each_other_move_what_they_must(seed: int, a: float) -> None:
    model, params = network(seed)
    start = network(seed + 1)[1]
    images = np.random.default_rng(seed).normal(size=(20, 1, 3, 1)).astype(np.float32)
    before = measured(model, params, start, images)
    scaled = {**params, "Dense_0": jax.tree.map(lambda x: a * x, params["Dense_0"])}
    scaled["Dense_1"] = {**params["Dense_1"], "kernel": params["Dense_1"]["kernel"] / a}
    after = measured(model, scaled, start, images)
    moved = {"distance_from_start", "frobenius_norm"}
    for name in before.keys() - moved:
        assert after[name] == pytest.approx(before[name], rel=1e-3, abs=1e-6), name
    first, second, third = (np.sum(weight**2) for weight in matrices(params))
    length = np.sqrt(a**2 * first + second / a**2 + third)
    assert after["frobenius_norm"] == pytest.approx(length, rel=1e-6)
    # A factor on the last layer, biases included, moves margins and every product alike.
    louder = {**params, "Dense_2": jax.tree.map(lambda x: a * x, params["Dense_2"])}
    loud = measured(model, louder, start, images)
    for name in ("margin_10th", "spectral_product", "spectral_complexity"):
        assert loud[name] == pytest.approx(a * before[name], rel=1e-3, abs=1e-6), name
    for name in ("normalized_margin", "margin_over_spectral", "stable_ranks"):
        assert loud[name] == pytest.approx(before[name], rel=1e-3, abs=1e-6), name


def test_the_path_norm_of_one_hidden_layer_is_the_triple_sum() -> None:
    model, params = network(0, (3, 5, 2))
    (b1, w1), (b2, w2) = ((own["bias"], own["kernel"]) for own in params.values())
    paths = [w1[i, j] * w2[j, k] for i, j, k in product(range(3), range(5), range(2))]
    paths += [b1[j] * w2[j, k] for j, k in product(range(5), range(2))] + list(b2)
    wanted = np.sqrt(np.sum(np.square(paths)))
    assert float(path_norm(model, params, (1, 3, 1))) == pytest.approx(wanted, rel=1e-5)
    half = path_norm(model.clone(dtype=jnp.bfloat16), params, (1, 3, 1))
    assert float(half) == pytest.approx(wanted, rel=1e-5)


def test_the_spectral_complexity_is_that_of_the_formula() -> None:
    weights = matrices(network(2)[1])
    total, factor = 0.0, 1.0
    for weight in weights:
        norm = np.linalg.svd(weight)[1][0]
        factor *= norm
        total += (sum(np.linalg.norm(weight[:, k]) for k in range(weight.shape[1])) / norm) ** (
            2 / 3
        )
    found = columns(["spectral"], Network(weights))
    assert found["spectral_complexity"] == pytest.approx(factor * total**1.5)
    assert found["spectral_product"] == pytest.approx(factor)
    # Of multiples of orthogonal matrices all singular values are the same.
    square = [3 * np.linalg.qr(np.random.default_rng(0).normal(size=(4, 4)))[0]] * 2
    assert columns(["spectral"], Network(square))["stable_ranks"] == pytest.approx(8)


def test_networks_without_weights_or_with_nan_have_no_quotients() -> None:
    params = network(0)[1]
    for value in (0.0, np.nan):
        weights = matrices(jax.tree.map(lambda x, value=value: np.full_like(x, value), params))
        found = columns(list(MEASURES), Network(weights, weights, value, np.ones(9)))
        assert np.isnan(found["normalized_margin"])
        assert np.isnan(found["margin_over_path"])
    still = matrices(params)
    assert columns(["distance"], Network(still, still)) == {"distance_from_start": 0.0}


# Whole commands -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(answer: Command, tmp_path_factory: pytest.TempPathFactory) -> Path:
    workdir = tmp_path_factory.mktemp("norms") / "run"
    for epochs in (1, 2):  # the second command goes on where the first one ended
        keys = ("--config.vectorize=vmap", f"--config.epochs={epochs}", f"--workdir={workdir}")
        done = answer(*SMALL, *keys)
        assert done.returncode == 0, done.stderr
    return workdir


def test_lines_have_the_measures_of_the_checkpoint(whole: Path) -> None:
    lines, summary = read_metrics(whole), json.loads((whole / "summary.json").read_text())
    for run, member in zip(trained.load(whole), summary["members"], strict=True):
        images = np.zeros((1, 28, 28, 1), np.float32)
        model, key = make_model(run.config, 10), purpose_key(run.config.seed, "init")
        start = model.init(key, images, train=False)["params"]
        train = load_dataset("mnist5k", train_examples=60).train
        logits, labels = run.apply(np.asarray(train.images)), run.labels.labels
        own = np.eye(10, dtype=bool)[labels]
        margins = logits[own] - np.where(own, -np.inf, logits).max(1)
        path = float(path_norm(model, run.params, images.shape[1:]))
        wanted = columns(
            list(MEASURES), Network(matrices(run.params), matrices(start), path, margins)
        )
        last = [line for line in lines if line["member"] == run.name][-1]
        assert {name: last[name] for name in wanted} == pytest.approx(wanted, rel=1e-4)
        assert {name: member[name] for name in wanted} == {name: last[name] for name in wanted}
    first, second = (line["distance_from_start"] for line in lines[::2])
    assert 0 < first < second  # the first run, after one epoch and after two


def test_the_report_draws_what_was_asked_for_and_nothing_else(whole: Path) -> None:
    found = results.read(whole)
    made = norms_table(found)
    assert made.keys == ["name", *COLUMNS]
    assert [row[0] for row in made.exact] == ["seed=3", "seed=4,random_labels"]
    plots = {plot.name: plot for plot in figures(found)}
    for place, name in enumerate(COLUMNS, start=1):
        curves = plots[name].curves
        assert [one.y[-1] for one in curves] == [row[place] for row in made.exact]
        assert [len(one.x) for one in curves] == [2, 2]
    for own in (*found.summary["members"], *chain(*found.lines.values())):
        for name in COLUMNS:
            del own[name]
    assert norms_table(found) is None
    assert not {plot.name for plot in figures(found)} & set(COLUMNS)


def test_a_stream_that_runs_through_measures_what_two_commands_did(
    whole: Path, answer: Command, tmp_path: Path
) -> None:
    keys = ("--config.input=stream", "--config.record_examples=True", f"--workdir={tmp_path}")
    done = answer(*SMALL, *keys)
    assert done.returncode == 0, done.stderr
    wanted = {(line["member"], line["epoch"]): line for line in read_metrics(whole)}
    found = {(line["member"], line["epoch"]): line for line in read_metrics(tmp_path)}
    assert found.keys() == wanted.keys()
    for key, line in found.items():
        own = [wanted[key][name] for name in COLUMNS]
        assert [line[name] for name in COLUMNS] == pytest.approx(own, rel=1e-3)


class OwnChain(nn.Module):
    """Convolves, and says what it is."""

    num_classes: int
    convolutional: ClassVar[bool] = True
    chain: ClassVar[bool] = True
    homogeneous: ClassVar[bool] = True

    @nn.compact
    def __call__(self, x: jax.Array, *, train: bool) -> jax.Array:
        x = nn.relu(nn.Conv(4, (3, 3), strides=4)(x))
        return nn.Dense(self.num_classes)(x.reshape(len(x), -1))


class Silent(OwnChain):
    chain: ClassVar[bool] = False


def test_a_convolution_is_a_matrix_and_its_paths_are_summed() -> None:
    model = OwnChain(3)
    params = model.init(jax.random.key(0), jnp.zeros((1, 8, 8, 2)), train=False)["params"]
    assert [weight.shape for weight in matrices(params)] == [(18, 4), (16, 3)]
    squares = jax.tree.map(jnp.square, params)
    # Where all is positive the network is linear: its slope at each input is what leads from it.
    outputs = partial(model.apply, {"params": squares}, train=False)
    slopes = jax.jacobian(lambda x: outputs(x).sum())(jnp.ones((1, 8, 8, 2)))
    found = float(path_norm(model, params, (8, 8, 2)))
    assert found**2 == pytest.approx(float(slopes.sum()), rel=1e-5)


@pytest.mark.parametrize(
    ("measures", "model", "message"),
    [
        ("distance+norm", "mlp_1x512", r"measures=distance\+norm: 'norm' is not known"),
        ("path+path", "mlp_1x512", "'path' is not known, or there twice"),
        ("spectral", "inception_small_no_bn", "spectral is for networks of layers one after"),
        ("path", "alexnet_small", "path is for networks of sums, ReLU and maxima alone"),
        ("spectral+path", "silent", "model=silent does not say chain = True"),
    ],
)
def test_what_is_not_defined_is_refused(
    measures: str, model: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(MODELS, "silent", Silent)
    config = rj.base_config()
    config.measures, config.model = measures, model
    with pytest.raises(UserError, match=message) as caught:
        configs.members(config)
    assert "\n" not in str(caught.value)


def test_every_model_of_ours_says_what_it_is() -> None:
    kinds: dict[str, set[str]] = {"chain": set(), "homogeneous": set()}
    for name, kind in product(MODELS, kinds):
        made = create_model(name, num_classes=2, hidden_sizes=(4,) if takes_widths(name) else ())
        kinds[kind] |= {name} if getattr(made, kind, False) else set()
    dense = {"mlp", "mlp_1x512", "mlp_3x512", "mlp_sigmoid", "linear", "maxout"}
    assert kinds["chain"] == dense | {"alexnet_small"} == set(having("chain"))
    assert kinds["homogeneous"] == dense | {"inception_small_no_bn"}
