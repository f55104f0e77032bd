"""Memory that a process frees: kept for the next step where networks convolve on a CPU."""

import importlib.metadata
import importlib.util
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from rethinking_jax import main
from rethinking_jax.errors import UserError
from rethinking_jax.host import cpu, environment, memory

# A thread writes 200 MB and frees them, as a train step does; the system counts the pages that it
# has to find for it.
PROGRAM = """
import ctypes, resource, threading
from rethinking_jax.host import memory

libc, size = ctypes.CDLL(None), 200 * 10**6
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def step():
    place = libc.malloc(ctypes.c_size_t(size))
    ctypes.memset(place, 1, size)
    libc.free(place)

def pages():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    thread = threading.Thread(target=step)
    thread.start()
    thread.join()
    print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc is the C library of Linux")
def test_a_step_finds_the_memory_of_the_one_before() -> None:
    then = "memory.keep_freed_memory(); pages(); pages()\nmemory.host_free_bytes(); pages()\n"
    words = [sys.executable, "-c", f"{PROGRAM}\n{then}\nmemory.return_freed_memory(); pages()"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)
    first, second, asked, returned = map(int, done.stdout.split())
    # With pages of 64 KiB, as some machines have, 200 MB are 3,000.
    assert first > 2500 and second < first / 50
    assert asked > first / 2, "what was kept does not count as free"
    assert returned > first / 2


@pytest.mark.parametrize(
    ("model", "alone", "kept"),
    [("alexnet_small", True, 1), ("alexnet_small", False, 0), ("mlp_1x512", True, 0)],
)
def test_the_command_keeps_memory_where_a_network_convolves_on_a_cpu(
    model: str, alone: bool, kept: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    def stop() -> None:
        events.append("devices")
        raise UserError("this is as far as the test goes")

    monkeypatch.setattr(memory, "keep_freed_memory", lambda: events.append("kept"))
    monkeypatch.setattr(cpu, "is_alone", lambda: alone)
    monkeypatch.setattr(environment, "check_devices", stop)
    words = ["--config=cifar10_random:mlp_1x512", f"--config.model={model}"]
    assert main.main(["main", *words, f"--workdir={tmp_path / 'run'}"]) == 2
    assert events == ["kept"] * kept + ["devices"]


@pytest.mark.parametrize(
    ("platforms", "plugins", "modules", "alone"),
    [
        ("cpu", ("cuda",), ("jax_plugins",), True),
        ("cuda,cpu", (), (), False),
        (None, (), (), True),
        (None, ("cuda",), (), False),
        (None, (), ("jax_plugins",), False),
        (None, (), ("libtpu",), False),
    ],
)
def test_whether_there_can_be_another_device(
    platforms: str | None,
    plugins: tuple[str, ...],
    modules: tuple[str, ...],
    alone: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = jax.config.jax_platforms  # type: ignore[attr-defined]
    monkeypatch.setattr(importlib.metadata, "entry_points", lambda group: plugins)
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name in modules or None)
    jax.config.update("jax_platforms", platforms)
    try:
        assert cpu.is_alone() == alone
    finally:
        jax.config.update("jax_platforms", before)
