"""The command line of rethinking_jax.

python -m rethinking_jax.main [--config=FILE.py[:ARGUMENT]] [--config.KEY=VALUE ...] [--workdir=DIR]
    [--runs=TASK/TASKS] [--coordinator_address=HOST:PORT --num_processes=N --process_id=I]
python -m rethinking_jax.main --list
python -m rethinking_jax.main --config=FILE.py --help

--list has a line for each config that comes with the package: its name, its minutes, what it is.
FILE.py is a file or one of these names, such as figure1:b, and --help behind it says what it does;
without --config the command runs the quickstart on embedded data. Without --workdir the results
go to runs/<experiment>-<digest of the config>; the same command again resumes the run or says
that it is complete. DIR is a folder, gs://BUCKET/FOLDER or s3://BUCKET/FOLDER.
The --jax_* flags work; none changes what is drawn, and one that would is refused. Exit code
0: done, 1: the run failed or was stopped (the message says what is saved), 2: something in
the command is wrong.

--runs=2/4 carries out the second of four shares of a sweep, in a folder of its own: independent
jobs need not know of each other. python -m rethinking_jax.report makes one report of the folders.

Several processes make one run: TPU VMs, SLURM, Open MPI and SkyPilot tell who is who, as do
JAX_COORDINATOR_ADDRESS, JAX_NUM_PROCESSES and JAX_PROCESS_ID. Elsewhere start the same command
N times with --num_processes=N, --process_id=0 to N - 1, and --coordinator_address=HOST:PORT, the
host of process 0 and a free port there. Process 0 prints. launch/ has scripts.
"""

import os
import shlex
import sys
import traceback
from collections.abc import Sequence

from rethinking_jax import catalog, cli
from rethinking_jax.host import pages

if __name__ == "__main__":
    cli.begin()
    if (code := catalog.answered(sys.argv[1:])) is not None:
        cli.end(code)  # what follows takes a second to import
    pages.begin_with_huge_pages("rethinking_jax.main")

import jax
from absl import app, flags, logging
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.config import command_line
from rethinking_jax.config.docs import keys_help
from rethinking_jax.errors import RunFailed, UserError, file_error, lacking
from rethinking_jax.host import distributed
from rethinking_jax.workdir import storage


def main(argv: Sequence[str]) -> int:
    """Runs the command in this process and returns its exit code.

    Flags of its own hold what is given, so that it can be called more than once; the flags of
    JAX and absl are known at the command line only (`run`).

    Args:
      argv: the program's name, then the flags.
    """
    if (code := catalog.answered(argv[1:])) is not None:
        return code
    given = flags.FlagValues()
    try:
        rest = parse_flags(argv, given)
    except SystemExit as end:
        return int(end.code or 0)
    return execute(rest, given, argv[1:])


def execute(rest: Sequence[str], given: flags.FlagValues, words: Sequence[str]) -> int:
    """Runs one experiment and returns the exit code.

    Args:
      rest: what the flags left of the command line, the program's name first.
      given: the flags' values.
      words: the command line behind the program's name, for messages.
    """
    command = f"python -m rethinking_jax.main {shlex.join(words)}".strip()
    workdir = ""
    try:
        config = command_line.config_of(rest, given, _theory_config)
        _check_share(given.runs, config)
        workdir = given.workdir or _default_workdir(config, given.runs)
        distributed.start(given.coordinator_address, given.num_processes, given.process_id)
        _run(config, workdir, command, given.runs)
    except UserError as error:
        return distributed.finish(_fail(error, 2))
    except RunFailed as error:
        return distributed.finish(_fail(error, 1))
    except KeyboardInterrupt as error:
        line = f"{cli.reason(error)}{_kept(workdir)}: {command}"
        return distributed.finish(_fail(line, 1), agreed=False)
    except Exception as error:
        code = _fail(_reason(error, workdir, command), 1)
        return distributed.finish(code, agreed=False, lost=distributed.is_lost(error))
    return distributed.finish(0)


