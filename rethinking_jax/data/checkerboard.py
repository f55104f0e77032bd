"""Points in the plane whose class is the colour of their square of a checkerboard.

The board covers [-1, 1]² with 4 x 4 squares. One inner square is left out of the
distribution: no training and no test point lies in it, and a point in it is out of
distribution. All its neighbours have the other colour, so what is seen around it says the
wrong thing about it. The lecture leaves open what its out-of-distribution points are.
"""

import dataclasses
import re
from typing import NamedTuple

import numpy as np

from rethinking_jax.corruption.randomness import fixed_bits
from rethinking_jax.data.dataset import Dataset, Split, make_dataset
from rethinking_jax.data.origin import Request
from rethinking_jax.errors import UserError

PREFIX = "checkerboard"
SQUARES = 4  # along each side
SIDE = 2 / SQUARES
LEFT_OUT = (2, 2)  # column and row from the lower left corner: [0, 0.5]²
TEST_EXAMPLES = 1000  # test points in the distribution, and as many out of it
MOST = 1_000_000
# Ids of training points within the square that is left out begin here.
FIRST_OUTSIDE = 1 << 31
# Fractions of 20 bits, never on an edge: each coordinate is exact in float32.
BITS = 20


class Sizes(NamedTuple):
    """The numbers of training points.

    Attributes:
      inside: how many lie in the distribution.
      outside: how many lie out of it.
    """

    inside: int
    outside: int


def is_checkerboard(name: str) -> bool:
    """Returns whether this is the name of a checkerboard."""
    return name.partition(":")[0] == PREFIX


def sizes(name: str) -> Sizes:
    """Returns the numbers of points that checkerboard:N or checkerboard:N+K stands for.

    Raises:
      UserError: the name is neither, or there are too many points.
    """
    found = re.fullmatch(rf"{PREFIX}:(\d{{1,7}})(?:\+(\d{{1,7}}))?", name)
    given = Sizes(int(found[1]), int(found[2] or 0)) if found else Sizes(0, 0)
    if not 1 <= given.inside <= MOST or given.outside > MOST:
        raise UserError(
            f"dataset={name!r} must be {PREFIX}:N or {PREFIX}:N+K, for N training points (1 to "
            f"{MOST:,}) and K out-of-distribution ones among them, such as {PREFIX}:1000+9"
        )
    return given


def load_checkerboard(request: Request) -> Dataset:
    """Returns the points that a name stands for, as images of one row, float32 [n, 1, 2, 1].

    Point i of a purpose is a function of (purpose, i) alone: 500 training points are the
    first of 5,000, and the test sets are always the same.

    Args:
      request: its name is checkerboard:N or checkerboard:N+K.

    Returns:
      N + K training points, uniform on the board without the square that is left out and, K
      of them, within it; 1,000 test points of the first kind, and as the further split
      `outside` 1,000 of the second.

    Raises:
      UserError: the name is not of this form.
    """
    inside, outside = sizes(request.name)
    ordinary, further = _split("train", inside), _split("train_outside", outside, FIRST_OUTSIDE)
    train = Split(
        np.concatenate([ordinary.images, further.images]),
        np.concatenate([ordinary.labels, further.labels]),
        np.concatenate([ordinary.ids, further.ids]),
    )
    board = make_dataset(request.name, train, _split("test", TEST_EXAMPLES), ("0", "1"))
    return dataclasses.replace(board, further={"outside": _split("outside", TEST_EXAMPLES)})


def is_outside(points: np.ndarray) -> np.ndarray:
    """Says which points, float [n, 2], lie in the square that is left out: bool [n]."""
    low = np.array(LEFT_OUT) * SIDE - 1
    return np.asarray(((points >= low) & (points < low + SIDE)).all(axis=1))


def _split(purpose: str, count: int, first_id: int = 0) -> Split:
    """Returns the first points of a purpose."""
    squares = [(i, j) for i in range(SQUARES) for j in range(SQUARES) if (i, j) != LEFT_OUT]
    if purpose.endswith("outside"):
        squares = [LEFT_OUT]
    raw = fixed_bits(f"checkerboard_{purpose}", 3 * count).reshape(count, 3)
    chosen = np.array(squares)[raw[:, 0] % np.uint64(len(squares))]
    fractions = ((raw[:, 1:] >> np.uint64(64 - BITS)) + 0.5) / (1 << BITS)
    points = (SIDE * (chosen + fractions) - 1).astype(np.float32)
    return Split(
        points[:, None, :, None],
        (chosen.sum(1) % 2).astype(np.int32),
        np.arange(first_id, first_id + count, dtype=np.uint32),
    )
