"""What makes a config another one than that of a workdir, which goes on with its own only.

Runs may be added, and epochs: no step of a run depends on how many are to come.
"""

from collections.abc import Callable

from rethinking_jax.workdir.metrics import Json


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
    return [
        f"{key} ({_shown(stored, key, config)} there, {_shown(config, key, stored)} now)"
        for key in {**there, **here}
        if there.get(key) != here.get(key)
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
        return "its default"  # what a version did that had no such key
    value = config[key]
    return repr([run for run in value if run not in other[key]] if key == "sweep" else value)
