"""What is wrong with the files of a workdir: what is refused, and what a command makes again."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence

from rethinking_jax.errors import UserError
from rethinking_jax.workdir import metrics
from rethinking_jax.workdir.folder import FILES, FOLDERS, Folder
from rethinking_jax.workdir.metrics import Json, Line
from rethinking_jax.workdir.share import NOT_OF_A_RUN
from rethinking_jax.workdir.storage import AnyPath, check_place, is_remote

SUMMARY_KEYS = ("experiment", "dataset", "device", "versions", "wall_seconds", "members")
MEMBER_KEYS = ("name", "model", "corruption", "label_noise", "seed", "steps_to_fit", "diverged")
OF_CONFIG = ("model", "corruption", "seed")  # those that say what is in the config, too
# What a config of an earlier version did that lacks these keys; its epochs are those it has.
BEFORE = {"measure_every": 1, "stop_when_fitted": False, "fit_threshold": 1.0}


def check_places(path: AnyPath, write: bool = False) -> None:
    """Refuses a workdir where something else stands in the place of a file or a folder of ours.

    Args:
      path: the workdir, which need not exist.
      write: whether its files will be written, too.

    Raises:
      UserError: names it, and says what to do.
    """
    if is_remote(path):  # a bucket has no folders, and nothing but objects
        return
    for name in FILES:
        check_place(path / name, write=write)
    for name in FOLDERS:
        check_place(path / name, folder=True, write=write)
    for name in ("figures", "tables"):
        folder = path / name
        for file in sorted(folder.iterdir()) if folder.is_dir() else []:
            check_place(file, write=write)


def of_training(folder: Folder, names: Collection[str]) -> list[str]:
    """Says in a line for each what is wrong in a workdir of runs that train, and is made again.

    Args:
      folder: the workdir, which is its config's.
      names: the names of its runs.
    """
    found, config = _of_files(folder, names), folder.stored_config()
    if found or config is None or not folder.is_complete():
        return found
    summary = folder.summary()
    lines = metrics.by_member(metrics.read_lines(folder.path / "metrics.jsonl"))
    wrong = of_results(folder.path, config, summary, lines) or _of_labels(folder, summary)
    return [f"{wrong}: what is wrong is made again"] if wrong else []


def _of_files(folder: Folder, names: Collection[str]) -> list[str]:
    """Says of each damaged file what is wrong with it."""
    readers: dict[str, Callable[[], object]] = {
        "summary.json": folder.summary,
        "chunks.json": folder.stored_chunks,
        "commands.json": folder.commands,
        "labels.npz": folder.labels,
        "data.json": folder.training_sets,
    }
    config = folder.stored_config()
    begun = config is not None
    if config and config.get("record_examples") and folder.is_complete():
        readers["examples.npz"] = folder.examples
    found = []
    for name, read in readers.items():
        # A run that was stopped has no summary; earlier versions kept nothing of data or commands.
        wanted = begun and (name != "data.json" or _has(folder, "ids.npz"))
        if _has(folder, name) or (wanted and name not in ("summary.json", "commands.json")):
            try:
                read()
            except UserError as error:
                found.append(f"{error}: it is made again")
    file = folder.path / "metrics.jsonl"
    if lost := metrics.unread(file):
        found.append(f"{file} has {lost} lines that are damaged or there twice: they are left out")
    others = {line["member"] for line in metrics.read_lines(file)} - set(names)
    if others:
        found.append(f"{file} has lines of {min(others)!r}, which is no run: they are left out")
    return found


def of_results(
    path: AnyPath, config: Json, summary: Json, lines: Mapping[str, Sequence[Line]]
) -> str | None:
    """Says how the files of a complete workdir contradict each other; None where they do not.

    Args:
      path: the workdir.
      config: the content of config.json.
      summary: the content of summary.json.
      lines: the lines of each run, by its name.
    """
    try:
        return _contradiction(path, config, summary, lines)
    except (ArithmeticError, AttributeError, KeyError, TypeError) as error:
        return f"{path}: config.json or summary.json is damaged ({error!r})"


def _contradiction(
    path: AnyPath, config: Json, summary: Json, lines: Mapping[str, Sequence[Line]]
) -> str | None:
    file, members = path / "summary.json", summary["members"]
    if missing := [key for key in SUMMARY_KEYS if key not in summary]:
        return f"{file} has no {missing[0]!r}"
    overrides = config["sweep"] or [{}]
    if len(members) != len(overrides):
        return f"{path}: config.json and summary.json differ in their number of runs"
    for member, override in zip(members, overrides, strict=True):
        if missing := [key for key in MEMBER_KEYS if key not in member]:
            return f"{file}: a run has no {missing[0]!r}"
        name, run = member["name"], {**config, **override}
        own = lines.get(name, [])
        known = {**member.get("config", run), **{key: member[key] for key in OF_CONFIG}}
        other = [key for key in run if key not in NOT_OF_A_RUN and known.get(key) != run[key]]
        if override.get("name", name) != name or other:
            return f"{file} is that of another config: {', '.join(other) or name}"
        if not own:
            return f"{path / 'metrics.jsonl'} has no line of {name!r}"
        run = {**BEFORE, "epochs": own[-1]["epoch"], **run}
        if wrong := metrics.flaw(own, run):
            return f"{path / 'metrics.jsonl'} has {wrong}"
        came_to = metrics.outcome(own, run["fit_threshold"])
        for key, value in came_to.items():
            # An earlier version knew fewer of them; these are shown.
            if member.get(key, value) != value or (key.endswith("accuracy") and key not in member):
                return (
                    f"{file} is not what metrics.jsonl says: {key} of {name} is "
                    f"{member.get(key)} there, {value} in the lines"
                )
    return None


def _of_labels(folder: Folder, summary: Json) -> str | None:
    """Says how the labels contradict the summary, which has a digest of them; None for not."""
    file, labels = folder.path / "labels.npz", folder.labels()
    for member in summary["members"]:
        name, digest = member["name"], member.get("labels_sha256")
        if digest is None:
            continue
        if name not in labels:
            return f"{file} has no labels of {name!r}"
        whole = labels[name].dtype.kind in "iu"
        if not whole or digest != hashlib.sha256(labels[name].astype("<i4").tobytes()).hexdigest():
            return f"{file} has other labels of {name!r} than it trained on"
    return None


def _has(folder: Folder, name: str) -> bool:
    return (folder.path / name).exists()
