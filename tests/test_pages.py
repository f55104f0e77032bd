"""Huge pages: a command asks for them where the system leaves that to programs."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rethinking_jax.host import pages

# A thread writes 200 MB and frees them, as a train step does; the system counts the pages that it
# has to find for it.
PROGRAM = """
import ctypes, os, resource, sys
from rethinking_jax.host import pages
pages.begin_with_huge_pages()

libc, size = ctypes.CDLL(None), 200 * 10**6
libc.malloc.restype, libc.free.argtypes = ctypes.c_void_p, [ctypes.c_void_p]

def count():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    place = libc.malloc(ctypes.c_size_t(size))
    ctypes.memset(place, 1, size)
    libc.free(place)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

count()
found = count()
with pages.small_pages():
    small = count()
print(os.getpid(), found, small, count(), *sys.argv[1:])
"""


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A system that leaves huge pages to programs, and glibc 2.36."""
    policy = tmp_path / "enabled"
    policy.write_text("always [madvise] never\n")
    monkeypatch.setattr(pages, "POLICY", policy)
    monkeypatch.setattr(os, "confstr", lambda name: "glibc 2.36", raising=False)
    return policy


@pytest.mark.skipif(
    pages.wanted({}) is None, reason="this system gives huge pages to all, or has none"
)
def test_a_process_begins_anew_as_itself_and_finds_fewer_pages(tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM)
    words = [sys.executable, "-X", "utf8", str(program), "--key=a b", "ü"]
    environment = {k: v for k, v in os.environ.items() if k != pages.TUNABLES}
    environment["PYTHONPATH"] = str(Path(pages.__file__).parents[2])
    process = subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, text=True)
    number, huge, small, again, *rest = (process.communicate()[0] or "").split(maxsplit=4)
    assert process.returncode == 0 and rest == ["--key=a b ü\n"]
    assert int(number) == process.pid
    assert int(small) > 2500 and max(int(huge), int(again)) < int(small) / 20


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
