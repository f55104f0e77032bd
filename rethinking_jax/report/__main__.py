"""The command line of the report.

python -m rethinking_jax.report WORKDIR [WORKDIR ...] [--output=PAGE.html] [--language=es]
    [--pictures] [--fit_threshold=0.99]
python -m rethinking_jax.report WORKDIR --numbers=FILE.json
python -m rethinking_jax.report WORKDIR --pack=FILE.zip
python -m rethinking_jax.report WORKDIR [WORKDIR ...] --joined=FOLDER
python -m rethinking_jax.report WORKDIR [WORKDIR ...] --slides=TALK.pptx [--language=es]

Writes report.html, figures/ and tables/ into each finished workdir; into one that is running or
was stopped report.html alone, which says where it stands. With --output also one page with a
section for each of them. --language=es writes them in Spanish, whatever their configs say; CSV
files stay in English. --pictures reads the data, and draws the pictures of images, too, where a
workdir is finished. --fit_threshold judges again, without training, where this train accuracy
counts as fitted. --numbers keeps what the runs of one workdir came to in one small file, also
while they train, and writes nothing into the workdir. --pack keeps all that the report of a
finished workdir is drawn from in one small file, without checkpoints and labels; where such a file
stands in the place of a WORKDIR, its page is written by --output. Of the shares of a sweep (--runs
of rethinking_jax.main) --joined writes report.html, figures/ and tables/ of the whole sweep into a
folder of their own, --output has one section, and --numbers and --pack one file; while a share is
not finished the sweep is not either, and its report says where it stands. --slides writes
the talk, an editable deck with a script in its notes, of what finished workdirs hold; of two that
hold what a slide shows it takes the one that is given first. Exit code 0: done, 1: a file could not
be written, 2: something in the command is wrong (nothing is written then).
"""

import argparse
import sys
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rethinking_jax import cli
from rethinking_jax.errors import UserError
from rethinking_jax.report import joined
from rethinking_jax.workdir.storage import AnyPath, absolute, check_writable, is_remote, open_path

if TYPE_CHECKING:
    from rethinking_jax.report.joined import Found

# The options that do nothing for --numbers and --pack, and those that do nothing for --slides.
OF_REPORTS = ("output", "joined", "language", "pictures", "fit_threshold")
NOT_OF_SLIDES = ("numbers", "pack", "output", "joined", "pictures")
# The options that a packed workdir cannot answer.
NOT_OF_PACKED = ("numbers", "pack", "joined", "pictures", "slides")


def main(arguments: Sequence[str]) -> int:
    """Writes the reports; returns the exit code."""
    try:
        flags = _parse(arguments)
        _check_packed(flags)
        if flags.numbers:
            return _write_numbers(flags.workdirs, flags.numbers)
        if flags.pack:
            return _pack(flags.workdirs, flags.pack)
        # What takes time to import comes now: --help and a typo are answered at once.
        from rethinking_jax.analysis import drawing

        drawing.check_matplotlib()
        _check_threshold(flags.fit_threshold)
        if flags.slides:
            from rethinking_jax.report import slides

            slides.check(flags.slides)
            _check_place(flags.slides, "--slides")
        several = {
            workdir: _read(workdir, flags.language, flags.fit_threshold)
            for workdir in flags.workdirs
        }
        _check_place(flags.output, "--output")
        if flags.slides:
            slides.write(flags.slides, joined.in_place(several), flags.language)
        elif flags.joined:
            _write_joined(several, flags.joined)
        else:
            _write_reports(several, flags)
    except UserError as error:
        return cli.fail(error, 2)
    except OSError as error:
        return cli.fail(f"the report could not be written: {error}", 1)
    except KeyboardInterrupt as error:
        return cli.fail(f"{cli.reason(error)}; the same command writes the report anew", 1)
    return 0


def _write_reports(several: "dict[AnyPath, Found]", flags: argparse.Namespace) -> None:
    """Writes the report of each workdir and, where it is asked for, one page of all.

    Raises:
      UserError: shares of a sweep are among them that cannot be joined; nothing is written.
    """
    from rethinking_jax.analysis.packed import is_packed
    from rethinking_jax.analysis.unfinished import Unfinished
    from rethinking_jax.report import page
    from rethinking_jax.report.section import section

    if flags.output:
        joined.in_place(several)
    for workdir, found in several.items():
        if is_packed(workdir):
            continue
        if flags.pictures or flags.language:
            several[workdir] = _draw_again(workdir, found, flags.pictures)
        page.write_report(workdir, several[workdir])
        if isinstance(found, Unfinished) and _finished_meanwhile(workdir):
            several[workdir] = _read(workdir, flags.language, flags.fit_threshold)
            page.write_report(workdir, several[workdir])
        print(f"Report: {workdir / 'report.html'}{_stands(several[workdir])}")
    if flags.output:
        page.write_page(
            flags.output, [section(found) for found in joined.in_place(several).values()]
        )
        print(f"All of them: {flags.output}")