def _default_workdir(config: ConfigDict, share: str) -> str:
    if "kind" not in config:
        own = f"-{share.replace('/', '-of-')}" if share else ""
        return configs.default_workdir(config) + own
    from rethinking_jax.theory.settings import keys_of

    return configs.default_workdir(config, keys_of(config))


def _run(config: ConfigDict, workdir: str, command: str, share: str) -> None:
    # What follows takes long to import: only now, for a command that is right.
    from rethinking_jax.host.environment import check_devices

    check_devices()  # without memory even an import may crash
    from rethinking_jax import experiment
    from rethinking_jax.host.console import make_console
    from rethinking_jax.host.processes import is_primary

    console = make_console(quiet=not is_primary())
    experiment.run(config, workdir, command=command, console=console, share=share)


def _reason(error: Exception, workdir: str, command: str) -> str:
    """Returns one line for what nobody foresaw; prints a trace if the machine is not to blame."""
    reason = str(error).strip().split("\n")[0]
    if distributed.is_lost(error):
        return f"another process is gone ({reason})"
    # A disk that fails, no memory left: one line says it, the trace would hide it.
    known = file_error(error) or lacking(error)
    if not known and not isinstance(error, jax.errors.JaxRuntimeError):
        traceback.print_exc()
    reason = known or reason
    return f"the run failed ({reason}); what is saved in {workdir} stays: {command}"


def _kept(workdir: str) -> str:
    """Says what there is of an experiment that was stopped outside its training."""
    if storage.is_remote(workdir) or os.path.isdir(os.path.expanduser(workdir)):
        return f"; what is saved in {workdir} stays. To go on, run again"
    return " before anything was written. To begin again"


def _check_share(text: str, config: ConfigDict) -> None:
    """Refuses a share of the runs that cannot be, before anything else is done."""
    if text:
        from rethinking_jax.sweep import shares  # takes long to import

        shares.share_of(text, config)


def parse_flags(argv: Sequence[str], values: flags.FlagValues = flags.FLAGS) -> list[str]:
    """Parses the command line; answers a mistake with one line and exit code 2.

    Args:
      argv: the program's name, then the flags.
      values: where the flags are defined and their values are kept.

    Returns:
      What is left after the flags, the program's name first.
    """
    if cli.HELP & set(argv):
        sys.exit(cli.show(_help()))
    flags.DEFINE_string("workdir", "", "Folder for all results.", flag_values=values)
    flags.DEFINE_string("runs", "", "TASK/TASKS: a share of the runs.", flag_values=values)
    flags.DEFINE_string("coordinator_address", "", "HOST:PORT of process 0.", flag_values=values)
    flags.DEFINE_integer(
        "num_processes", None, "How many processes make this run.", flag_values=values
    )
    flags.DEFINE_integer(
        "process_id", None, "Which of them this one is, from 0.", flag_values=values
    )
    try:
        return command_line.read_flags(argv, values, _theory_config)
    except (UserError, flags.Error) as error:
        sys.exit(_fail(error, 2))


def _theory_config(kind: str) -> ConfigDict:
    """Returns the defaults of a kind of theory experiment, which takes long to import."""
    from rethinking_jax.theory.settings import theory_config

    return theory_config(kind)


def _help() -> str:
    """Returns how the command is used, and all keys."""
    return f"{__doc__}\nKeys, as --config.KEY=VALUE, with defaults:\n\n{keys_help()}"


def _fail(error: object, code: int) -> int:
    return cli.fail(error, code, distributed.describe())


def run() -> None:
    """Runs the command of the command line and ends the process with its exit code."""
    jax.config.config_with_absl()
    # orbax and tfds talk, and log with a traceback what they raise; --verbosity brings it back.
    logging.set_verbosity(logging.FATAL)
    app.run(
        lambda rest: cli.end(execute(rest, flags.FLAGS, sys.argv[1:])), flags_parser=parse_flags
    )


if __name__ == "__main__":
    run()
