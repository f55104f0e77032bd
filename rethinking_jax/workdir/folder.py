"""The folder of an experiment's results: whose it is, whether it is complete, and what is in it.

config.json says whose it is and is written when the first results are, after what belongs to
them. summary.json is written last: where there is one, everything is there.
"""

import json
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from rethinking_jax.errors import UserError, first_line
from rethinking_jax.workdir import storage
from rethinking_jax.workdir.arrays import read_arrays, write_arrays
from rethinking_jax.workdir.difference import differences
from rethinking_jax.workdir.metrics import Json, read_lines
from rethinking_jax.workdir.storage import AnyPath

# What a workdir may hold, by the names that its files and folders have.
FILES = (
    "config.json",
    "summary.json",
    "metrics.jsonl",
    "chunks.json",
    "commands.json",
    "labels.npz",
    "ids.npz",
    "data.json",
    "findings.json",
    "scores.npz",
    "scores.csv",
    "report.html",
    "owner.json",
)
FOLDERS = ("checkpoints", "figures", "tables")
# What only runs write that have a config.
OF_A_CONFIG = ("summary.json", "metrics.jsonl", "checkpoints", "findings.json")


class Fingerprint(NamedTuple):
    """Which data some runs read; see `rethinking_jax.data.fingerprint`.

    Attributes:
      runs: the names of the runs.
      digests: digests of each split, by its name and by what they are of.
      source: the files that the data were read from; None where there are none.
    """

    runs: tuple[str, ...]
    digests: dict[str, Json]
    source: Json | None


class TrainingSet(NamedTuple):
    """What a folder keeps of a training set, so that its networks can be used without it.

    Attributes:
      runs: the names of the runs that are trained on it.
      ids: the ids of its examples, uint32 [n].
      num_classes: the number of its classes.
      image_shape: the shape of each image before any crop, (h, w, c).
      dtype: the type of its images: "uint8", or "float32" where they are points.
      mean, std: the moments of its pixels on the scale 0 to 1, of each channel.
      digests, source: see `Fingerprint`.
    """

    runs: tuple[str, ...]
    ids: np.ndarray
    num_classes: int
    image_shape: tuple[int, int, int]
    dtype: str
    mean: list[float]
    std: list[float]
    digests: dict[str, Json]
    source: Json | None

    @property
    def fingerprint(self) -> Fingerprint:
        """Which data its runs read."""
        return Fingerprint(self.runs, self.digests, self.source)


