"""Benchmarks: what they count and divide, and that contestants do the same work."""

import importlib.util
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import REPOSITORY
from helpers.benchmarks import bench
from helpers.commands import answer

from rethinking_jax import config as configs
from rethinking_jax.bench import members, results, solve, sweep, timing, values
from rethinking_jax.bench import train as bench_train
from rethinking_jax.bench.__main__ import main
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.errors import UserError
from rethinking_jax.models import create_model
from rethinking_jax.models.layers import ConvUnit
from rethinking_jax.step import flops
from rethinking_jax.step.augment import AUGMENTATIONS
from rethinking_jax.step.preprocess import standardize_per_image, to_unit
from rethinking_jax.step.state import Hyper, Running
from rethinking_jax.sweep import groups

# Read when PyTorch is imported: its threads must not wait actively for cores that other
# tests hold.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

SHAPE = (28, 28, 3)
PARAMETERS = {
    "mlp_1x512": 1_209_866,
    "mlp_3x512": 1_735_178,
    "alexnet_small": 1_387_786,
    "inception_small": 1_649_402,
}
needs_torch = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="PyTorch is not installed"
)


# Floating-point operations ---------------------------------------------------------


def inception_macs() -> int:
    """By hand, from figure 3: (positions, channels in, 1x1 features, 3x3 features)."""
    blocks = [
        (784, 96, 32, 32), (784, 64, 32, 48), (196, 80, 0, 80),
        (196, 160, 112, 48), (196, 160, 96, 64), (196, 160, 80, 80), (196, 160, 48, 96),
        (49, 144, 0, 96), (49, 240, 176, 160), (49, 336, 176, 160),
    ]  # fmt: skip
    total = 784 * 9 * 3 * 96 + 336 * 10
    return total + sum(p * c * (one + 9 * three) for p, c, one, three in blocks)


@pytest.mark.parametrize(
    ("model", "forward"),
    [
        ("mlp_1x512", 2352 * 512 + 512 * 10),
        ("mlp_3x512", 2352 * 512 + 2 * 512 * 512 + 512 * 10),
        (
            "alexnet_small",
            784 * 64 * 75 + 196 * 64 * 1600 + 3136 * 384 + 384 * 192 + 192 * 10,
        ),
        ("inception_small", inception_macs()),
    ],
)
def test_multiplications_of_the_forward_pass_are_those_counted_by_hand(
    model: str, forward: int
) -> None:
    assert sum(flops.layer_macs(create_model(model, num_classes=10), SHAPE)) == forward


@pytest.mark.parametrize(
    ("model", "size", "published"),
    [
        # As torchvision says of its weights; the abstract of 1512.00567 has "5 billion".
        ("inception_v3", 299, 5.713e9),
        ("resnet_50", 224, 4.089e9),  # version 1.5, with the stride in the 3x3 convolution
    ],
)
def test_multiplications_of_the_imagenet_networks_are_the_published_ones(
    model: str, size: int, published: float
) -> None:
    macs = flops.layer_macs(create_model(model, num_classes=1000), (size, size, 3))
    assert sum(macs) == pytest.approx(published, rel=2e-4)


@pytest.mark.parametrize("model", PARAMETERS)
def test_flops_of_a_train_step_agree_with_xla(model: str) -> None:
    """XLA counts the operations on activations too, and no multiplications with padding."""
    program = bench_train.make_train_program(model, 4, 4, own_gradients=False)
    hyper = Hyper(jnp.zeros(1, jnp.int32), jnp.ones(1), jnp.ones(1), *[jnp.zeros(1)] * 3)
    data = bench_train.random_examples(4)
    running = jax.tree.map(lambda leaf: leaf[None], Running.zero())
    given = (jax.eval_shape(program.init, hyper), running, data, jnp.arange(4)[None])
    lowered = program.train_batches.lower(*given, jnp.int32(0), count=1)  # type: ignore[attr-defined]
    # Per image; what a step does once, whatever the batch, is 5 operations a parameter.
    counted = (lowered.cost_analysis()["flops"] - 5 * PARAMETERS[model]) / 4
    ours = flops.train_flops(flops.layer_macs(create_model(model, num_classes=10), SHAPE))
    assert 0.85 < counted / ours < 1.1


