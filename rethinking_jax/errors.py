"""The two ways a command ends other than well."""


class UserError(Exception):
    """The user's mistake: one clear line, exit code 2, nothing written.

    The message names what was given, by key where there is one, and says what
    would be right.
    """


class RunFailed(Exception):
    """The run itself failed or was stopped: one line, exit code 1.

    The message says what was saved and how to go on.
    """
