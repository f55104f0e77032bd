"""What train_compile is made of, without a compiler for TPUs: names, texts, bounds, mistakes."""

import importlib.util
import math
from pathlib import Path

import jax
import numpy as np
import pytest
from helpers import commands
from hypothesis import given
from hypothesis import strategies as st

from rethinking_jax import config as configs
from rethinking_jax import train_compile
from rethinking_jax.aot.chips import CHIPS
from rethinking_jax.aot.collectives import Collective, collectives
from rethinking_jax.aot.cost import SHARES, costs
from rethinking_jax.aot.find_batch import PER_CHIP, find_batch
from rethinking_jax.aot.hlo import Array, read_module
from rethinking_jax.aot.padding import padded_bytes, padding
from rethinking_jax.aot.products import Moved, moved_bytes, multiplied, unwanted
from rethinking_jax.aot.roofline import bound
from rethinking_jax.aot.shapes import shapes_of
from rethinking_jax.aot.topology import Slice, parse
from rethinking_jax.data.runs import dataset_key, load_datasets
from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import install
from rethinking_jax.sweep import groups, resident
from rethinking_jax.sweep.build import xla_options
from rethinking_jax.sweep.hyper import hyper
from rethinking_jax.sweep.lowered import steps_of
from rethinking_jax.sweep.program import zero_running

# A program as XLA writes it: a loop of two steps, in which four chips sum over two axes.
TEXT = """HloModule jit_step, is_scheduled=true, entry_computation_layout={(f32[64,32]{1,0})->f32[]}

%rows (param_0.1: f32[64,32], param_1.2: s32[8]) -> f32[8,32] {
  %param_0.1 = f32[64,32]{1,0:T(8,128)} parameter(0)
  %param_1.2 = s32[8]{0:T(128)} parameter(1)
  ROOT %gather.1 = f32[8,32]{1,0:T(8,128)} gather(%param_0.1, %param_1.2), slice_sizes={1,32}
}

%body (arg: (f32[64,32], s32[8])) -> (f32[64,32], s32[8]) {
  %arg = (f32[64,32]{1,0:T(8,128)}, /*index=1*/s32[8]{0:T(128)}) parameter(0)
  %all = f32[64,32]{1,0:T(8,128)} get-tuple-element(%arg), index=0
  %which = s32[8]{0:T(128)} get-tuple-element(%arg), index=1
  %taken = f32[8,32]{1,0:T(8,128)} fusion(%all, %which), kind=kLoop, calls=%rows
  %sum.1 = f32[8,32]{1,0:T(8,128)} all-reduce(%taken), replica_groups={{0,1},{2,3}}, to_apply=%add
  %sum.2 = f32[8,32]{1,0:T(8,128)} all-reduce-start(%sum.1), replica_groups=[2,2]<=[2,2]T(1,0), to_apply=%add
  %sum.3 = f32[8,32]{1,0:T(8,128)} all-reduce-done(%sum.2)
  ROOT %again = (f32[64,32]{1,0:T(8,128)}, s32[8]{0:T(128)}) tuple(%all, %which)
}

ENTRY %main.9 (p.0: f32[64,32], p.1: s32[8]) -> f32[] {
  %p.0 = f32[64,32]{1,0:T(8,128)} parameter(0)
  %p.1 = s32[8]{0:T(128)} parameter(1)
  %copied = f32[64,32]{1,0:T(8,128)} copy(%p.0)
  %pair = (f32[64,32]{1,0:T(8,128)}, s32[8]{0:T(128)}) tuple(%copied, %p.1)
  %loop = (f32[64,32]{1,0:T(8,128)}, s32[8]{0:T(128)}) while(%pair), condition=%more, body=%body
  %told = f64[]{:T(128)} custom-call(%p.1), custom_call_target="xla_ffi_python_cpu_callback"
  ROOT %end = f32[]{:T(128)} constant(0)
}
"""  # noqa: E501
ROWS, TABLE = 8 * 32 * 4, 64 * 32 * 4


