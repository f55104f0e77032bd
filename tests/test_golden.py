"""The numbers, labels, file names and metric names of a few small commands never change.

`tests/golden/NAME.json` holds what each command wrote when it was recorded. On a machine of
the same kind (processor, JAX) the SHA-256 of every file must be equal; on another one, whose
rounding differs, the same keys, integers and labels are wanted and floats that are near.
A file may have more keys than were recorded, never fewer or others in their place.

    python tests/test_golden.py    records the files anew; only for a change that is meant
"""

import hashlib
import io
import json
import math
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable, Iterable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest

FOLDER = Path(__file__).parent / "golden"
ROOT = Path(__file__).parents[1]
# What is no number of the experiment: times, versions, the machine, and the way it was typed.
TIMES = ("images_per_second", "elapsed_seconds", "waiting_for_input", "seconds")
OF_THE_DAY = ("wall_seconds", "versions", "command", "device", *TIMES)
SMALL = ("--config.train_examples=300", "--config.hidden_sizes=(16,)", "--config.model=mlp")
CASES = {
    "quickstart": ("--config.train_examples=400", "--config.epochs=4"),
    "figure1_b": (
        "--config=configs/figure1.py:b,dataset=mnist5k,models=mlp_1x512,levels=3,seeds=2,"
        "train_examples=300,epochs=4",
        "--config.vectorize=vmap",
    ),
    "kernel": ("--config=configs/kernel.py:train_examples=300",),
    "course_randomization": (
        "--config=configs/course_randomization.py:seeds=1,epochs=3,train_examples=300",
    ),
    "streamed": (
        *SMALL,
        "--config.input=stream",
        "--config.epochs=3",
        "--config.augmentation=crop+flip",
        "--config.crop_size=24",
        '--config.sweep=[{"corruption": "random_labels"}, {"corruption": "random_pixels"}]',
    ),
}
# A run of the version before that was stopped after two of its epochs, see `record_stopped`.
STOPPED = (
    *SMALL,
    "--config.epochs=6",
    "--config.dropout_rate=0.2",
    "--config.stop_when_fitted=False",
    '--config.sweep=[{"corruption": "random_labels"}, {"corruption": "gaussian"}]',
)


def machine() -> dict[str, str]:
    """What decides how floats are rounded."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    packages = {name: version(name) for name in ("jax", "jaxlib", "numpy", "scipy")}
    return {"processor": model, "cores": str(os.cpu_count()), **packages}


def without(plain: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return {key: value for key, value in plain.items() if key not in keys}


def contents(workdir: Path) -> dict[str, Any]:
    """What is compared of a workdir."""
    summary = without(json.loads((workdir / "summary.json").read_text()), OF_THE_DAY)
    summary["members"] = [without(member, OF_THE_DAY) for member in summary["members"]]
    found: dict[str, Any] = {
        "files": sorted(
            str(path.relative_to(workdir))
            for path in workdir.rglob("*")
            if path.is_file() and "checkpoints" not in path.relative_to(workdir).parts
        ),
        "config": json.loads((workdir / "config.json").read_text()),
        "summary": summary,
    }
    if (workdir / "metrics.jsonl").exists():
        texts = (workdir / "metrics.jsonl").read_text().splitlines()
        found["metrics"] = [without(json.loads(text), TIMES) for text in texts]
    if (workdir / "labels.npz").exists():
        with np.load(workdir / "labels.npz") as labels:
            found["labels"] = {
                name: hashlib.sha256(labels[name].astype("<i4").tobytes()).hexdigest()
                for name in labels.files
            }
    return found


def pruned(now: Any, recorded: Any) -> Any:
    """`now` without the keys that dictionaries of `recorded` do not have."""
    if isinstance(now, dict) and isinstance(recorded, dict):
        return {key: pruned(value, recorded[key]) for key, value in now.items() if key in recorded}
    if isinstance(now, list) and isinstance(recorded, list) and len(now) == len(recorded):
        return [pruned(a, b) for a, b in zip(now, recorded, strict=True)]
    return now


def sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def differences(now: Any, recorded: Any, place: str = "") -> list[str]:
    """Where two values differ by more than another machine's rounding."""
    if isinstance(now, dict) and isinstance(recorded, dict):
        if now.keys() != recorded.keys():
            return [f"{place}: the keys {now.keys() ^ recorded.keys()} are in one of them"]
        return [x for key in now for x in differences(now[key], recorded[key], f"{place}/{key}")]
    if isinstance(now, list) and isinstance(recorded, list):
        if len(now) != len(recorded):
            return [f"{place}: {len(now)} entries, recorded were {len(recorded)}"]
        pairs = zip(now, recorded, strict=True)
        return [x for i, (a, b) in enumerate(pairs) for x in differences(a, b, f"{place}[{i}]")]
    if isinstance(now, float) and isinstance(recorded, float):
        near = math.isclose(now, recorded, rel_tol=0.02, abs_tol=0.02)
        return [] if near else [f"{place}: {now!r}, recorded was {recorded!r}"]
    if isinstance(now, str) and isinstance(recorded, str):  # a sentence may hold numbers
        now, recorded = (re.sub(r"\d[\d.,e-]*", "#", text) for text in (now, recorded))
    return [] if now == recorded else [f"{place}: {now!r}, recorded was {recorded!r}"]


