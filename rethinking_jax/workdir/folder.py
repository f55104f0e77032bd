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
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath


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
        """Refuses a folder that cannot be written, or that belongs to another config.

        Raises:
          UserError: with the keys that differ, and their values there and here.
        """
        try:
            storage.check_writable(self.path)
        except UserError as error:
            raise UserError(f"--workdir={self.path}: {error}") from None
        if not self._begun():
            return
        stored = self._stored_config()
        there, here = self.identity(stored), self.identity(self.config)
        if there["sweep"] and all(run in here["sweep"] for run in there["sweep"]):
            there["sweep"] = here["sweep"]  # runs may be added
        differing = [key for key in {**there, **here} if there.get(key) != here.get(key)]
        if differing:
            changes = ", ".join(
                f"{key} ({stored.get(key)!r} there, {self.config.get(key)!r} now)"
                for key in differing
            )
            raise UserError(
                f"--workdir={self.path} holds a run of another config: {changes}. "
                "Take another --workdir, or the values there to resume it"
            )

    def is_complete(self) -> bool:
        """Whether the results of every run are there, in a folder that `check` accepts."""
        if not self._begun() or not (self.path / "summary.json").exists():
            return False
        return bool(
            self.identity(self._stored_config())["sweep"] == self.identity(self.config)["sweep"]
        )

    def summary(self) -> Json:
        """Returns what summary.json holds."""
        return _read(self.path / "summary.json")

    def chunks(self) -> list[list[str]]:
        """Returns the names of the runs of each chunk that earlier sessions trained."""
        file = self.path / "chunks.json"
        return list(json.loads(file.read_text())) if self._begun() and file.exists() else []

    def begin(self, labels: Mapping[str, np.ndarray], chunks: Sequence[Sequence[str]]) -> None:
        """Makes the folder the config's, for runs that train.

        Args:
          labels: the training labels of each run, int32 [n], by its name.
          chunks: the names of the runs that train together.

        Raises:
          UserError: the folder cannot be written, or was begun with other labels.
        """
        if self._begun() and (self.path / "labels.npz").exists():
            self._check_labels(labels)
        content = io.BytesIO()
        arrays: Json = dict(labels)
        np.savez_compressed(content, **arrays)
        try:
            storage.make_folder(self.path)
            storage.write_atomically(self.path / "labels.npz", content.getvalue())
            _write(self.path / "chunks.json", chunks)
            self.claim()
        except OSError as error:
            raise UserError(
                f"--workdir={self.path} cannot be written to: {error.strerror or error}"
            ) from None

    def claim(self) -> None:
        """Writes the config; a summary that is there is not complete, or nobody would begin."""
        storage.make_folder(self.path)
        # In this order a crash in between leaves a folder that lacks runs, not a complete one.
        (self.path / "summary.json").unlink(missing_ok=True)
        _write(self.path / "config.json", self.config)

    def finish(self, summary: Json) -> None:
        """Writes the summary, when everything else is there."""
        _write(self.path / "summary.json", summary)

    def _begun(self) -> bool:
        return (self.path / "config.json").exists()

    def _stored_config(self) -> Json:
        return _read(self.path / "config.json")

    def _check_labels(self, labels: Mapping[str, np.ndarray]) -> None:
        """Refuses to go on training on other labels than those of the folder."""
        file = self.path / "labels.npz"
        try:
            with np.load(io.BytesIO(file.read_bytes())) as stored:
                changed = [
                    name
                    for name in stored.files
                    if name in labels and not np.array_equal(stored[name], labels[name])
                ]
        except (ValueError, OSError, zipfile.BadZipFile) as error:
            raise UserError(f"{file} cannot be read ({error}): take another --workdir") from None
        if changed:
            raise UserError(
                f"--workdir={self.path} was trained on other labels for {', '.join(changed)}: the "
                "data set has changed since. Bring it back to resume, or take another --workdir"
            )


def _read(file: AnyPath) -> Json:
    return dict(json.loads(file.read_text()))


def _write(file: AnyPath, content: object) -> None:
    storage.write_atomically(file, json.dumps(content, indent=2) + "\n")
