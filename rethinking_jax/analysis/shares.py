"""The shares of a sweep, which jobs of their own trained, as the results of the whole sweep."""

import json
import shlex
from collections.abc import Mapping, Sequence

from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.unfinished import Unfinished
from rethinking_jax.config import identity_of
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.share import SHARE, WHOLE
from rethinking_jax.workdir.storage import AnyPath

# The keys by which runs that read the same data are known.
OF_DATA = (
    "dataset",
    "image_size",
    "train_examples",
    "validation_examples",
    "data_seed",
    "crop_size",
    "augmentation",
)
# What a command has that is a share's own.
OF_A_SHARE = ("runs", "workdir")
# A workdir's runs, of a share or of all.
Read = Results | Unfinished


def by_sweep(found: Mapping[AnyPath, Read]) -> list[dict[AnyPath, Read]]:
    """Puts the shares of each sweep together, in the order in which their sweeps are first met.

    Args:
      found: shares by their workdirs.
    """
    groups: dict[str, dict[AnyPath, Read]] = {}
    for workdir, own in found.items():
        groups.setdefault(_sweep_of(_config(own)), {})[workdir] = own
    return list(groups.values())


def joined(found: Mapping[AnyPath, Read]) -> Results:
    """Returns the results of a sweep whose runs were trained in shares.

    They are what the sweep would have in one workdir, but for times, which are those of all
    shares together, and for pictures of images, which each share has of its own runs.

    Args:
      found: shares of one sweep, see `by_sweep`, by their workdirs.

    Raises:
      UserError: a share is missing, is there twice, is not finished, or read other data.
    """
    shares = _checked(found)
    whole = _config(next(iter(shares.values())))[WHOLE]
    at = {
        _text(override): (one, member)
        for one in shares.values()
        for override, member in zip(
            one.config["sweep"] or [{}], one.summary["members"], strict=True
        )
    }
    owners, members = zip(*(at[_text(override)] for override in whole), strict=True)
    # The counts in the summary of a sweep are those of its first run.
    first: Results = owners[0]
    summaries = [one.summary for one in shares.values()]
    datasets = dict.fromkeys(member["config"]["dataset"] for member in members)
    own_keys = {key: value for key, value in first.config.items() if key not in (SHARE, WHOLE)}
    return first._replace(
        summary={
            **first.summary,
            "dataset": ", ".join(datasets),
            "device": "; ".join(dict.fromkeys(one["device"] for one in summaries)),
            "versions": _versions([one["versions"] for one in summaries]),
            "wall_seconds": round(sum(one["wall_seconds"] for one in summaries), 3),
            "command": _command(first.summary.get("command")),
            "members": list(members),
        },
        lines={
            member["name"]: own.lines[member["name"]]
            for own, member in zip(owners, members, strict=True)
        },
        config={**own_keys, "sweep": [] if whole == [{}] else whole},
        pictures={},
    )


def _checked(found: Mapping[AnyPath, Read]) -> dict[AnyPath, Results]:
    """Returns finished shares that are one sweep together.

    Raises:
      UserError: see `joined`.
    """
    told = {workdir: _config(own)[SHARE] for workdir, own in found.items()}
    tasks = {text.split("/")[1]: workdir for workdir, text in told.items()}
    if len(tasks) > 1:
        (number, workdir), (other, another) = list(tasks.items())[:2]
        raise UserError(
            f"{workdir} is one of {number} shares, {another} one of {other}: shares overlap unless "
            "all are of as many"
        )
    for workdir, text in told.items():
        another = next(path for path, its in told.items() if its == text)
        if another != workdir:
            raise UserError(
                f"{another} and {workdir} are both the share {text} of a sweep: give each once"
            )
    number = next(iter(tasks))
    wanted = [f"{task}/{number}" for task in range(1, int(number) + 1)]
    if missing := [text for text in wanted if text not in told.values()]:
        raise UserError(
            f"{len(found)} of {number} shares of a sweep are given: give the workdirs of "
            f"{', '.join(missing)}, too"
        )
    for workdir, own in found.items():
        if isinstance(own, Unfinished):
            raise UserError(
                f"{workdir}, the share {told[workdir]} of a sweep, is not finished ({own.told}): "
                "shares are joined when all are"
            )
    shares = {workdir: own for workdir, own in found.items() if isinstance(own, Results)}
    _check_data(shares)
    return shares


def _check_data(shares: Mapping[AnyPath, Results]) -> None:
    """Refuses shares of which two read other examples where their configs name the same."""
    read: dict[str, tuple[AnyPath, Json]] = {}
    for workdir, own in shares.items():
        of_run = {
            name: one.digests
            for one in Folder(workdir, {}, dict).fingerprints()
            for name in one.runs
        }
        for member, config in zip(own.summary["members"], own.configs, strict=True):
            digests = of_run.get(member["name"])
            if not digests:
                continue
            key = _text({key: config.get(key) for key in OF_DATA})
            another, before = read.setdefault(key, (workdir, digests))
            if differs := [split for split in before if before[split] != digests.get(split)]:
                raise UserError(
                    f"{another} and {workdir} read other {differs[0]} examples of "
                    f"{config['dataset']}: the shares of a sweep need the same"
                )


def _config(found: Read) -> Json:
    return found.results.config if isinstance(found, Unfinished) else found.config


def _sweep_of(config: Json) -> str:
    """Returns a text that is the same for all shares of one sweep."""
    plain = {key: value for key, value in config.items() if key not in (SHARE, WHOLE)}
    return _text(identity_of({**plain, "sweep": config[WHOLE]}))


def _text(plain: Json) -> str:
    return json.dumps(plain, sort_keys=True)


def _versions(several: Sequence[Json]) -> Json:
    """Returns the version of each package; those of all shares where they differ."""
    names = dict.fromkeys(name for one in several for name in one)
    return {
        name: " and ".join(dict.fromkeys(str(one.get(name, "none")) for one in several))
        for name in names
    }


def _command(command: str | None) -> str | None:
    """Returns the command of the whole sweep, given that of a share."""
    words = shlex.split(command or "")
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word.lstrip("-").partition("=")[0] not in OF_A_SHARE or not word.startswith("-")
        if before.lstrip("-") not in OF_A_SHARE or not before.startswith("-")
    ]
    return shlex.join(kept) or None
