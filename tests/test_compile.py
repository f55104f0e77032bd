"""What must hold of the programs on every slice of TPUs: XLA compiles them here, without one.

It takes libtpu, the extra `compile`: python -m pytest -m compile
"""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from rethinking_jax.sweep.memory import SHARE

pytestmark = [
    pytest.mark.compile,
    pytest.mark.skipif(
        importlib.util.find_spec("libtpu") is None,
        reason="libtpu is not installed, which compiles for TPUs: pip install '.[compile]'",
    ),
]
CONVOLVING = {
    "model": "alexnet_small", "dtype": "bfloat16", "batch_size": 48, "eval_batch_size": 50,
    "corruption": "random_labels", "augmentation": "flip",
}  # fmt: skip
SWEEP = [{"seed": seed} for seed in range(33)]
MLPS = {"model": "mlp", "hidden_sizes": (64,), "sweep": json.dumps(SWEEP)}
CASES = {
    "streamed": ("v5e:2x4", CONVOLVING | {"input": "stream"}),
    "shared batches": ("v5e:2x4", CONVOLVING | {
        "data_devices": 2, "sweep": json.dumps(SWEEP[:4]), "train_examples": 960,
    }),
    "sweep": ("v5e:8x8", MLPS | {"train_examples": 960}),
    "too large": ("v5e:1x1", {"model": "mlp", "hidden_sizes": (1_000_000,)}),
    "not to be parted": ("v5e:2x4", {"model": "alexnet_small", "input": "stream",
                                     "batch_size": 50}),
    # ImageNet at 32 x 32 did not go onto a v5e (18.4 GiB) when images lay there as they are.
    "imagenet": ("v5e:1x1", {
        "model": "mlp_1x512", "dataset": "imagenet_resized/32x32", "crop_size": 0,
        "sweep": json.dumps(SWEEP),
    }),
    # Each takes less than half of what is estimated, and so more of them go onto a chip.
    "cut": ("v5e:1x1", {"model": "mlp", "hidden_sizes": (30_000,), "train_examples": 960,
                        "sweep": json.dumps(SWEEP)}),
    "another chip": ("v4:2x2x1", MLPS | {"dtype": "float32", "train_examples": 960}),
}  # fmt: skip
SLICES = [
    "v5e-1", "v5e-4", "v5e-8", "v5e-16", "v5e-32", "v5e-64", "v6e-8", "v6e-16", "v6e-256", "v4-8",
    "v4-16", "v4-32", "v4-128", "v5p-16", "v5p-64",
]  # fmt: skip


