"""Compiles a config for accelerators that are not here: does it fit, and what does it cost?

python -m rethinking_jax.train_compile --topology=SLICE [--config=FILE.py[:ARGUMENT]]
    [--config.KEY=VALUE ...] [--price_per_hour=PRICE] [--find_batch] [--json=FILE]

SLICE is v5e-8, v5e:2x4 (TPUs along each axis), v4-32 (a TPU type, which counts cores for v4 and
v5p), or h100x8. XLA compiles the very programs that a run calls, the train step and the evaluation,
and says what memory they take, what they multiply, and what the chips send each other. Nothing is
read and nothing trained: of data that are not on the disk the sizes are known (CIFAR, MNIST,
ImageNet), and no accelerator is asked. Times are bounds by the published peaks of the chips.

--price_per_hour is that of one chip. --find_batch looks for the largest batch that fits, too.
TPUs need the extra `compile` (libtpu, 137 MB), GPUs the CUDA plugin of JAX (6 GB of disk). XLA
compiles without most of its optimizations, which is faster and takes a little more memory;
JAX_OPTIMIZATION_LEVEL=O2 in the environment compiles as a run does. Exit code 0: done, whether it
fits or not, 1: XLA cannot compile it, 2: something in the command is wrong.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from rethinking_jax import catalog, cli
from rethinking_jax.aot import environment

if __name__ == "__main__":
    cli.begin()
    if (code := catalog.answered(sys.argv[1:])) is not None:
        cli.end(code)  # what follows takes a second to import
    environment.prepare()

from absl import flags
from ml_collections import ConfigDict

from rethinking_jax.config import command_line
from rethinking_jax.errors import RunFailed, UserError, file_error


class Wanted(NamedTuple):
    """What the command line asks for.

    Attributes:
      config: the config.
      topology: the name of the chips.
      price: of one of them for an hour; None: not given.
      find_batch: whether to look for the largest batch.
      json: the file for the report; "" for none.
    """

    config: ConfigDict
    topology: str
    price: float | None
    find_batch: bool
    json: str


def main(argv: Sequence[str]) -> int:
    """Runs the command in this process and returns its exit code.

    Args:
      argv: the program's name, then the flags.
    """
    if (code := catalog.answered(argv[1:])) is not None:
        return code
    if cli.HELP & set(argv):
        return cli.show(
            f"{__doc__}\npython -m rethinking_jax.main --list has the configs, and --help the keys."
        )
    try:
        carry_out(wanted_of(argv[1:]))
    except (UserError, flags.Error) as error:
        return cli.fail(error, 2)
    except RunFailed as error:
        return cli.fail(error, 1)
    except OSError as error:
        return cli.fail(f"the report cannot be written ({file_error(error)})", 1)
    except KeyboardInterrupt as error:
        return cli.fail(f"{cli.reason(error)}; nothing is written", 1)
    return 0


def carry_out(wanted: Wanted) -> None:
    """Compiles what is wanted, shows what it is and writes it down.

    Raises:
      UserError: the chips or the data are not known, what compiles is not installed, or a batch
        cannot be parted among the chips.
      RunFailed: XLA cannot compile a program.
    """
    # What takes time to import comes only now: a mistake is answered at once.
    from rethinking_jax.aot.report import report_of
    from rethinking_jax.aot.table import show
    from rethinking_jax.aot.topology import open_slice
    from rethinking_jax.host.console import make_console, say

    console = make_console()
    target = open_slice(wanted.topology)
    report = report_of(
        wanted.config, target, wanted.price, wanted.find_batch, lambda line: say(console, line)
    )
    show(report, console)
    if wanted.json:
        Path(wanted.json).write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
        say(console, f"JSON: {wanted.json}")


def wanted_of(words: Sequence[str]) -> Wanted:
    """Reads the command line behind the program's name.

    Raises:
      UserError: the config or a flag is wrong.
      flags.Error: a flag is not known.
    """
    values = flags.FlagValues()
    flags.DEFINE_string("topology", "", "The chips to compile for.", values)
    flags.DEFINE_float("price_per_hour", None, "Of one chip.", 0.0, flag_values=values)
    flags.DEFINE_boolean("find_batch", False, "Find the largest batch.", values)
    flags.DEFINE_string("json", "", "The file for the report.", values)
    rest = command_line.read_flags(["train_compile", *words], values, _refuse_theory)
    config = command_line.config_of(rest, values, _refuse_theory)
    if not values.topology:
        raise UserError(
            "--topology is missing: the chips to compile for, such as v5e-8, v4:2x2x4 or h100x8"
        )
    folder = Path(values.json or ".").parent
    if values.json and not folder.is_dir():
        raise UserError(f"--json={values.json}: there is no folder {folder}")
    if values.json and Path(values.json).is_dir():
        raise UserError(f"--json={values.json} is a folder: give the name of a file")
    return Wanted(config, values.topology, values.price_per_hour, values.find_batch, values.json)


def _refuse_theory(kind: str) -> ConfigDict:
    """Refuses a config of theory.

    Raises:
      UserError: always.
    """
    raise UserError(
        f"kind={kind!r} is an experiment of theory, which has no train step of its own: give the "
        "config of runs that train, such as configs/figure1.py:a"
    )


if __name__ == "__main__":
    cli.end(main(sys.argv))