def test_the_text_of_a_program_is_read() -> None:
    module = read_module(TEXT)
    assert module.entry == "main.9" and set(module.computations) == {"rows", "body", "main.9"}
    assert collectives(module, {"member": 2, "data": 2}) == [
        Collective("all-reduce", "data", "f32", 1, ROWS, 2),
        Collective("all-reduce", "member", "f32", 1, ROWS, 2),
    ]
    # Of the table that a fusion gathers from, the rows count; what is done cost nothing again.
    looped = (ROWS + 32 + ROWS) + 2 * (ROWS + ROWS)
    assert moved_bytes(module) == Moved(2 * TABLE + 8 + 32, looped)
    assert unwanted(module) == ["told"]
    found = padding(module)
    assert found.bytes == TABLE + 8 + 3 * ROWS  # what starts a sum yields it, too
    assert found.worst[0] == ("f32[64,32]", 4.0)


def test_what_is_asked_to_be_multiplied_is_counted_by_type() -> None:
    asked = """
      %1 = stablehlo.convolution(%a, %b) dim_numbers = [b, 0, 1, f]x[0, 1, i, o]->[b, 0, 1, f], window = {} : (tensor<2x8x8x3xbf16>, tensor<3x3x3x4xbf16>) -> tensor<2x8x8x4xbf16>
      %2 = stablehlo.dot_general %c, %d, contracting_dims = [1] x [0] : (tensor<2x4xf32>, tensor<4x5xf32>) -> tensor<2x5xf32>
      %3 = stablehlo.dot_general %c, %d, contracting_dims = [0] x [0] : (tensor<4xbf16>, tensor<4xf32>) -> tensor<f32>
      %4 = stablehlo.add %c, %d : tensor<2x4xf32>
    """  # noqa: E501
    assert multiplied(asked) == {"bf16": 1, "bf16*f32": 1, "f32": 1}
    lowered = jax.jit(lambda a, b: a @ b).lower(np.zeros((2, 3)), np.zeros((3, 4)))
    assert multiplied(lowered.as_text()) == {"f32": 1}


@given(
    st.lists(st.integers(1, 300), min_size=2, max_size=4),
    st.permutations(range(4)),
    st.sampled_from([(8, 128), (4, 128), (16, 128)]),
)
def test_an_array_is_padded_in_its_two_fastest_axes(
    sides: list[int], mixed: list[int], tile: tuple[int, int]
) -> None:
    order = [axis for axis in mixed if axis < len(sides)]
    layout = f"{','.join(map(str, order))}:T({tile[0]},{tile[1]})(2,1)S(1)"
    padded = list(sides)
    padded[order[0]] = math.ceil(sides[order[0]] / tile[1]) * tile[1]
    padded[order[1]] = math.ceil(sides[order[1]] / tile[0]) * tile[0]
    array = Array("bf16", tuple(sides), layout)
    assert padded_bytes(array) == 2 * math.prod(padded) >= array.bytes
    assert padded_bytes(array._replace(layout=",".join(map(str, order)))) == array.bytes


def test_a_bound_is_that_of_the_slowest_part() -> None:
    chip = CHIPS["v5e"]
    target = Slice("v5e:2x4", chip, (2, 4), ())
    sent = [Collective("all-reduce", "data", "f32", 3, 8_000_000, 8),
            Collective("all-gather", "data", "f32", 1, 8_000_000, 2)]  # fmt: skip
    found = bound(target, chip.flops, 2 * chip.bandwidth, sent)
    assert found.compute == 1 and found.memory == 2 and found.by == "memory"
    assert found.network == pytest.approx((14e6 + 4e6) / chip.interconnect)
    assert found.seconds == pytest.approx(2 + found.network)
    assert bound(target, 3 * chip.flops, 0.0, []).seconds == 3


