"""The shares of a sweep, which jobs of their own trained, as the results of the whole sweep."""

import json
import shlex
from collections.abc import Mapping, Sequence

from rethinking_jax.analysis.results import Results
from rethinking_jax.analysis.unfinished import NOT_KNOWN_YET, Unfinished, ends_of
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
# What a summary says that holds for a share alone, and for a sweep only when all is through.
OF_AN_END = ("command", "versions", "wall_seconds")
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


def joined(found: Mapping[AnyPath, Read]) -> Read:
    """Returns what there is of a sweep whose runs are trained in shares.

    It is what the sweep would have in one workdir, but for times, which are those of all
    shares together, and for pictures of images, which each share has of its own runs. While a
    share is not finished the sweep is not either, and its time is that of the longest share.

    Args:
      found: shares of one sweep, see `by_sweep`, by their workdirs.

    Raises:
      UserError: a share is missing, is there twice, or read other data.
    """
    _check(found)
    shares = list(found.values())
    ended = [one for one in shares if isinstance(one, Results)]
    return _ended(ended) if len(ended) == len(shares) else _begun(shares)


def command_of_all(command: str | None) -> str | None:
    """Returns the command of the whole sweep, given that of a share."""
    words = shlex.split(command or "")
    kept = [
        word
        for before, word in zip(["", *words], words, strict=False)
        if word.lstrip("-").partition("=")[0] not in OF_A_SHARE or not word.startswith("-")
        if before.lstrip("-") not in OF_A_SHARE or not before.startswith("-")
    ]
    return shlex.join(kept) or None


def _ended(shares: Sequence[Results]) -> Results:
    """Returns the results of a sweep, given all its shares, which are finished."""
    whole = _whole(shares)
    summaries = [one.summary for one in shares]
    of_all = {
        "device": "; ".join(dict.fromkeys(one["device"] for one in summaries)),
        "versions": _versions([one["versions"] for one in summaries]),
        "wall_seconds": round(sum(one["wall_seconds"] for one in summaries), 3),
        "command": command_of_all(whole.summary.get("command")),
    }
    return whole._replace(summary={**whole.summary, **of_all})


def _begun(shares: Sequence[Read]) -> Unfinished:
    """Returns where a sweep stands, given all its shares, of which some are not finished."""
    whole = _whole([_results(one) for one in shares])
    kept = {key: value for key, value in whole.summary.items() if key not in OF_AN_END}
    owners = (one.owner for one in shares if isinstance(one, Unfinished) and one.owner)
    owner = next(owners, {})
    return Unfinished(
        whole._replace(summary={**kept, "device": NOT_KNOWN_YET}),
        states={name: state for one in shares for name, state in _states(one).items()},
        owner=owner and {**owner, "command": command_of_all(owner.get("command"))},
    )


def _whole(shares: Sequence[Results]) -> Results:
    """Puts the runs of all shares into the order of the sweep; the summary is a share's else."""
    whole = shares[0].config[WHOLE]
    at = {
        _text(override): (one, member)
        for one in shares
        for override, member in zip(
            one.config["sweep"] or [{}], one.summary["members"], strict=True
        )
    }
    owners, members = zip(*(at[_text(override)] for override in whole), strict=True)
    # The counts in the summary of a sweep are those of its first run.
    first: Results = owners[0]
    datasets = dict.fromkeys({**first.config, **override}["dataset"] for override in whole)
    own_keys = {key: value for key, value in first.config.items() if key not in (SHARE, WHOLE)}
    return first._replace(
        summary={**first.summary, "dataset": ", ".join(datasets), "members": list(members)},
        lines={
            member["name"]: own.lines[member["name"]]
            for own, member in zip(owners, members, strict=True)
        },
        config={**own_keys, "sweep": [] if whole == [{}] else whole},
        pictures={},
    )


def _check(found: Mapping[AnyPath, Read]) -> None:
    """Checks that shares are one sweep together.

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
    _check_data({workdir: _results(own) for workdir, own in found.items()})


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


def _results(found: Read) -> Results:
    return found.results if isinstance(found, Unfinished) else found


def _states(found: Read) -> dict[str, str]:
    return found.states if isinstance(found, Unfinished) else ends_of(found)


def _config(found: Read) -> Json:
    return _results(found).config


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
