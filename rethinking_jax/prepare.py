"""Prepares a data set for training, once: records, index and, where asked for, a cache.

python -m rethinking_jax.prepare DATASET [--data_dir=DIR] [--manual_dir=DIR] [--cache=SIZE]
    [--cache_dir=DIR] [--workers=N] [--verify]

DATASET is an image classification set of tfds: imagenet2012 is prepared from
ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar in --manual_dir. --cache=SIZE decodes all
images to SIZExSIZE pixels, after which a run reads them instead of decoding. The same command
again goes on where it was stopped. Exit code 0: done, 1: it failed or was stopped (what is
whole is kept), 2: something in the command or in the data is wrong.
"""

import argparse
import os
import shlex
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from rethinking_jax import cli
from rethinking_jax.errors import RunFailed, UserError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from rich.console import Console

    from rethinking_jax.data.watch import Watch

Say = Callable[[str], None]


def main(arguments: Sequence[str]) -> int:
    """Prepares one data set; returns the exit code."""
    try:
        prepare(_parse(arguments))
    except UserError as error:
        return cli.fail(error, 2)
    except (RunFailed, OSError) as error:
        return cli.fail(error, 1)
    except KeyboardInterrupt as error:
        return cli.fail(f"{cli.reason(error)}; the same command goes on from what is whole", 1)
    return 0


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = cli.Parser(
        prog="python -m rethinking_jax.prepare",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("dataset", metavar="DATASET")
    parser.add_argument("--data_dir", default="", help="the folder of tfds (its own choice)")
    parser.add_argument(
        "--manual_dir", default="", help="the folder with archives downloaded by hand"
    )
    parser.add_argument(
        "--cache",
        metavar="SIZE",
        type=cli.whole_number(0),
        help="the side of the decoded images; 0: as they are, where all have one size",
    )
    parser.add_argument(
        "--cache_dir", default="", help="the folder of caches (DATA_DIR/rethinking_jax)"
    )
    workers = os.cpu_count() or 1
    parser.add_argument(
        "--workers",
        type=cli.whole_number(1),
        default=workers,
        help="processes (%(default)s)",
    )
    parser.add_argument(
        "--verify", action="store_true", help="read the whole cache, rewrite damaged files"
    )
    flags = parser.parse_args(arguments)
    if flags.verify and flags.cache is None:
        raise UserError("--verify checks a cache: say which with --cache=SIZE")
    return flags


def prepare(flags: argparse.Namespace) -> None:
    """Prepares what the flags ask for and says where everything is.

    Raises:
      UserError: a flag or the data is wrong, or this process may not have the memory.
      RunFailed: it could not be finished; what is whole is kept.
    """
    # What takes time to import comes only now: --help and a typo are answered at once.
    from rethinking_jax.host.console import make_console
    from rethinking_jax.host.console import say as print_line
    from rethinking_jax.host.memory import check_address_space

    check_address_space()
    console = make_console()
    _quieten()
    say = partial(print_line, console)
    _prepare(flags, say, _watching(console, say))
    say(f"next: {_next_command(flags)}")


def _prepare(
    flags: argparse.Namespace, say: Say, watching: "AbstractContextManager[Watch]"
) -> None:
    """Prepares the records, then the index, then the cache."""
    from rethinking_jax.data.cache.read import cache_folder
    from rethinking_jax.data.cache.write import write_cache
    from rethinking_jax.data.tfds.index import fingerprint, index_name, kept_folders, load_indices
    from rethinking_jax.data.tfds.prepare import prepared_builder
    from rethinking_jax.data.tfds.records import open_records

    builder = prepared_builder(flags.dataset, flags.data_dir, flags.manual_dir, say)
    splits = [records for records in open_records(flags.dataset, builder) if records]
    folders = kept_folders(flags.cache_dir, builder)
    folder = folders[0]
    if flags.cache is not None:
        cache_folder(folder, flags.cache)  # refuses a bucket before the work begins
    prints = {records.split: fingerprint(builder, records.split) for records in splits}
    with watching as watch:
        load_indices(splits, prints, folders, say, watch, flags.workers)
        counts = ", ".join(f"{records.split} {len(records):,}" for records in splits)
        say(f"{flags.dataset} is prepared in {builder.data_path}: {counts} examples")
        kept_in = [each for each in folders if (each / index_name("train")).exists()]
        if kept_in:
            say(f"labels and ids: {kept_in[0]}")
        if flags.cache is not None:
            write_cache(
                splits,
                prints,
                cache_folder(folder, flags.cache),
                flags.cache,
                workers=flags.workers,
                say=say,
                watch=watch,
                verify=flags.verify,
            )
            say(f"images: {cache_folder(folder, flags.cache)}")


def _quieten() -> None:
    """Silences tfds and TensorFlow, and progress bars where there is no terminal."""
    import tensorflow_datasets as tfds
    from absl import logging

    logging.set_verbosity(logging.FATAL)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # where it is on, TensorFlow says so
    if not sys.stderr.isatty():
        tfds.disable_progress_bar()


def _next_command(flags: argparse.Namespace) -> str:
    values = {"dataset": flags.dataset, "data_dir": flags.data_dir, "cache_dir": flags.cache_dir}
    words = [f"--config.{key}={value}" for key, value in values.items() if value]
    words += [f"--config.image_size={flags.cache}"] if flags.cache else []
    return shlex.join(["python", "-m", "rethinking_jax.main", *words])


def _watching(console: "Console", say: Say) -> "AbstractContextManager[Watch]":
    """Returns a watch that shows passes over the data: a bar on a terminal, lines elsewhere."""
    import contextlib

    from rethinking_jax.data.watch import Spoken

    if not console.is_terminal:
        return contextlib.nullcontext(Spoken(say))
    return _Bar(console)


class _Bar:
    """A `Watch` with a bar, images a second and the time left."""

    def __init__(self, console: "Console") -> None:
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

        columns = (TextColumn("{task.description}", markup=False), BarColumn(bar_width=24))
        text = TextColumn("{task.fields[text]}", markup=False)
        self._bars = Progress(*columns, TaskProgressColumn(), text, console=console)
        self._what = ""

    def __enter__(self) -> "_Bar":
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def __call__(self, what: str, done: int, total: int) -> None:
        import time

        from rethinking_jax.data.watch import left

        if what != self._what:
            self._what, self._began, self._began_at = what, time.monotonic(), done
            self._task = self._bars.add_task(what, total=total, text="")
        passed = time.monotonic() - self._began
        rate = (done - self._began_at) / passed if passed else 0.0
        text = f"{rate:,.0f} images/s, {left(done, total, rate)}"
        self._bars.update(self._task, completed=done, text=text)


if __name__ == "__main__":
    cli.begin()
    cli.end(main(sys.argv[1:]))
