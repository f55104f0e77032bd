"""The deck as a file: what a command or an experiment writes of some work directories."""

from collections.abc import Callable, Mapping

from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import check_slides
from rethinking_jax.language.translate import translator
from rethinking_jax.talk import outline
from rethinking_jax.talk.material import Found, Material
from rethinking_jax.workdir.storage import AnyPath, write_atomically

NAME = "talk.pptx"  # the deck in the workdir of an experiment


def write(
    path: AnyPath, found: Mapping[AnyPath, Found], language: str, say: Callable[[str], None]
) -> None:
    """Writes the deck of what work directories hold.

    Args:
      path: where it goes.
      found: what each workdir holds; of two that hold what a slide shows the first is taken.
      language: "en" or "es".
      say: shows a line about what is going on.

    Raises:
      UserError: python-pptx is not installed.
      OSError: it cannot be written.
    """
    check_slides(str(path))
    from rethinking_jax.talk.deck import to_bytes  # imports python-pptx

    words = translator(language)

    def picture(workdir: AnyPath) -> bytes | None:
        return _picture(workdir, found[workdir], language, say)

    own = {place: _in_language(one, language) for place, one in found.items()}
    slides = outline.slides(Material(own, picture), words)
    write_atomically(path, to_bytes(slides, words, language))


def _in_language(found: Found, language: str) -> Found:
    return found._replace(config={**found.config, "language": language})


def _picture(
    workdir: AnyPath, found: Found, language: str, say: Callable[[str], None]
) -> bytes | None:
    """Draws training images and their labels; where their data are gone it is what lies there."""
    from rethinking_jax.pictures import illustrations  # imports JAX

    try:
        return illustrations.corruptions(workdir, language, say)
    except UserError as error:
        say(f"The picture of images is that of {workdir}, if it has one: {error}")
        return getattr(found, "pictures", {}).get("corruptions")