def test_costs_are_those_of_all_chips_for_the_time_of_all_groups() -> None:
    target = Slice("v5e-4", CHIPS["v5e"], (2, 2), jax.devices()[:4])
    rows = costs([{"fits": True, "seconds": 3600}, {"fits": True, "seconds": 1800}], target, 2.0)
    assert rows is not None and [row["share"] for row in rows] == list(SHARES)
    assert rows[0] == {"share": 1.0, "hours": 1.5, "chip_hours": 6.0, "money": 12.0}
    assert rows[-1]["hours"] == pytest.approx(1.5 / SHARES[-1])
    assert costs([{"fits": False}], target, 2.0) is None
    assert "money" not in (costs([], target, None) or [])[0]


@given(
    st.integers(1, 4096), st.sampled_from([1, 2, 8, 24]), st.integers(1, 60_000),
    st.integers(0, 500), st.floats(0.5, 50.0), st.integers(100, 100_000),
)  # fmt: skip
def test_the_largest_batch_is_that_of_a_search_through_all(
    given_size: int, parts: int, most: int, fixed: int, each: float, memory: int
) -> None:
    def peak(size: int) -> int | None:
        taken = int(fixed + each * size)
        return taken if taken <= memory else None

    sizes = [parts * size for size in PER_CHIP if parts * size <= most]
    tried = find_batch(given_size, parts, most, memory, peak)
    assert list(tried) == sorted(tried) and set(tried) <= set(sizes)
    best = max((size for size in sizes if peak(size) is not None), default=None)
    assert max((size for size, bytes_ in tried.items() if bytes_ is not None), default=None) == best


# Names ------------------------------------------------------------------------------------


def test_the_number_in_a_name_counts_cores_or_chips() -> None:
    usual = {"v4-8": (2, 2, 1), "v4-16": (2, 2, 2), "v4-32": (2, 2, 4), "v5p-64": (2, 4, 4),
             "v4-128": (4, 4, 4), "v4-1024": (8, 8, 8), "v5e-1": (1, 1), "v5e-8": (2, 4),
             "v6e-256": (16, 16), "v5e:4x4": (4, 4), "v4:2x2x4": (2, 2, 4)}  # fmt: skip
    for name, shape in usual.items():
        chip, found = parse(name)
        assert found == shape and name.startswith(chip.name)
        if "-" in name:
            assert math.prod(shape) * chip.cores_in_name == int(name.split("-")[1])
    assert [parse(f"h100x{n}")[1] for n in (1, 8, 16)] == [(1, 1), (1, 8), (2, 8)]


@pytest.mark.parametrize("name", [
    "v9-8", "tpu", "v5e", "v5e-3", "v5e:2x4x4", "v4:2x2", "v4-9", "v4-4", "v5e:0x4", "v5e:99x99",
    "h100x9", "h100x0", "h100-8", "v5e x 8", "-8", "h100:2x4",
])  # fmt: skip
def test_what_is_no_slice_is_refused(name: str) -> None:
    with pytest.raises(UserError, match="--topology"):
        parse(name)


def compiling(*arguments: str) -> object:
    words = ["rethinking_jax.train_compile", *arguments]
    return commands.answer(train_compile.main, words, Path.cwd())


@pytest.mark.parametrize(("arguments", "words"), [
    ((), "--topology is missing"),
    (("--topology=v9-8",), "'v9-8' is not known: give one such as v5e-8"),
    (("--topology=v5e-8", "--config=configs/kernel.py"), "experiment of theory"),
    (("--topology=v5e-8", "--config.epoch=3"), "epoch"),
    (("--topology=v5e-8", "--json=/no/such/folder/x.json"), "there is no folder"),
        (("--topology=v5e-8", "--json=/"), "--json=/ is a folder: give the name of a file"),
    (("--topology=v5e-8", "--price_per_hour=-1"), "price_per_hour"),
    (("--topology=v5e-8", "--find=1"), "find"),
])  # fmt: skip
def test_a_mistake_is_one_line(arguments: tuple[str, ...], words: str) -> None:
    result = compiling(*arguments)
    assert result.returncode == 2 and words in result.stderr and not result.stdout
    assert result.stderr.count("\n") == 1


