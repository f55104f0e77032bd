"""Values of a config: which Python objects a key takes, and what it then holds."""

import os
from collections.abc import Mapping

import numpy as np

# What a key of each type takes. A truth value is an int to Python, and none here.
TAKEN: dict[type, tuple[type, ...]] = {
    bool: (bool,),
    int: (int,),
    float: (int, float),
    str: (str,),
    tuple: (list, tuple),
}


def plain(value: object) -> object:
    """Returns a value in Python's own types, of which JSON knows all.

    Scalars and arrays of NumPy, JAX and their like become numbers and tuples of numbers, paths
    become texts; dicts, lists, tuples and ranges are looked into. What is none of these stays.
    A float of 32 or fewer bits becomes the decimal that it is printed as: `np.float32(0.1)` is 0.1
    and not 0.10000000149011612.
    """
    if isinstance(value, Mapping):
        return {plain(key): plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [plain(one) for one in value]
    if isinstance(value, (tuple, range)):
        return tuple(plain(one) for one in value)
    if isinstance(value, str):
        return str.__str__(value)  # `str` of a member of an Enum would be its name
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if hasattr(type(value), "__array__"):
        array = np.asarray(value)
        return tuple(plain(one) for one in array) if array.ndim else _scalar(array[()])
    return value


def fitting(value: object, kind: type) -> object:
    """Returns what a key of a type holds when it is given a value.

    Raises:
      TypeError: the value is of another type: a truth value or 1.5 for an int, 1 for a bool.
      OverflowError: a whole number is too large for a float.
    """
    value = plain(value)
    if kind not in TAKEN:
        return value
    if not isinstance(value, TAKEN[kind]) or (isinstance(value, bool) and kind is not bool):
        raise TypeError(f"{value!r} is not of type {kind.__name__}")
    if isinstance(value, (list, tuple)):  # the keys that hold several values hold whole numbers
        return tuple(fitting(one, int) for one in value)
    return kind(value)


def _scalar(value: object) -> object:
    if not isinstance(value, np.generic):
        return value
    item = value.item()
    short = isinstance(item, (float, np.floating)) and not isinstance(value, np.float64)
    return float(str(value)) if short else item