def _write_joined(several: "dict[AnyPath, Found]", folder: AnyPath) -> None:
    """Writes the report of a sweep, given its shares, into a folder that is no workdir.

    Raises:
      UserError: they are not the shares of one sweep, or the folder is taken; nothing is written.
    """
    from rethinking_jax.report import page

    whole = joined.whole(several, f"--joined={folder}")
    if (folder / "config.json").exists():
        raise UserError(f"--joined={folder} is a workdir: take a folder of its own")
    if folder.exists() and not folder.is_dir():
        raise UserError(f"--joined={folder} is a file: take a folder of its own")
    folder.mkdir(parents=True, exist_ok=True)
    page.write_report(folder, whole)
    print(f"Report: {folder / 'report.html'}, {len(several)} shares joined{_stands(whole)}")


def _stands(found: "Found") -> str:
    """Says behind a report's name where runs stand that are not through."""
    from rethinking_jax.analysis.unfinished import Unfinished

    return f", {found.told}" if isinstance(found, Unfinished) else ""


def _read(workdir: AnyPath, language: str | None, threshold: float | None) -> "Found":
    """Reads a workdir; a language that is given takes the place of its config's.

    Raises:
      UserError: it cannot be read, or there is a threshold and nothing that fits.
    """
    from rethinking_jax.analysis import packed
    from rethinking_jax.analysis.unfinished import Unfinished
    from rethinking_jax.workdir.damage import check_places

    if packed.is_packed(workdir):
        with packed.opened(workdir) as folder:
            return _read(folder, language, threshold)
    check_places(workdir)
    found = _judged(workdir, threshold)
    if language is None:
        return found
    if isinstance(found, Unfinished):
        config = {**found.results.config, "language": language}
        return found._replace(results=found.results._replace(config=config))
    return found._replace(config={**found.config, "language": language})


def _judged(workdir: AnyPath, threshold: float | None) -> "Found":
    """Reads a workdir, where there is a threshold as judged by it.

    Raises:
      UserError: it cannot be read, or there is a threshold and nothing that fits.
    """
    from rethinking_jax.analysis import findings, fitted, results, unfinished

    if results.is_theory(workdir):
        if threshold is not None:
            raise UserError(
                f"--fit_threshold={threshold:g} has no effect on {workdir}: it is an experiment "
                "of theory"
            )
        return findings.read(workdir)
    if unfinished.is_unfinished(workdir):
        begun = unfinished.read(workdir)
        if threshold is not None:
            begun = begun._replace(results=fitted.judged_at(begun.results, threshold))
        return begun
    found = results.read(workdir)
    if threshold is not None:
        found = fitted.judged_at(found, threshold)
    return found


def _finished_meanwhile(workdir: AnyPath) -> bool:
    """Waits for a command that trained its last run meanwhile; says whether all is written now.

    It writes its report after its last line, and ours would stand in its place.
    """
    from rethinking_jax.analysis import unfinished

    while unfinished.is_unfinished(workdir):
        found = unfinished.read(workdir)
        if not found.owner or not unfinished.is_through(found):
            return False
        time.sleep(0.5)
    return True


def _draw_again(workdir: AnyPath, found: "Found", missing: bool) -> "Found":
    """Draws the pictures, whose words are part of them, in the language of the config.

    They stay as they are where the data is not at hand.

    Args:
      workdir: the folder.
      found: what it holds.
      missing: whether pictures are drawn that it does not have.
    """
    from rethinking_jax.analysis import results

    if not isinstance(found, results.Results) or not (missing or found.pictures):
        return found
    from rethinking_jax.pictures import illustrations  # imports JAX

    try:
        illustrations.redraw(workdir, found.config.get("language", "en"), print)
    except UserError as error:
        print(f"The pictures of images stay as they are: {error}")
    return found._replace(pictures=results.read_pictures(workdir))


def _check_threshold(threshold: float | None) -> None:
    """Refuses what config.fit_threshold could not be, either.

    Raises:
      UserError: says what would be right.
    """
    if threshold is None:
        return
    from rethinking_jax.config import KEYS, out_of_range  # imports JAX

    if wanted := out_of_range(threshold, KEYS["fit_threshold"].range):
        raise UserError(f"--fit_threshold={threshold:g} must be {wanted}")


def _write_numbers(workdirs: Sequence[AnyPath], file: AnyPath) -> int:
    from rethinking_jax.analysis import numbers

    _check_place(file, "--numbers")
    if len(workdirs) > 1:
        several = {workdir: _read(workdir, None, None) for workdir in workdirs}
        numbers.write_joined(workdirs, joined.whole(several, f"--numbers={file} of several"), file)
    else:
        numbers.write(workdirs[0], file)
    alone = _alone(workdirs)
    print(f"Numbers of {', '.join(map(str, workdirs))}{alone}: {file}")
    return 0