# Times and ratios ------------------------------------------------------------------


def test_ratios_are_of_speeds_within_a_round() -> None:
    speed = timing.speeds({"a": [1.0, 2.0, 4.0], "b": [2.0, 2.0, 2.0]}, {"a": 10, "b": 30})
    assert speed == {"a": [10.0, 5.0, 2.5], "b": [15.0, 15.0, 15.0]}
    found = timing.ratio(speed, "b", "a")
    assert found.rounds == [1.5, 3.0, 6.0]
    assert (found.median, found.min, found.max) == (3.0, 1.5, 6.0)


def test_a_contestant_of_one_round_is_compared_in_that_round_alone() -> None:
    found = timing.ratio({"a": [2.0, 8.0], "slow": [1.0]}, "a", "slow")
    assert found.rounds == [2.0]


def test_contestants_take_turns_each_with_what_it_prepared() -> None:
    log: list[str] = []

    def contestant(name: str, rounds: int) -> timing.Contestant:
        return timing.Contestant(name, lambda: f"{name} fresh", log.append, 1, rounds)

    seconds = timing.interleave([contestant("a", 9), contestant("b", 1)], 2, lambda line: None)
    assert log == ["a fresh", "b fresh", "a fresh"]
    assert {name: len(times) for name, times in seconds.items()} == {"a": 2, "b": 1}


def test_compile_seconds_count_compilations_and_nothing_after_the_block() -> None:
    @jax.jit
    def function(x: jax.Array) -> jax.Array:
        return jnp.sin(x) @ x

    x = jnp.ones((5, 5))
    with timing.compile_seconds() as compiled:
        function(x)
        first = compiled()
        function(x)
        assert compiled() == first > 0
    function(jnp.ones((6, 6)))
    assert compiled() == first


# The same work ---------------------------------------------------------------------


