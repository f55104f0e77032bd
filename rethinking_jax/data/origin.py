"""What a kind of data set declares about itself, so that its name is enough to read it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from rethinking_jax.data.dataset import Dataset
from rethinking_jax.data.watch import Watch

Say = Callable[[str], None]


def say_nothing(line: str) -> None:
    """Drops a line, as the `Say` of those who want none."""


class Request(NamedTuple):
    """Which data set is wanted, and where it may lie.

    Attributes:
      name: what `config.dataset` says.
      data_dir: the folder where tfds keeps prepared sets; "" is its own choice.
      manual_dir: the folder with archives that were downloaded by hand.
      cache_dir: the folder of indices and caches; "" is `rethinking_jax` in the data_dir.
      image_size: the side to scale and crop all images to; 0 leaves them as they are.
      kind: how images are streamed, one of `load.KINDS`.
      say: is given plain lines of progress.
      watch: is told how far a pass over the data is; None says it in lines.
      part: whether only a part of the training split is wanted in memory, so that its images may
        be a `Reader` yet.
    """

    name: str
    data_dir: str = ""
    manual_dir: str = ""
    cache_dir: str = ""
    image_size: int = 0
    kind: str = "auto"
    say: Say = say_nothing
    watch: Watch | None = None
    part: bool = False


class Origin(NamedTuple):
    """A kind of data set, one line of `load.DATASETS`.

    Attributes:
      doc: what it is and how `config.dataset` names it, in one sentence.
      recognizes: whether a request names a data set of this kind.
      load: reads it into memory. Errors of the operating system are put into words elsewhere.
      stream: opens it for reading in batches; None where it is read into memory only.
      bytes_in_memory: how large its images are, preparing it first where it is not; None
        where that is unknown before reading.
      files: the local files that it is read from, in an order of their own; none where they are
        not there, or it is not made of any. It must be quick, and prepare nothing.
      holds_points: whether its images are points in the plane.
    """

    doc: str
    recognizes: Callable[[Request], bool]
    load: Callable[[Request], Dataset]
    stream: Callable[[Request], Dataset] | None = None
    bytes_in_memory: Callable[[Request], int | None] = lambda request: None
    files: Callable[[Request], Sequence[Path]] = lambda request: ()
    holds_points: bool = False
