"""Huge pages: a command asks for them where the system leaves that to programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import REPOSITORY

from rethinking_jax.host import pages

# It writes 200 MB and frees them twice, as train steps do; the system counts the pages that it has
# to find for the second time.
PROGRAM = """
import ctypes, os, resource, sys
from rethinking_jax.host import pages
pages.begin_with_huge_pages("program")

libc, size = ctypes.CDLL(None), 200 * 10**6
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def count():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    place = libc.malloc(ctypes.c_size_t(size))
    ctypes.memset(place, 1, size)
    libc.free(place)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

count()
print(os.getpid(), count(), *sys.argv[1:])
"""


def answer(folder: Path, *words: str) -> tuple[str, str, int, str]:
    """Runs the program: (pid as the system has it, as it says itself, pages, the rest)."""
    (folder / "program.py").write_text(PROGRAM)
    environment = {k: v for k, v in os.environ.items() if k != pages.TUNABLES}
    environment["PYTHONPATH"] = os.pathsep.join([str(folder), str(REPOSITORY)])
    process = subprocess.Popen(
        [sys.executable, "-X", "utf8", *words], env=environment, stdout=subprocess.PIPE, text=True
    )
    said, _ = process.communicate()
    assert process.returncode == 0
    pid, found, rest = said.split(maxsplit=2)
    return str(process.pid), pid, int(found), rest


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A system that leaves huge pages to programs, and glibc 2.36."""
    policy = tmp_path / "enabled"
    policy.write_text("always [madvise] never\n")
    monkeypatch.setattr(pages, "POLICY", policy)
    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.36", raising=False)
    return policy


left_to_programs = pytest.mark.skipif(
    pages.wanted({}) is None, reason="this system gives huge pages to all, or has none"
)


@left_to_programs
def test_a_process_begins_anew_as_itself_and_finds_fewer_pages(tmp_path: Path) -> None:
    number, pid, huge, rest = answer(tmp_path, "-m", "program", "--key=a b", "ü")
    assert (number, rest) == (pid, "--key=a b ü\n")
    # With 4 KiB, or with the 64 KiB that some machines have, they are 49,000 or 3,000.
    assert huge < 1000


@left_to_programs
def test_nothing_begins_anew_in_a_profiler(tmp_path: Path) -> None:
    output = str(tmp_path / "profile")
    words = ("-m", "cProfile", "-o", output, "-m", "program", "one")
    number, pid, small, rest = answer(tmp_path, *words)
    assert (number, rest) == (pid, "one\n") and small > 2500


def test_what_the_user_says_stays(asked: Path) -> None:
    assert pages.wanted({}) == "glibc.malloc.hugetlb=1"
    other = {pages.TUNABLES: "glibc.malloc.check=3"}
    assert pages.wanted(other) == "glibc.malloc.check=3:glibc.malloc.hugetlb=1"
    assert pages.wanted({pages.TUNABLES: "glibc.malloc.hugetlb=0"}) is None
    assert pages.wanted({pages.TUNABLES: pages.wanted({}) or ""}) is None


@pytest.mark.parametrize("policy", ["[always] madvise never\n", "always madvise [never]\n", None])
def test_nothing_is_asked_where_it_has_no_effect(asked: Path, policy: str | None) -> None:
    asked.unlink() if policy is None else asked.write_text(policy)
    assert pages.wanted({}) is None


@pytest.mark.parametrize("library", ["glibc 2.31", "musl 1.2", "", None])
def test_nothing_is_asked_of_another_c_library(
    asked: Path, library: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "confstr", lambda name: library, raising=False)
    assert pages.wanted({}) is None