class Folder(NamedTuple):
    """The folder that a config's results go to.

    Attributes:
      path: the folder, which need not exist.
      config: what config.json holds once the folder is the config's.
      identity: gives the part of such a config that says what is run; its "sweep" is a list.
    """

    path: AnyPath
    config: Json
    identity: Callable[[Json], Json]

    def check(self) -> None:
        """Refuses a folder that belongs to another config; runs and epochs may be added.

        Raises:
          UserError: with the keys that differ, and their values there and here.
        """
        stored = self.stored_config()
        if stored is None:
            return
        if changes := ", ".join(differences(stored, self.config, self.identity)):
            fewer = "; epochs may become more, not fewer" if "epochs" in changes else ""
            raise UserError(
                f"--workdir={self.path} holds a run of another config: {changes}. "
                f"Take another --workdir, or the values there to resume it{fewer}"
            )

    def check_writable(self) -> None:
        """Refuses a folder that cannot be written.

        Raises:
          UserError: says why.
        """
        try:
            storage.check_writable(self.path)
        except UserError as error:
            raise UserError(f"--workdir={self.path}: {error}") from None

    def stored_config(self) -> Json | None:
        """Returns what config.json holds; None where nothing was begun here.

        Raises:
          UserError: nobody can tell whose the results are that lie here.
        """
        file = self.path / "config.json"
        try:
            if self._begun():
                return dict(_read(file, _is_config))
            there = [name for name in OF_A_CONFIG if (self.path / name).exists()]
            if there:
                raise UserError(f"{file} is missing, and {there[0]} is there")
        except UserError as error:
            raise UserError(
                f"{error}: nobody can tell what was run. Bring it back, or take another --workdir"
            ) from None
        return None

    def is_complete(self) -> bool:
        """Says whether the results of every run are there, in a folder that `check` accepts."""
        stored = self.stored_config()
        if stored is None or not (self.path / "summary.json").exists():
            return False
        return self.identity(stored) == self.identity(self.config)

    def summary(self) -> Json:
        """Returns what summary.json holds.

        Raises:
          UserError: it is damaged.
        """
        return dict(_read(self.path / "summary.json", _is_summary))

    def stored_chunks(self) -> list[list[str]]:
        """Returns what chunks.json holds.

        Raises:
          UserError: it is damaged.
        """
        chunks: list[list[str]] = _read(self.path / "chunks.json", _is_chunks)
        return chunks

    def chunks(self) -> list[list[str]]:
        """Returns the names of the runs of each chunk that earlier sessions trained.

        Where chunks.json is damaged or missing the checkpoints say which runs train together.
        """
        if not self._begun():
            return []
        try:
            return self.stored_chunks()
        except UserError:
            from rethinking_jax.workdir import checkpoint  # imports JAX

            folder = self.path / "checkpoints"
            names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
            found = [checkpoint.members_of(folder / name) for name in names]
            chunks = [names for names in found if names]
            return chunks if _is_chunks(chunks) else []

    def commands(self) -> list[Json]:
        """Returns which commands have trained here, on what, in their order.

        Returns:
          The "command", "device" and "versions" of each; one that went on as the one before it is
          told once. [] where a version wrote the folder that kept nothing of them.

        Raises:
          UserError: commands.json is damaged.
        """
        file = self.path / "commands.json"
        commands: list[Json] = _read(file, _is_commands) if file.exists() else []
        return commands

    def names(self) -> set[str]:
        """Returns the names of the runs that the folder holds something of."""
        lines = read_lines(self.path / "metrics.jsonl")
        return {name for chunk in self.chunks() for name in chunk} | {x["member"] for x in lines}

    def labels(self) -> dict[str, np.ndarray]:
        """Returns the training labels of each run, int32 [n], by its name.

        Raises:
          UserError: the file cannot be read.
        """
        # The ids that stand beside them, for whoever is given this file alone, are unsigned.
        arrays = read_arrays(self.path / "labels.npz")
        return {name: array for name, array in arrays.items() if array.dtype != np.uint32}

    def examples(self) -> dict[str, np.ndarray]:
        """Returns the arrays of examples.npz, by their names.

        Raises:
          UserError: the file cannot be read.
        """
        return read_arrays(self.path / "examples.npz")

    def fingerprints(self) -> list[Fingerprint]:
        """Returns which data were read; one of an earlier version has no digests."""
        file = self.path / "data.json"
        if not self._begun() or not file.exists():
            return []
        try:
            stored = _read(file, _is_data)
        except UserError:
            return []  # it is said elsewhere, and made again
        return [
            Fingerprint(tuple(one["runs"]), one.get("digests", {}), one.get("source"))
            for one in stored
        ]

    def training_sets(self) -> list[TrainingSet]:
        """Returns the training sets; [] in a folder of an earlier version, which kept none.

        Raises:
          UserError: data.json or ids.npz is damaged.
        """
        file = self.path / "data.json"
        if not file.exists() and not (self.path / "ids.npz").exists():
            return []
        stored, ids = _read(file, _is_data), read_arrays(self.path / "ids.npz")
        try:
            return [
                TrainingSet(
                    **{
                        **{"digests": {}, "source": None},  # what an earlier version did not keep
                        **one,
                        "runs": tuple(one["runs"]),
                        "image_shape": tuple(one["image_shape"]),
                    },
                    ids=ids[str(i)],
                )
                for i, one in enumerate(stored)
            ]
        except (KeyError, TypeError) as error:
            raise UserError(f"{file} or ids.npz is damaged ({error!r})") from None

    def begin(
        self,
        labels: Mapping[str, np.ndarray],
        chunks: Sequence[Sequence[str]],
        training_sets: Sequence[TrainingSet] = (),
        command: Json | None = None,
    ) -> None:
        """Makes the folder the config's, for runs that train.

        Args:
          labels: the training labels of each run, int32 [n], by its name.
          chunks: the names of the runs that train together.
          training_sets: what the runs are trained on.
          command: what trains them now, as `commands` returns it.

        Raises:
          UserError: the folder cannot be written, or was begun with other labels.
        """
        if self._begun():
            self._check_labels(labels)
        plain = [one._asdict() for one in training_sets]
        ids = {str(i): one.pop("ids") for i, one in enumerate(plain)}
        try:
            storage.make_folder(self.path)
            write_arrays(self.path / "labels.npz", {**labels, **_named(ids, labels)})
            write_arrays(self.path / "ids.npz", ids)
            _write(self.path / "chunks.json", chunks)
            if command:
                _write(self.path / "commands.json", self._with(command))
            self.claim(plain)
        except OSError as error:
            raise UserError(
                f"--workdir={self.path} cannot be written to: {error.strerror or error}"
            ) from None

    def _with(self, command: Json) -> list[Json]:
        """Returns the commands so far and this one, where it is another than the last."""
        try:
            before = self.commands()
        except UserError:
            before = []  # damaged, and said to be made again
        return before if before[-1:] == [command] else [*before, command]

    def claim(self, data: Sequence[Json] = ()) -> None:
        """Writes the config; a summary that is there is not complete, or nobody would begin.

        Args:
          data: what data.json is to say of each data set that was read.
        """
        storage.make_folder(self.path)
        if data:
            _write(self.path / "data.json", data)
        # In this order a crash in between leaves a folder that lacks runs, not a complete one.
        (self.path / "summary.json").unlink(missing_ok=True)
        _write(self.path / "config.json", self.config)

    def finish(self, summary: Json) -> None:
        """Writes the summary, when everything else is there."""
        _write(self.path / "summary.json", summary)

    def _begun(self) -> bool:
        return (self.path / "config.json").exists()

    def _check_labels(self, labels: Mapping[str, np.ndarray]) -> None:
        """Refuses to go on training on other labels than those of the folder, where it has them."""
        try:
            known = self.labels()
        except UserError:
            return  # damaged or missing, and said to be made again
        changed = [
            name
            for name, stored in known.items()
            if name in labels and not np.array_equal(stored, labels[name])
        ]
        if changed:
            raise UserError(
                f"--workdir={self.path} was trained on other labels for {', '.join(changed)}: the "
                "data set has changed since. Bring it back to resume, or take another --workdir"
            )


