"""Weights that start in other ways than the networks draw them."""

import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import Command
from flax.traverse_util import flatten_dict
from helpers import networks, steps
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax import config as configs
from rethinking_jax.errors import UserError
from rethinking_jax.models import create_model
from rethinking_jax.models.initializers import INITIALIZERS, redrawn
from rethinking_jax.models.peers import Peers, initial_variables
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.train import init_state

SGD = make_optimizer("sgd", 1.0, 1, "all", 0.0, "coupled")
OTHERS = [name for name, draw in INITIALIZERS.items() if draw]
KEY = jax.random.key(5)
# The fan-in and the fan-out of layers wide enough for a mean, and their kernels.
WIDE = {(3, 3, 16, 32): (144, 288), (300, 100): (300, 100)}
# The share of the variance of a normal that is left where it is cut off at two deviations.
CUT = 0.7737


def variance(name: str, fan_in: int, fan_out: int, convolves: bool) -> float:
    """Returns that of a kernel which is not the last, from the definitions."""
    return {
        "he_normal": 2 / fan_in,
        "lecun_normal": 1 / fan_in,
        "glorot_uniform": 2 / (fan_in + fan_out),
        "pytorch": 1 / (3 * fan_in),
        "tensorflow_tutorial": CUT * (1e-4 if convolves else 0.04) ** 2,
    }[name]


@pytest.mark.parametrize("name", OTHERS)
@pytest.mark.parametrize("shape", WIDE)
def test_kernels_have_the_variance_of_their_definition(name: str, shape: tuple[int, ...]) -> None:
    layers = {place: {"kernel": jnp.zeros(shape)} for place in ("a", "b", "c")}
    drawn = redrawn(name, KEY, layers)
    kernels = np.concatenate(
        [np.ravel(drawn[place]["kernel"]) for place in ("a", "b")], dtype=float
    )
    wanted = variance(name, *WIDE[shape], len(shape) > 2)
    np.testing.assert_allclose(kernels.var(), wanted, rtol=0.05)
    assert abs(kernels.mean()) < 4 * (wanted / kernels.size) ** 0.5
    assert np.corrcoef(np.ravel(drawn["a"]["kernel"]), np.ravel(drawn["b"]["kernel"]))[0, 1] < 0.05


@pytest.mark.parametrize(
    ("model", "name"), [("inception_small", "pytorch"), *(("mlp_1x512", name) for name in OTHERS)]
)
def test_what_is_no_weight_or_bias_of_a_layer_stays(model: str, name: str) -> None:
    variables = networks.random_variables(networks.build(model), np.zeros((1, 28, 28, 3)))
    before, after = (
        flatten_dict(redrawn(one, KEY, variables["params"])) for one in ("model", name)
    )
    assert jax.tree.map(jnp.shape, before) == jax.tree.map(jnp.shape, after)
    kernels = {path[:-1] for path in before if path[-1] == "kernel"}
    assert (model == "mlp_1x512") == (kernels == {path[:-1] for path in before})
    for path in before:
        same = bool((before[path] == after[path]).all())
        assert same == (path[:-1] not in kernels), path


def test_the_tutorials_layers_start_as_it_says() -> None:
    params = initial_variables(
        create_model("alexnet_small", num_classes=10), KEY, jnp.zeros((1, 24, 24, 3)),
        "tensorflow_tutorial",
    )["params"]  # fmt: skip
    biases = {"Conv_0": 0.0, "Conv_1": 0.1, "Dense_0": 0.1, "Dense_1": 0.1, "Dense_2": 0.0}
    largest = {"Conv_0": 2e-4, "Conv_1": 2e-4, "Dense_0": 0.08, "Dense_1": 0.08, "Dense_2": 2 / 192}
    assert set(params) == set(biases)
    for layer, own in params.items():
        np.testing.assert_array_equal(own["bias"], np.float32(biases[layer]))
        found = float(jnp.abs(own["kernel"]).max())
        assert 0.9 * largest[layer] < found <= largest[layer] * (1 + 1e-6), layer


def test_pytorchs_layers_start_as_torch_draws_them() -> None:
    params = initial_variables(
        create_model("mlp_1x512", num_classes=10), KEY, jnp.zeros((1, 28, 28, 3)), "pytorch"
    )["params"]
    for layer, fan_in in (("Dense_0", 28 * 28 * 3), ("Dense_1", 512)):
        for name in ("kernel", "bias"):
            largest = float(jnp.abs(params[layer][name]).max())
            assert 0.8 * fan_in**-0.5 < largest <= fan_in**-0.5, (layer, name)


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(OTHERS), st.integers(0, 2**31 - 1))
def test_the_same_seed_draws_the_same_and_another_seed_others(name: str, seed: int) -> None:
    one, again, other = (
        init_state(steps.mlp(), SGD, steps.hyper(seed=s), steps.SHAPE, name).params
        for s in (seed, seed, seed ^ 1)
    )
    for a, b, c in zip(*map(jax.tree.leaves, (one, again, other)), strict=True):
        assert (a == b).all()
        assert a.ndim < 2 or (a != c).any()


def test_the_second_of_two_peers_starts_from_a_key_of_its_own() -> None:
    network = create_model("mlp", num_classes=4, hidden_sizes=(6,))
    images = jnp.zeros((1, 5, 5, 1))
    pair = initial_variables(Peers(network), KEY, images, "glorot_uniform")["params"]
    alone = initial_variables(network, KEY, images, "glorot_uniform")["params"]
    first, second, single = (p["Dense_0"]["kernel"] for p in (pair["first"], pair["second"], alone))
    assert (first == single).all() and (first != second).any()


def test_networks_that_start_as_they_draw_themselves_are_the_program_they_were() -> None:
    def of(*initializer: str) -> str:
        return str(
            jax.make_jaxpr(
                lambda: init_state(steps.mlp(), SGD, steps.hyper(seed=3), steps.SHAPE, *initializer)
            )()
        )

    assert of("model") == of() != of("he_normal")


def test_a_typo_is_one_line_with_the_nearest_name() -> None:
    config = configs.base_config()
    config.initializer = "glorot_unifrom"
    with pytest.raises(
        UserError, match=r"initializer='glorot_unifrom' is not known.*glorot_uniform"
    ):
        configs.members(config)


def test_work_directories_of_before_there_was_the_key_keep_their_names() -> None:
    plain, same, other = (configs.base_config() for _ in range(3))
    same.initializer, other.initializer = "model", "pytorch"
    for named in (configs.digest, configs.former_digest):
        assert named(plain) == named(same) != named(other)


@pytest.mark.slow
def test_figure_1b_compares_ways_to_start(answer: Command, tmp_path: Path) -> None:
    few = "levels=2,dataset=mnist5k,models=mlp_1x512,train_examples=200,epochs=2"
    result = answer(
        f"--config=configs/figure1.py:b,{few},initializers=model+pytorch",
        f"--workdir={tmp_path}",
    )
    assert result.returncode == 0, result.stderr
    members = json.loads((tmp_path / "summary.json").read_text())["members"]
    assert [member["name"] for member in members] == [
        f"p={p},{start}" for p in ("0.0", "1.0") for start in ("model", "pytorch")
    ]
    # Both ways have the same corruption, and so differ by their weights alone.
    assert members[2]["flipped_fraction"] == members[3]["flipped_fraction"] > 0
    assert members[2]["train_accuracy"] != members[3]["train_accuracy"]
    table = (tmp_path / "tables" / "paper.csv").read_text()
    assert [table.count(start) for start in ('=""pytorch""', '=""model""')] == [2, 2]
