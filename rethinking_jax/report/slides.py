"""The talk that the command line of the report writes of finished work directories."""

from collections.abc import Mapping

from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.unfinished import Unfinished
from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import check_slides
from rethinking_jax.talk import file as talk
from rethinking_jax.talk import material
from rethinking_jax.workdir.storage import AnyPath


def check(file: AnyPath) -> None:
    """Refuses a deck that cannot be written, before anything is read.

    Raises:
      UserError: its name is no deck's, or python-pptx is not installed.
    """
    if file.suffix.lower() != ".pptx":
        raise UserError(f"--slides={file} must end in .pptx, such as talk.pptx")
    check_slides(f"--slides={file}")


def write(
    file: AnyPath,
    several: Mapping[AnyPath, Results | TheoryResults | Unfinished],
    language: str | None,
) -> None:
    """Writes the talk of what workdirs hold, that of a talk with all its parts.

    Args:
      file: where it goes.
      several: what each workdir holds; of two with one experiment the first is taken.
      language: of the slides; None: that of the first workdir.

    Raises:
      UserError: one of them is not finished; nothing is written.
    """
    found: dict[AnyPath, material.Found] = {}
    for workdir, one in several.items():
        if isinstance(one, Unfinished):
            raise UserError(f"--slides={file} is of finished workdirs: {workdir} is {one.told}")
        found |= material.parts(workdir, one) or {workdir: one}
    for place, first in material.twice(found).items():
        print(f"The slides show {first}, which is given first, and nothing of {place}")
        del found[place]
    talk.write(file, found, language or material.language_of(found), print)
    print(f"Slides: {file}")