def torch_copy(model: str, params: Any) -> Any:
    """The PyTorch model with the weights of ours."""
    import torch

    from rethinking_jax.bench import torch_models

    copied = torch_models.create_torch_model(model, 10, SHAPE)
    kernels = _in_order(model, params)
    layers = [m for m in copied.modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)]
    norms = [m for m in copied.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    assert len(kernels) == len(layers)
    with torch.no_grad():
        for i, (layer, (kernel, bias)) in enumerate(zip(layers, kernels, strict=True)):
            axes = (3, 2, 0, 1) if kernel.ndim == 4 else (1, 0)
            layer.weight.copy_(torch.from_numpy(np.transpose(np.asarray(kernel), axes).copy()))
            holder = layer if layer.bias is not None else norms[i]
            holder.bias.copy_(torch.from_numpy(np.array(bias)))
    return copied


def _in_order(model: str, params: Any) -> list[tuple[Any, Any]]:
    """(kernel, bias) of each layer in the order of the calls."""
    order: list[tuple[Any, Any]] = []

    def note(call: Any, args: Any, kwargs: Any, context: Any) -> Any:
        if context.method_name == "__call__":
            own = context.module.variables.get("params", {})
            if isinstance(context.module, ConvUnit):
                order.append((own["Conv_0"]["kernel"], own["BatchNorm_0"]["bias"]))
            elif "kernel" in own and "bias" in own:
                order.append((own["kernel"], own["bias"]))
        return call(*args, **kwargs)

    network = create_model(model, num_classes=10)
    with nn.intercept_methods(note):
        network.apply(
            {"params": params}, jnp.zeros((2, *SHAPE)), train=True, mutable=["batch_stats"]
        )
    return order


def some_images(n: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, (n, *SHAPE), dtype=np.uint8)


@needs_torch
@pytest.mark.parametrize("model", PARAMETERS)
def test_torch_models_have_our_parameters_and_compute_our_logits(model: str) -> None:
    import torch

    from rethinking_jax.bench import torch_models, torch_train

    images, network = some_images(4), create_model(model, num_classes=10)
    inputs = standardize_per_image(to_unit(jnp.asarray(images)))
    params = network.init(jax.random.key(3), inputs, train=False)["params"]
    # Biases and shifts start at 0: with other values a wrong place of one shows.
    params = jax.tree.map(lambda leaf: leaf if leaf.ndim > 1 else leaf + 0.1, params)
    other = torch_copy(model, params)
    assert torch_models.count_parameters(other) == PARAMETERS[model]
    ours, _ = network.apply({"params": params}, inputs, train=True, mutable=["batch_stats"])
    theirs = other(torch_train.standardize(torch.from_numpy(images))).detach().numpy()
    np.testing.assert_allclose(theirs, ours, rtol=1e-3, atol=1e-4)


@needs_torch
@pytest.mark.parametrize("model", ["alexnet_small", "inception_small"])
def test_torch_models_halve_odd_sides_as_ours_do(model: str) -> None:
    import torch

    from rethinking_jax.bench import torch_models

    x = torch.zeros((2, 3, 7, 7))
    assert torch_models.max_pool(x).shape == (2, 3, 4, 4)
    assert torch_models.create_torch_model(model, 10, (9, 9, 3))(
        torch.zeros((2, 9, 9, 3))
    ).shape == (2, 10)


@needs_torch
def test_steps_of_torch_from_the_same_weights_end_at_ours() -> None:
    """Two epochs of two batches: momentum, batches and the decay of the rate all show."""
    import torch

    from rethinking_jax.bench import torch_train

    images = some_images(16)
    labels = (np.arange(16) % 10).astype(np.int32)
    state, data = _train_ours(images, labels)
    (other_data,) = torch_train.to_device(images, [labels], "cpu")
    learner = torch_train.make_learner(torch_copy("mlp_1x512", state.params), 0.01, 0.9, 0.5)
    for _ in range(2):
        torch_train.train_epoch(learner, other_data, torch.arange(16), 8)
    moved = 0.0
    for before, after, layer in zip(
        _in_order("mlp_1x512", state.params),
        _in_order("mlp_1x512", data.params),
        learner.model.layers,
        strict=True,
    ):
        np.testing.assert_allclose(layer.weight.detach().numpy().T, after[0], atol=2e-6)
        np.testing.assert_allclose(layer.bias.detach().numpy(), after[1], atol=2e-6)
        moved = max(moved, float(jnp.abs(after[0] - before[0]).max()))
    assert moved > 1e-3


def _train_ours(images: np.ndarray, labels: np.ndarray) -> tuple[Any, Any]:
    """(state before, state after) of one run, without the member axis."""
    from rethinking_jax.step.optimizer import make_optimizer
    from rethinking_jax.step.preprocess import make_preprocess
    from rethinking_jax.step.state import Examples
    from rethinking_jax.step.train import init_state, make_train_step

    model = create_model("mlp_1x512", num_classes=10)
    optimizer = make_optimizer("sgd", 0.5, 2, "all")
    hyper = Hyper(jnp.int32(0), jnp.float32(0.01), jnp.float32(0.9), *[jnp.float32(0)] * 3)
    preprocess = make_preprocess("paper", jnp.zeros(3), jnp.ones(3))
    before = state = init_state(model, optimizer, hyper, SHAPE)
    step = make_train_step(model, optimizer, lambda state, images, ids: preprocess(images))
    for part in (slice(0, 8), slice(8, 16)) * 2:
        own = jnp.asarray(labels[part])
        state, _ = step(state, Examples(jnp.asarray(images[part]), own, own, jnp.arange(8)))
    return before, state


@needs_torch
def test_a_compiler_that_takes_too_long_or_fails_sits_out_with_its_reason() -> None:
    import torch

    from rethinking_jax.bench import torch_train

    def hang(_: Any) -> None:
        time.sleep(60)

    def fail(_: Any) -> None:
        raise RuntimeError("no compiler\nmore of it")

    model = torch.nn.Linear(1, 1)
    assert torch_train.try_compile(model, hang, 0.1)[:2] == (None, "not done in 0.1 s")
    assert torch_train.try_compile(model, fail, 60)[:2] == (None, "no compiler")
    assert torch_train.try_compile(model, fail, 0)[:2] == (None, "switched off")


class ToldPyTorch:
    """What stands in for `torch_train` where there is no PyTorch: it keeps what it is given."""

    def __init__(self) -> None:
        self.images: list[np.ndarray] = []

    def to_device(self, images: np.ndarray, labels: list[np.ndarray], backend: str) -> list[Any]:
        self.images.append(images)
        raise RuntimeError("it is told the images, that is enough")


def test_pytorch_is_given_images_with_their_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    told = ToldPyTorch()
    monkeypatch.setattr(bench_train.torch_check, "why_not", lambda model, backend: "")
    monkeypatch.setitem(sys.modules, "rethinking_jax.bench.torch_train", told)  # type: ignore[arg-type]
    monkeypatch.setattr("rethinking_jax.bench.torch_train", told, raising=False)
    with pytest.raises(RuntimeError, match="that is enough"):
        bench_train._torch(bench_train.resolve("mlp_1x512", 1, 2, False, 0.0))
    assert [(one.shape, one.dtype) for one in told.images] == [((256, *SHAPE), np.uint8)]


@needs_torch
@pytest.mark.slow
def test_a_train_step_is_measured_beside_pytorch() -> None:
    record = bench_train.bench_train(
        bench_train.resolve("alexnet_small", 1, 1, False, 0.0), lambda line: None
    )
    names = {bench_train.STEP, bench_train.PLAIN, bench_train.TORCH}
    assert set(record["seconds"]) == names
    assert {(one["of"], one["over"]) for one in record["ratios"]} == {
        (bench_train.STEP, other) for other in names - {bench_train.STEP}
    }


# Settings, records, memory ---------------------------------------------------------


def test_the_default_sweep_has_33_runs_and_convolutions_on_a_cpu_fewer() -> None:
    mlp = sweep.resolve("mlp_1x512", "mnist5k")
    assert (mlp.levels, mlp.seeds, mlp.train_examples) == (11, 3, 0)
    conv = sweep.resolve("inception_small", "mnist5k", 6, train_examples=512)
    assert (conv.levels, conv.seeds, conv.train_examples) == (6, 1, 512)
    with pytest.raises(UserError, match="--members"):
        sweep.resolve("mlp_1x512", "mnist5k", 6, levels=3)


def test_what_is_warm_compiles_nothing_more() -> None:
    """A first epoch leaves weights as the next one finds them: a round would compile otherwise."""
    settings = sweep.resolve("mlp_1x8", "mnist5k", levels=2, seeds=1, train_examples=256)
    config = sweep.sweep_config(settings, "")
    runs = configs.members(config)
    chunks = groups.make_chunks(
        runs, load_datasets(runs, print), "cpu", jax.devices()[:1], report=print
    )
    contestant, _ = sweep._ours("ours", chunks, epochs=2, work=1)
    with timing.compile_seconds() as compiled:
        contestant.run(contestant.prepare())
        assert compiled() == 0


def test_results_of_the_same_settings_replace_each_other(tmp_path: Path) -> None:
    file = str(tmp_path / "results.json")
    for settings, value in ((1, "old"), (2, "other"), (1, "new")):
        results.save(file, {"bench": "sweep", "settings": {"x": settings}, "value": value})
    found = json.loads(Path(file).read_text())
    assert [record["value"] for record in found] == ["other", "new"]


def test_growth_is_bytes_per_further_member() -> None:
    groups = [
        {"members": m, "peak_bytes": p, "estimated_bytes_per_member": 7}
        for m, p in ((1, 100), (4, 130), (16, 250))
    ]
    assert [g["bytes_per_member"] for g in members.growth(groups)] == [10, 10]
    # 1,209,866 weights three times, 4,000 labels and places.


# The real command ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["NAME"]),
        (["swep"], ["swep", "sweep"]),
        (["sweep", "--levles=3"], ["--levles=3", "did you mean '--levels'"]),
        (["sweep", "--levels=0"], ["--levels", "'0'", "at least 1"]),
        (["sweep", "--epochs=two"], ["--epochs", "'two'", "whole number"]),
        (["sweep", "--model=mlp_1x51x"], ["'mlp_1x51x'", "'mlp_1x512'", "mlp_DxW"]),
        (["sweep", "--at_once=8,4"], ["8,4", "rise"]),
        (["commands", "--model=mlp1x512"], ["'mlp1x512'", "'mlp_1x512'"]),
        (["sweep", "--members=3", "--seeds=2"], ["--members", "--seeds"]),
        (["sweep", "--output=no/such/folder.json"], ["no/such/folder.json"]),
        (["sweep", "--train_examples=100"], ["batch_size=128", "100 training examples"]),
        (["train", "--models=mlp_1x512,alexnet"], ["'alexnet'", "'alexnet_small'"]),
        (["imagenet", "--models=resnet"], ["'resnet'", "'resnet_50'"]),
        (["imagenet", "--dtype=float16"], ["'float16'", "bfloat16"]),
        (["imagenet", "--batch_sizes=8,4"], ["8,4", "rise"]),
        (["members", "--members=4,1"], ["4,1", "rise"]),
        (["augment", "--models=mlp_1x51"], ["'mlp_1x51'", "'mlp_1x512'"]),
        (["augment", "--batches=0"], ["--batches", "'0'", "at least 1"]),
        (["solve", "--ridge=-1"], ["--ridge=-1", "at least 0"]),
        (["solve", "--examples=9999"], ["9999", "4,000"]),
        (["members", "--dataset=no/such.npz"], ["no/such.npz"]),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_line(
    arguments: list[str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(REPOSITORY))  # the processes of `members` start elsewhere
    result = answer(main, arguments, tmp_path)
    assert result.returncode == 2, result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    for word in words:
        assert word in result.stderr


@pytest.mark.skipif(importlib.util.find_spec("pydvl") is not None, reason="pyDVL is installed")
def test_without_pydvl_its_benchmark_is_one_line(tmp_path: Path) -> None:
    result = answer(main, ["values", "--dataset=mnist5k"], tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1), result.stderr
    assert "pyDVL" in result.stderr and "pip install" in result.stderr


VALUES = values.Settings("mnist5k", 300, (8,), epochs=2, models=6, repeats=1, batch_size=50)


def test_networks_that_are_valued_train_on_halves_to_their_accuracy() -> None:
    chunks, trained = values._chunks(VALUES, "", lambda line: None)
    assert trained.shape == (6, 300) and set(trained.sum(1)) == {150}
    assert sum(len(chunk.runs) for chunk in chunks) == 6
    for run in (run for chunk in chunks for run in chunk.runs):
        assert run.subset is not None
        np.testing.assert_array_equal(np.sort(run.subset), np.flatnonzero(trained[run.config.seed]))
    accuracies: list[float] = []
    contestant = values._ours(VALUES, chunks, trained, accuracies)
    contestant.run(contestant.prepare())
    assert contestant.work == 6 * 150 * 2
    assert len(accuracies) == 1 and 0.15 < accuracies[0] < 0.9


def test_values_are_those_of_pydvl(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pydvl")
    pytest.importorskip("torch")
    from rethinking_jax.bench import pydvl_values
    from rethinking_jax.scores.banzhaf import banzhaf_values

    chunks, trained = values._chunks(VALUES, "", lambda line: None)
    dataset, subsets = chunks[0].dataset, [np.flatnonzero(row) for row in trained]
    utility, data = pydvl_values.utility_of(VALUES, dataset)
    assert 0.1 < pydvl_values.accuracy(utility, subsets[0]) < 0.9
    # In place of training: a network that is as good as its labels are large.
    network = pydvl_values.Network
    monkeypatch.setattr(network, "fit", lambda self, x, y: setattr(self, "found", y.mean() / 10))
    monkeypatch.setattr(network, "score", lambda self, x, y: self.found)
    found = pydvl_values.values(utility, data, subsets)
    own = banzhaf_values(trained, np.array([dataset.train.labels[s].mean() / 10 for s in subsets]))
    np.testing.assert_allclose(found, own.value, atol=1e-6)


def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "notes.json"
    file.write_text('{"mine": 1}')
    result = answer(main, ["sweep", f"--output={file}"], tmp_path)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert file.read_text() == '{"mine": 1}'


@pytest.mark.slow
def test_a_small_sweep_writes_ratios_that_follow_from_its_times(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ["--levels=2", "--seeds=1", "--train_examples=256", "--epochs=1", "--repeats=2"]
    options += ["--at_once=1", "--model=mlp_1x16"]
    result = bench(environment, "sweep", *options, "--output=b.json", cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (record,) = json.loads((tmp_path / "b.json").read_text())
    seconds = record["seconds"]
    assert set(seconds) >= {"ours, vmap", "ours, vmap of 1", "ours, loop"}
    assert len(record["cpu_ratios"]) == len(record["ratios"]) >= 2
    assert all(len(times) == 2 and min(times) > 0 for times in record["cpu_seconds"].values())
    assert all(len(times) == 2 and min(times) > 0 for times in seconds.values())
    assert set(record["images_per_round"].values()) == {2 * 256}
    for found in record["ratios"]:
        again = [b / a for a, b in zip(seconds[found["of"]], seconds[found["over"]], strict=True)]
        assert found["rounds"] == pytest.approx(again)
        assert found["median"] == pytest.approx(statistics.median(again))
        assert (found["min"], found["max"]) == pytest.approx((min(again), max(again)))
    assert record["compile_seconds"]["ours, vmap"] > 0
    assert record["versions"]["jax"] == jax.__version__ and record["device"]
    assert "PyTorch loop" not in seconds and "PyTorch" in record["notes"][0]
    assert str(tmp_path) not in (tmp_path / "b.json").read_text()


@pytest.mark.slow
def test_a_sweep_is_one_command_or_one_for_each_run(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ["--model=mlp_1x8", "--members=3", "--train_examples=200", "--epochs=1",
               "--repeats=1", "--output=b.json"]  # fmt: skip
    result = bench(environment, "commands", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (record,) = json.loads((tmp_path / "b.json").read_text())
    assert record["images_per_round"] == {"one command": 600, "a command for each run": 200}
    (sweep_took,), (each_took,) = record["seconds"].values()
    (found,) = record["ratios"]
    assert found["median"] == pytest.approx(600 / sweep_took / (200 / each_took))
    failed = bench(environment, "commands", *options[:-1], "--dataset=no/such.npz", cwd=tmp_path)
    assert failed.returncode == 2 and failed.stderr.count("\n") == 1


@pytest.mark.slow
def test_an_epoch_with_each_augmentation_is_compared_with_one_without(
    environment: dict[str, str], tmp_path: Path
) -> None:
    options = ["--models=mlp_1x512", "--batches=1", "--repeats=1", "--output=b.json"]
    result = bench(environment, "augment", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (record,) = json.loads((tmp_path / "b.json").read_text())
    assert {"none", *AUGMENTATIONS, "flip+rotate"} < set(record["seconds"])
    assert len(record["ratios"]) == len(record["seconds"]) - 1
    for found in record["ratios"]:
        (none,), (own,) = record["seconds"]["none"], record["seconds"][found["of"]]
        assert (found["over"], found["median"]) == ("none", pytest.approx(none / own))


@pytest.mark.slow
def test_all_solvers_solve_the_same_system(environment: dict[str, str], tmp_path: Path) -> None:
    options = ["--examples=200", "--repeats=2", "--output=b.json"]
    result = bench(environment, "solve", *options, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    (record,) = json.loads((tmp_path / "b.json").read_text())
    assert record["settings"] == {"examples": 200, "ridge": 0.1, "repeats": 2}
    assert {"ours", "ours, cg", "SciPy"} < set(record["seconds"])
    for name, left in record["residuals"].items():
        # A float32 matrix is another one.
        assert left < {"ours, float32 refined": 1e-5, "ours, cg": 1e-7}.get(name, 1e-13)
    for found in record["ratios"]:
        own, over = (record["seconds"][found[key]] for key in ("of", "over"))
        assert found["rounds"] == pytest.approx([b / a for a, b in zip(own, over, strict=True)])


def test_contestants_of_solve_agree() -> None:
    rng = np.random.default_rng(0)
    x, targets = rng.random((60, 20), np.float32), np.eye(3)[rng.integers(0, 3, 60)]
    found = {name: solver(x, targets) for name, solver in solve.solvers(0.3).items()}
    distances = ((x[:, None].astype(float) - x[None]) ** 2).sum(-1)
    expected = np.linalg.solve(np.exp(-0.02 * distances) + 0.3 * np.eye(60), targets)
    assert len(found) >= 4
    for name, alpha in found.items():
        tolerance = 1e-4 if "float32" in name else 1e-7
        np.testing.assert_allclose(alpha, expected, atol=tolerance, err_msg=name)


# Input ------------------------------------------------------------------------------


def test_decoders_agree_on_the_pixels() -> None:
    from rethinking_jax.bench import decoders, input

    content = input._photographs()[0]
    assert 60_000 < len(content) < 160_000
    # TensorFlow stays out of this process.
    found = {
        "simplejpeg": decoders._simplejpeg(64),
        "Pillow": decoders._pillow(64),
    }
    pixels = {name: [np.asarray(f(content)) for f in both] for name, both in found.items()}
    assert [p.shape for p in pixels["Pillow"]] == [(375, 500, 3), (64, 64, 3)]
    for ours, theirs in zip(pixels["simplejpeg"], pixels["Pillow"], strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.slow
def test_bench_input(environment: dict[str, str], tmp_path: Path) -> None:
    """Also that TensorFlow, where installed, does the same work."""
    script = (
        "import numpy as np\n"
        "from rethinking_jax.bench import decoders, input\n"
        "if __name__ == '__main__':\n"
        "    content = input._photographs()[1]\n"
        "    found, _ = decoders.found_decoders(50)\n"
        "    ours = np.asarray(found[0].decode_and_fit(content)).astype(int)\n"
        "    for decoder in found:\n"
        "        theirs = np.asarray(decoder.decode_and_fit(content))\n"
        "        assert np.abs(theirs - ours).mean() < 1, decoder.name\n"
        "    from rethinking_jax.bench.__main__ import main\n"
        f"    words = ['--images=64', '--repeats=1', '--output={tmp_path / 'out.json'}']\n"
        "    raise SystemExit(main(['input', '--image_sizes=50', '--threads=2', *words]))\n"
    )
    path = tmp_path / "script.py"
    path.write_text(script)
    done = subprocess.run(
        [sys.executable, str(path)], env=environment, capture_output=True, text=True,
        timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    (record,) = json.loads((tmp_path / "out.json").read_text())
    assert record["settings"] == {"image_size": 50, "images": 64, "repeats": 1, "threads": 2}
    names = set(record["seconds"])
    assert {"simplejpeg, decode", "Pillow, decode and fit", "raw loop", "stream", "cache"} <= names
    assert ("tf.data" in names) == (importlib.util.find_spec("tensorflow") is not None)
    ratios = {(found["of"], found["over"]): found["median"] for found in record["cpu_ratios"]}
    expected = record["images_per_round"]["cache"] / record["cpu_seconds"]["cache"][0]
    expected /= record["images_per_round"]["stream"] / record["cpu_seconds"]["stream"][0]
    assert ratios["cache", "stream"] == pytest.approx(expected)
    assert ratios["cache", "stream"] > 2 and len(record["label_seconds"]) == 1
