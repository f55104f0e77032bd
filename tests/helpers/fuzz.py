"""How many cases a fuzz of a door tries: always the same ones, fewer in the fast tests.

    RETHINKING_JAX_FUZZ_CASES=5000 python -m pytest -m slow tests/test_fuzz_*.py

tries so many for every door.
"""

import os
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

LONG = int(os.environ.get("RETHINKING_JAX_FUZZ_CASES", "0"))


def few(cases: st.SearchStrategy[Any], count: int) -> Callable[..., Any]:
    """Makes a test of a function of one case, for the fast tests."""
    return _tried(cases, count)


def many(cases: st.SearchStrategy[Any], count: int) -> Callable[..., Any]:
    """Makes a slow test of a function of one case."""
    tried = _tried(cases, LONG or count)
    return lambda check: pytest.mark.slow(tried(check))


def _tried(cases: st.SearchStrategy[Any], count: int) -> Callable[..., Any]:
    fixed = settings(
        max_examples=count,
        derandomize=True,
        deadline=None,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    return lambda check: fixed(given(case=cases)(check))
