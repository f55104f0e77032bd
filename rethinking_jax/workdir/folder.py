"""The folder of an experiment's results: whose it is, whether it is complete, and what is in it.

config.json says whose it is and is written when the first results are, after what belongs to
them. summary.json is written last: where there is one, everything is there.
"""

import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.errors import UserError
from rethinking_jax.workdir import storage
from rethinking_jax.workdir.metrics import Json, read_lines
from rethinking_jax.workdir.storage import AnyPath


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
        """Refuses a folder that belongs to another config.

        Raises:
          UserError: with the keys that differ, and their values there and here.
        """
        stored = self.stored_config()
        if stored is None:
            return
        there, here = self.identity(stored), self.identity(self.config)
        if there["sweep"] and all(run in here["sweep"] for run in there["sweep"]):
            there["sweep"] = here["sweep"]  # runs may be added
        differing = [key for key in {**there, **here} if there.get(key) != here.get(key)]
        if differing:
            changes = ", ".join(
                f"{key} ({_shown(stored, key)} there, {_shown(self.config, key)} now)"
                for key in differing
            )
            raise UserError(
                f"--workdir={self.path} holds a run of another config: {changes}. "
                "Take another --workdir, or the values there to resume it"
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
        """Returns what config.json holds; None where nothing was begun here."""
        return _read(self.path / "config.json") if self._begun() else None

    def is_complete(self) -> bool:
        """Says whether the results of every run are there, in a folder that `check` accepts."""
        stored = self.stored_config()
        if stored is None or not (self.path / "summary.json").exists():
            return False
        return bool(self.identity(stored)["sweep"] == self.identity(self.config)["sweep"])

    def summary(self) -> Json:
        """Returns what summary.json holds."""
        return _read(self.path / "summary.json")

    def chunks(self) -> list[list[str]]:
        """Returns the names of the runs of each chunk that earlier sessions trained."""
        file = self.path / "chunks.json"
        return list(json.loads(file.read_text())) if self._begun() and file.exists() else []

    def names(self) -> set[str]:
        """Returns the names of the runs that the folder holds something of."""
        lines = read_lines(self.path / "metrics.jsonl")
        return {name for chunk in self.chunks() for name in chunk} | {x["member"] for x in lines}

    def labels(self) -> dict[str, np.ndarray]:
        """Returns the training labels of each run, int32 [n], by its name.

        Raises:
          UserError: the file cannot be read.
        """
        return self._arrays("labels.npz")

    def fingerprints(self) -> list[Fingerprint]:
        """Returns which data were read; one of an earlier version has no digests."""
        file = self.path / "data.json"
        if not self._begun() or not file.exists():
            return []
        return [
            Fingerprint(tuple(one["runs"]), one.get("digests", {}), one.get("source"))
            for one in json.loads(file.read_text())
        ]

    def training_sets(self) -> list[TrainingSet]:
        """Returns the training sets; [] in a folder of an earlier version, which kept none."""
        file = self.path / "data.json"
        if not file.exists():
            return []
        ids = self._arrays("ids.npz")
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
            for i, one in enumerate(json.loads(file.read_text()))
        ]

    def begin(
        self,
        labels: Mapping[str, np.ndarray],
        chunks: Sequence[Sequence[str]],
        training_sets: Sequence[TrainingSet] = (),
    ) -> None:
        """Makes the folder the config's, for runs that train.

        Args:
          labels: the training labels of each run, int32 [n], by its name.
          chunks: the names of the runs that train together.
          training_sets: what the runs are trained on.

        Raises:
          UserError: the folder cannot be written, or was begun with other labels.
        """
        if self._begun() and (self.path / "labels.npz").exists():
            self._check_labels(labels)
        plain = [one._asdict() for one in training_sets]
        ids = {str(i): one.pop("ids") for i, one in enumerate(plain)}
        try:
            storage.make_folder(self.path)
            _write_arrays(self.path / "labels.npz", labels)
            _write_arrays(self.path / "ids.npz", ids)
            _write(self.path / "chunks.json", chunks)
            self.claim(plain)
        except OSError as error:
            raise UserError(
                f"--workdir={self.path} cannot be written to: {error.strerror or error}"
            ) from None

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
        """Refuses to go on training on other labels than those of the folder."""
        changed = [
            name
            for name, stored in self.labels().items()
            if name in labels and not np.array_equal(stored, labels[name])
        ]
        if changed:
            raise UserError(
                f"--workdir={self.path} was trained on other labels for {', '.join(changed)}: the "
                "data set has changed since. Bring it back to resume, or take another --workdir"
            )

    def _arrays(self, name: str) -> dict[str, np.ndarray]:
        file = self.path / name
        try:
            with np.load(io.BytesIO(file.read_bytes())) as stored:
                return {key: stored[key] for key in stored.files}
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise UserError(f"{file} cannot be read ({error}): take another --workdir") from None


def _shown(config: Json, key: str) -> str:
    """Returns a value for a message; a version that had no such key did what its default does."""
    return repr(config[key]) if key in config else "its default"


def _read(file: AnyPath) -> Json:
    return dict(json.loads(file.read_text()))


def _write_arrays(file: AnyPath, arrays: Mapping[str, np.ndarray]) -> None:
    content = io.BytesIO()
    np.savez_compressed(content, **dict(arrays))  # type: ignore[arg-type]
    storage.write_atomically(file, content.getvalue())


def _write(file: AnyPath, content: object) -> None:
    storage.write_atomically(file, json.dumps(content, indent=2) + "\n")