def _named(ids: Mapping[str, np.ndarray], taken: Container[str]) -> dict[str, np.ndarray]:
    """Returns ids under names for labels.npz, but for a name that is that of a run."""
    named = {f"ids {place}" if len(ids) > 1 else "ids": own for place, own in ids.items()}
    return {name: own for name, own in named.items() if name not in taken}


def _read(file: AnyPath, is_right: Callable[[Any], bool]) -> Any:
    """Reads a JSON file of a workdir, whatever befell it.

    Raises:
      UserError: it is damaged.
    """
    try:
        content = json.loads(file.read_text())
    except FileNotFoundError:
        raise UserError(f"{file} is missing") from None
    except (OSError, ValueError, RecursionError) as error:
        raise UserError(f"{file} is damaged ({first_line(error)})") from None
    if not is_right(content):
        raise UserError(f"{file} is damaged (it is not what a run writes)")
    return content


def _is_dicts(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(one, dict) for one in content)


def _is_commands(content: Any) -> bool:
    wanted = {"command", "device", "versions"}
    return _is_dicts(content) and bool(content) and all(wanted <= one.keys() for one in content)


def _is_config(content: Any) -> bool:
    return isinstance(content, dict) and _is_dicts(content.get("sweep"))


def _is_summary(content: Any) -> bool:
    return isinstance(content, dict) and _is_dicts(content.get("members"))


def _is_data(content: Any) -> bool:
    if not _is_dicts(content) or not content:
        return False
    sources = [one.get("source") for one in content]
    known = all(one is None or (isinstance(one, dict) and "listing" in one) for one in sources)
    return known and all(_is_names(one.get("runs")) for one in content)


def _is_names(content: Any) -> bool:
    return isinstance(content, list) and all(isinstance(name, str) for name in content)


def _is_chunks(content: Any) -> bool:
    """Says whether something is a list of lists of names, each name there once."""
    if not isinstance(content, list) or not all(_is_names(one) and one for one in content):
        return False
    names = [name for one in content for name in one]
    return bool(names) and len(set(names)) == len(names)


def _write(file: AnyPath, content: object) -> None:
    storage.write_atomically(file, json.dumps(content, indent=2) + "\n")
