"""Sets of tensorflow_datasets: prepared once, read without TensorFlow."""

from typing import Any, TypeAlias

# tensorflow_datasets has no types, so what it returns can be anything to a type checker.
Builder: TypeAlias = Any
Features: TypeAlias = Any
