"""The command line of the report.

python -m rethinking_jax.report WORKDIR [WORKDIR ...] [--output=PAGE.html] [--language=es]

Writes report.html, figures/ and tables/ into each finished workdir. With --output also one
page with a section for each of them. Exit code 0: done, 1: a file could not be written,
2: something in the command is wrong (nothing is written then).
"""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

from rethinking_jax import cli
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.storage import AnyPath, absolute, check_writable, is_remote, open_path


def main(arguments: Sequence[str]) -> int:
    """Writes the reports; returns the exit code."""
    try:
        flags = _parse(arguments)
        # Only now what takes time to import: --help and a typo are answered at once.
        from rethinking_jax.report import page

        several = {workdir: _open(workdir, flags.language) for workdir in flags.workdirs}
        _check_output(flags.output)
        for workdir, report in several.items():
            report.write()
            print(f"Report: {workdir / 'report.html'}")
        if flags.output:
            sections = [report.section(index) for index, report in enumerate(several.values())]
            page.write_page(flags.output, sections)
            print(f"All of them: {flags.output}")
    except UserError as error:
        return cli.fail(error, 2)
    except OSError as error:
        return cli.fail(f"the report could not be written: {error}", 1)
    return 0


class _Report(NamedTuple):
    """Of one workdir: what writes its files, and its section as the index-th of a page."""

    write: Callable[[], None]
    section: Callable[[int], dict[str, Any]]


def _open(workdir: AnyPath, language: str) -> _Report:
    from rethinking_jax.analysis import results
    from rethinking_jax.report import page

    if results.is_theory(workdir):
        from rethinking_jax.report import theory_page

        measured = theory_page.read(workdir)
        return _Report(
            partial(theory_page.write_report, workdir, measured),
            partial(theory_page.section, measured),
        )
    found = results.read(workdir)
    if language:
        found = found._replace(config={**found.config, "language": language})

    def write() -> None:
        if language and found.pictures:
            _redraw(workdir, language)
        page.write_report(workdir, with_pictures())

    def with_pictures() -> "results.Results":
        return found._replace(pictures=results.read_pictures(workdir))

    return _Report(write, lambda index: page.section(with_pictures(), index))


def _redraw(workdir: AnyPath, language: str) -> None:
    """The pictures, whose words are part of them, from the data where that is at hand."""
    from rethinking_jax.pictures import illustrations  # imports JAX

    try:
        illustrations.redraw(workdir, language, print)
    except UserError as error:
        print(f"The pictures of images stay as they are: {error}")


def _check_output(output: "AnyPath | None") -> None:
    if output is None:
        return
    if is_remote(output):
        check_writable(output.parent)
    elif not absolute(output).parent.is_dir():
        raise UserError(f"--output={output}: there is no folder {output.parent}")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = cli.Parser(
        prog="python -m rethinking_jax.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workdirs", metavar="WORKDIR", nargs="+", type=open_path)
    parser.add_argument("--output", metavar="PAGE.html", type=open_path, help="one page of all")
    parser.add_argument("--language", choices=("en", "es"), help="of a course experiment's slides")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