def test_what_compiles_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, package=None: None)
    for topology, words in (("v5e-8", install("compile")),
                            ("h100x8", "jax-cuda12-plugin[with-cuda]==")):  # fmt: skip
        result = compiling(f"--topology={topology}")
        assert result.returncode == 2 and words in result.stderr, result.stderr
        assert result.stderr.count("\n") == 1


def test_help_says_how_it_is_used() -> None:
    result = compiling("--help")
    assert result.returncode == 0 and "--topology=SLICE" in result.stdout


def test_no_option_of_a_cpu_is_given_to_an_accelerator() -> None:
    assert xla_options("tpu", True) == xla_options("gpu", True) == {}


# Shapes ---------------------------------------------------------------------------------


def members(**changes: object) -> list[configs.Member]:
    config = configs.base_config()
    config.model, config.hidden_sizes, config.epochs = "mlp", (8,), 1
    config.batch_size, config.eval_batch_size = 50, 100
    config.update(changes)
    return configs.members(config)


@pytest.mark.parametrize("changes", [
    {}, {"crop_size": 20, "corruption": "gaussian"}, {"crop_size": 0, "train_examples": 300},
    {"validation_examples": 100, "batch_size": 0}, {"dataset": "checkerboard:200+9",
     "crop_size": 0, "preprocess": "none"},
], ids=str)  # fmt: skip
def test_shapes_are_those_of_the_data_and_programs_take_the_arrays_of_a_run(
    changes: dict, data_dir: Path
) -> None:
    """The programs that are lowered for shapes are called with what a run would give them."""
    own, other = (members(data_dir=str(data_dir), **changes) for _ in range(2))
    real, found = load_datasets(own, lambda line: None), shapes_of(other, 2**34)
    assert own[0].config.batch_size == other[0].config.batch_size
    key = dataset_key(own[0].config)
    for name, split in real[key].splits.items():
        shape = found[key].splits[name]
        assert (shape.images.shape, shape.images.dtype) == (split.images.shape, split.images.dtype)
        assert len(shape.labels) == len(shape.ids) == len(split)
    assert found[key].num_classes == real[key].num_classes
    devices = jax.devices()[:1]
    (chunk,) = groups.make_chunks(own, real, "tpu", devices)
    (shapes,) = groups.make_chunks(other, found, "tpu", devices, free=2**34)
    train = resident.examples(chunk, resident.images(chunk), [0])["train"]
    state = chunk.engine.init(hyper(chunk.runs))
    given_ = steps_of(shapes, "tpu")["train"].lower().args_info[0]
    for arrays, infos in zip((state, zero_running(1), train), given_, strict=False):
        for array, info in zip(jax.tree.leaves(arrays), jax.tree.leaves(infos), strict=True):
            assert (array.shape, array.dtype) == (info.shape, info.dtype)


def test_a_set_that_is_too_large_for_a_chip_is_streamed() -> None:
    for memory, streamed in ((10**7, True), (10**9, False)):
        (found,) = shapes_of(members(dataset="mnist"), memory).values()
        assert found.streamed == streamed and found.image_shape[:2] == (28, 28)
    (found,) = shapes_of(
        members(dataset="imagenet2012", image_size=299, crop_size=0), 10**10
    ).values()
    assert found.streamed and (len(found.train), len(found.test)) == (1_281_167, 50_000)
    with pytest.raises(UserError, match="image_size=0"):
        shapes_of(members(dataset="imagenet2012"), 10**10)
    with pytest.raises(UserError, match="stl10"):
        shapes_of(members(dataset="stl10", data_dir="/tmp"), 10**10)
