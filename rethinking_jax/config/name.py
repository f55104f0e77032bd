"""What the name of a run, and of an experiment, may be."""

from rethinking_jax.errors import UserError
from rethinking_jax.workdir.names import is_printable


def check_name(name: str, what: str) -> None:
    """Refuses a name that tables, pages, files and terminals cannot show as it is given.

    Args:
      name: the name.
      what: what is named, for the message.

    Raises:
      UserError: it is not one line of text, is empty, or begins or ends with a space.
    """
    if name.strip() != name or not name or not is_printable(name):
        raise UserError(
            f"{what}={name!r}: a name is one line of text that can be printed, without spaces "
            "around it"
        )