def check(name: str, workdir: Path) -> None:
    golden = json.loads((FOLDER / f"{name}.json").read_text())
    recorded, now = golden["contents"], contents(workdir)
    files = now["files"]
    assert not set(recorded["files"]) - set(files), "a file of the workdir is gone"
    now["files"] = recorded["files"]
    now = pruned(now, recorded)
    found = differences(now, recorded)
    assert not found, "\n".join(found[:20])
    if golden["machine"] == machine():
        assert {part: sha256(value) for part, value in now.items()} == golden["sha256"]


@pytest.mark.parametrize("name", CASES)
def test_a_command_writes_what_it_always_wrote(
    name: str,
    command: Callable[..., subprocess.CompletedProcess[str]],
    as_users: dict[str, str],
    tmp_path: Path,
) -> None:
    done = command(*CASES[name], "--workdir=there", cwd=tmp_path, env=as_users)
    assert done.returncode == 0, done.stderr
    check(name, tmp_path / "there")


def test_a_workdir_of_the_version_before_goes_on(
    command: Callable[..., subprocess.CompletedProcess[str]],
    as_users: dict[str, str],
    tmp_path: Path,
) -> None:
    with tarfile.open(FOLDER / "stopped.tar.gz") as archive:
        archive.extractall(tmp_path, filter="data")
    before = len((tmp_path / "stopped" / "metrics.jsonl").read_text().splitlines())
    done = command(*STOPPED, "--workdir=stopped", cwd=tmp_path, env=as_users)
    assert done.returncode == 0, done.stderr
    assert "resuming from step" in done.stdout
    assert 0 < before < len((tmp_path / "stopped" / "metrics.jsonl").read_text().splitlines())
    check("stopped", tmp_path / "stopped")


# Recording --------------------------------------------------------------------------------


def main() -> None:
    """Records every case, and a workdir that was stopped."""
    words = [sys.executable, "-m", "rethinking_jax.main"]
    kept = {key: value for key, value in os.environ.items() if key != "XLA_FLAGS"}
    settings: dict[str, Any] = {"env": kept | {"PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}}
    folder = Path(os.environ.get("TMPDIR", "/tmp")) / f"golden-{os.getpid()}"
    folder.mkdir()
    for name, arguments in {**CASES, "stopped": STOPPED}.items():
        workdir = folder / name
        subprocess.run(
            [*words, *arguments, f"--workdir={workdir}"], check=True, cwd=ROOT, **settings
        )
        found = contents(workdir)
        golden = {
            "machine": machine(),
            "sha256": {part: sha256(value) for part, value in found.items()},
            "contents": found,
        }
        (FOLDER / f"{name}.json").write_text(json.dumps(golden, indent=1) + "\n")
    record_stopped(words, folder, settings)
    shutil.rmtree(folder)


def record_stopped(words: list[str], folder: Path, settings: dict[str, Any]) -> None:
    """Starts the run of `STOPPED`, stops it after its second epoch and keeps its workdir."""
    workdir = folder / "half" / "stopped"
    process = subprocess.Popen([*words, *STOPPED, f"--workdir={workdir}"], cwd=ROOT, **settings)
    metrics = workdir / "metrics.jsonl"
    while not metrics.exists() or len(metrics.read_text().splitlines()) < 2:
        time.sleep(0.001)
        assert process.poll() is None, "it ended too early"
    process.send_signal(signal.SIGTERM)
    assert process.wait() == 1
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as archive:
        archive.add(workdir, "stopped")
    (FOLDER / "stopped.tar.gz").write_bytes(content.getvalue())


if __name__ == "__main__":
    main()
