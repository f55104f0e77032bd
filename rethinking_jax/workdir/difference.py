"""What makes a config another one than that of a workdir, which goes on with its own only.

Runs may be added, and epochs: no step of a run depends on how many are to come.
"""

from collections.abc import Callable

from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.share import SHARE, WHOLE


def differences(stored: Json, config: Json, identity: Callable[[Json], Json]) -> list[str]:
    """Names the keys in which a config does not go on with a stored one, with both values.

    Args:
      stored: the content of config.json.
      config: the same of the config.
      identity: see `rethinking_jax.workdir.folder.Folder`.
    """

    def goes_on(run: Json, now: Json) -> bool:
        # A run without a name is named by all that it sets: with other epochs it is another run.
        alike = {**run, "epochs": 0} == {**now, "epochs": 0} and "name" in run
        return run == now or (alike and _is_longer({**stored, **run}, {**config, **now}))

    there, here = identity(stored), identity(config)
    if there["sweep"] and all(any(goes_on(a, b) for b in here["sweep"]) for a in there["sweep"]):
        there["sweep"] = here["sweep"]
    if _is_longer(stored, config):
        there["epochs"] = here.get("epochs")
    if there.get(WHOLE) and here.get(WHOLE) and there["sweep"] == here["sweep"]:
        pairs = zip(there[WHOLE], here[WHOLE], strict=False)
        if len(there[WHOLE]) == len(here[WHOLE]) and all(goes_on(a, b) for a, b in pairs):
            there[WHOLE] = here[WHOLE]
    changed = [key for key in {**there, **here} if there.get(key) != here.get(key)]
    if SHARE in changed:  # another share has other runs
        changed = [key for key in changed if key not in ("sweep", WHOLE)]
    return [
        f"{key} ({_shown(stored, key, config)} there, {_shown(config, key, stored)} now)"
        for key in changed
    ]


def _is_longer(stored: Json, config: Json) -> bool:
    """Says whether a run trains as many epochs as it did, or more.

    What theory says of networks it says of just so many epochs.
    """
    before, after = stored.get("epochs"), config.get("epochs")
    if "kind" in stored or not isinstance(before, int) or not isinstance(after, int):
        return False
    return before <= after


def _shown(config: Json, key: str, other: Json) -> str:
    """Returns a value for a message; of a sweep the runs alone that the other does not have."""
    if key not in config:
        # What a version did that had no such key; or a command of the whole sweep.
        return "all runs" if key in (SHARE, WHOLE) else "its default"
    value = config[key]
    return repr(
        [run for run in value if run not in other[key]] if key in ("sweep", WHOLE) else value
    )