def _pack(workdirs: Sequence[AnyPath], file: AnyPath) -> int:
    from rethinking_jax.analysis import packed
    from rethinking_jax.analysis.unfinished import Unfinished

    _check_place(file, "--pack")
    if len(workdirs) > 1:
        several = {workdir: _read(workdir, None, None) for workdir in workdirs}
        whole = joined.whole(several, f"--pack={file} of several")
        if isinstance(whole, Unfinished):
            raise UserError(f"--pack={file} is of finished runs: the shares are {whole.told}")
        packed.write_joined(whole, file)
    else:
        packed.write(workdirs[0], file)
    alone = _alone(workdirs)
    print(f"Packed {', '.join(map(str, workdirs))}{alone}: {file}")
    return 0


def _alone(workdirs: Sequence[AnyPath]) -> str:
    """Says of a workdir that it is a share of a sweep, whose other shares are not given."""
    from rethinking_jax.workdir.folder import Folder
    from rethinking_jax.workdir.share import SHARE

    share = (Folder(workdirs[0], {}, dict).stored_config() or {}).get(SHARE)
    return f", the share {share} of a sweep alone" if share and not workdirs[1:] else ""


def _check_packed(flags: argparse.Namespace) -> None:
    """Refuses what cannot be done with a packed workdir.

    Raises:
      UserError: names the option that is in the way, or that is missing.
    """
    from rethinking_jax.analysis.packed import is_packed

    packed = next((one for one in flags.workdirs if is_packed(one)), None)
    if packed is None:
        return
    for name in NOT_OF_PACKED:
        if getattr(flags, name):
            raise UserError(f"{packed} is a packed workdir: --{name} needs the workdir itself")
    if not flags.output:
        raise UserError(
            f"{packed} is a packed workdir: --output=PAGE.html says where its page goes"
        )


def _check_place(file: "AnyPath | None", option: str) -> None:
    """Refuses a file that an option names in a folder that is not there."""
    if file is None:
        return
    if is_remote(file):
        check_writable(file.parent)
    elif not absolute(file).parent.is_dir():
        raise UserError(f"{option}={file}: there is no folder {file.parent}")
    elif file.is_dir():
        raise UserError(f"{option}={file} is a folder: give the name of a file")


def _parse(arguments: Sequence[str]) -> argparse.Namespace:
    parser = cli.Parser(
        prog="python -m rethinking_jax.report",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("workdirs", metavar="WORKDIR", nargs="+", type=open_path)
    parser.add_argument("--output", metavar="PAGE.html", type=open_path, help="one page of all")
    parser.add_argument(
        "--language", choices=("en", "es"), help="of slides, in place of the config's"
    )
    parser.add_argument("--pictures", action="store_true", help="of images are drawn, too")
    parser.add_argument(
        "--fit_threshold", metavar="SHARE", type=float, help="the train accuracy that is fitted"
    )
    parser.add_argument(
        "--numbers",
        metavar="FILE.json",
        type=open_path,
        help="of one workdir, finished or not, or of the shares of a sweep",
    )
    parser.add_argument(
        "--pack", metavar="FILE.zip", type=open_path, help="all that a report is drawn from"
    )
    parser.add_argument(
        "--joined", metavar="FOLDER", type=open_path, help="for one report of a sweep in shares"
    )
    parser.add_argument(
        "--slides", metavar="TALK.pptx", type=open_path, help="the talk, to be edited"
    )
    flags = parser.parse_args(arguments)
    if flags.slides and any(getattr(flags, name) for name in NOT_OF_SLIDES):
        others = ", ".join(f"--{name}" for name in NOT_OF_SLIDES)
        raise UserError(f"--slides={flags.slides} writes a deck alone: leave {others} out")
    if flags.joined and (flags.output or flags.pictures):
        raise UserError(f"--joined={flags.joined} makes one report: leave --output, --pictures out")
    kept = next((name for name in ("numbers", "pack") if getattr(flags, name)), None)
    if kept and any(getattr(flags, name) for name in OF_REPORTS):
        others = ", ".join(f"--{name}" for name in OF_REPORTS)
        raise UserError(f"--{kept} writes no report: leave {others} out")
    if flags.numbers and flags.pack:
        raise UserError(f"--numbers={flags.numbers} and --pack={flags.pack}: give one of them")
    if flags.pack and flags.pack.suffix != ".zip":
        raise UserError(f"--pack={flags.pack}: the name of the file must end in .zip")
    return flags


if __name__ == "__main__":
    cli.begin()
    cli.end(main(sys.argv[1:]))