def environment() -> dict[str, str]:
    paths = os.pathsep.join([str(REPOSITORY), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": paths, "XLA_FLAGS": ""}


def ahead(cases: list[dict]) -> list[dict]:
    words = [sys.executable, str(Path(__file__).parent / "helpers" / "ahead.py"), json.dumps(cases)]
    done = subprocess.run(words, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: list[dict] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def reports() -> dict[str, dict]:
    """What came of each case, in one process."""
    cases = [{"topology": topology, "config": config} for topology, config in CASES.values()]
    return dict(zip(CASES, ahead(cases), strict=True))


def programs(reports: dict[str, dict]) -> list[tuple[str, str, dict]]:
    """Every program that fits, with the names of its case and its own."""
    return [
        (case, name, program)
        for case, report in reports.items()
        for group in report.get("groups", [])
        for name, program in group["programs"].items()
    ]


def test_chips_send_sums_over_the_data_alone(reports: dict[str, dict]) -> None:
    for case, name, program in programs(reports):
        sent = program["collectives"]
        assert {one["kind"] for one in sent} <= {"all-reduce"}, (case, name)
        assert {one["axes"] for one in sent} <= {"data"}, (case, name)
        assert bool(sent) == (case in ("streamed", "shared batches")), (case, name)
    # Each gradient once, of its own size: the weights of the small AlexNet.
    (streamed,) = reports["streamed"]["groups"]
    assert streamed["mesh"] == {"member": 1, "data": 8}
    gradients = sum(one["arrays"] for one in streamed["programs"]["train"]["collectives"]
                    if one["dtype"] in ("f32", "bf16"))  # fmt: skip
    assert gradients == 10 + 1  # five layers' weights and biases, and the loss


def test_members_take_all_chips_of_all_hosts(reports: dict[str, dict]) -> None:
    (group,) = reports["sweep"]["groups"]
    assert reports["sweep"]["topology"]["hosts"] == 16
    assert group["mesh"] == {"member": 64, "data": 1} and group["runs"] == 33
    assert "31 of 64 places train copies" in group["notes"]
    (shared,) = reports["shared batches"]["groups"]
    assert shared["mesh"] == {"member": 4, "data": 2}


def test_convolutions_are_of_the_asked_type(reports: dict[str, dict]) -> None:
    """The last layer computes in float32, whatever the network does."""
    for case in ("streamed", "shared batches"):
        (group,) = reports[case]["groups"]
        assert group["programs"]["train"]["multiplied"] == {"bf16": 11, "f32": 3}, case
        assert group["programs"]["evaluate"]["multiplied"] == {"bf16": 4, "f32": 1}, case
    assert set(reports["another chip"]["groups"][0]["programs"]["train"]["multiplied"]) == {"f32"}


def test_nothing_calls_the_host_or_computes_in_double_precision(reports: dict[str, dict]) -> None:
    fitting = len(CASES) - 2 + 1  # "cut" has groups of two sizes
    assert len(programs(reports)) == 2 * fitting
    for case, name, program in programs(reports):
        assert program["unwanted"] == [], (case, name)


def test_the_state_is_donated(reports: dict[str, dict]) -> None:
    for case, name, program in programs(reports):
        memory = program["memory"]
        if name == "train":  # all but some bytes of sums and of the tuple of results
            assert memory["donated"] > 0.99 * memory["results"], case
            assert memory["results"] - memory["donated"] < 2**16, case


def test_what_fits_and_what_does_not(reports: dict[str, dict]) -> None:
    (large,) = reports["too large"]["groups"]
    assert not large["fits"] and "Ran out of memory" in large["why_not"]
    assert reports["too large"]["costs"] is None
    for case in ("streamed", "shared batches", "sweep", "imagenet", "another chip"):
        (group,) = reports[case]["groups"]
        peaks = [one["memory"]["peak"] for one in group["programs"].values()]
        assert group["fits"] and max(peaks) < reports[case]["topology"]["memory_bytes"], case
        assert reports[case]["costs"][0]["hours"] > 0
    (imagenet,) = reports["imagenet"]["groups"]
    assert imagenet["programs"]["train"]["memory"]["peak"] < 8 * 2**30
    assert imagenet["programs"]["train"]["padding"]["times"] < 1.2
    assert reports["not to be parted"]["error"].startswith("config.batch_size=50 cannot be parted")


def test_a_group_is_cut_by_what_its_train_step_takes(reports: dict[str, dict]) -> None:
    groups = reports["cut"]["groups"]
    first = groups[0]
    peak, memory = (first["programs"]["train"]["memory"]["peak"],
                    reports["cut"]["topology"]["memory_bytes"])  # fmt: skip
    weights = 4 * 28 * 28 * 3 * 30_000
    estimate = 2 * 2 * weights + weights  # two states of weights and momentum, and a gradient
    assert sum(group["runs"] for group in groups) == 33
    assert first["at_once"] > SHARE * memory / estimate  # as many as the estimate would let
    assert 0.9 * SHARE * memory - 2 * 2 * weights < peak < memory


def test_operations_are_those_of_the_layers(reports: dict[str, dict]) -> None:
    for case, name, program in programs(reports):
        share = program["flops"] / program["counted_flops"]
        assert 0.85 < share < 1.25, (case, name, share)


def test_each_process_reads_one_stretch_of_a_batch() -> None:
    for name, found in zip(SLICES, ahead([{"topology": name, "rows": 1024} for name in SLICES]),
                           strict=True):  # fmt: skip
        for order in ("natural", "mixed"):
            ends = [0, *(end for _, end in found[order])]
            assert [start for start, _ in found[order]] == ends[:-1] and ends[-1] == 1024, name
        several = len(found["natural"]) > 1
        assert ("must be neighbours" in found["refused"]) == several, name


def test_the_command_shows_and_writes_what_it_found(tmp_path: Path) -> None:
    file = tmp_path / "plan.json"
    words = [sys.executable, "-m", "rethinking_jax.train_compile", "--topology=v5e:1x1",
             "--config.model=mlp", "--config.hidden_sizes=8", "--config.dataset=mnist",
             "--price_per_hour=2", "--find_batch", "--config.batch_size=16384"]  # fmt: skip
    done = subprocess.run([*words, f"--json={file}"], cwd=REPOSITORY, env=environment(),
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 0 and done.stderr == "", done.stderr
    report = json.loads(file.read_text())
    assert "It fits." in done.stdout and "at 45% of the bound" in done.stdout
    assert report["groups"][0]["largest_batch"] == 49_152  # of 60,000 examples
    assert report["costs"][0]["money"] == pytest.approx(2 * report["costs"][0]["chip_hours"])
    assert report["optimization"] == "O0" and "libtpu" in report["versions"]
    done = subprocess.run([*words[:3], "--topology=v5e:3x5"], cwd=REPOSITORY, env=environment(),
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 2 and "there is no such slice" in done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
