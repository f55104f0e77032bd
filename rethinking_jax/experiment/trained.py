"""What an experiment has trained, so that somebody can study the networks that memorized."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache, cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.data.runs import load_datasets, training_sets
from rethinking_jax.errors import UserError
from rethinking_jax.host import flags
from rethinking_jax.host.packages import install
from rethinking_jax.models import MODELS, Architecture
from rethinking_jax.models.own import imported, is_own
from rethinking_jax.step.preprocess import center_crop, make_preprocess
from rethinking_jax.step.state import Carry, Hyper, PyTree, Running
from rethinking_jax.step.train import init_state, make_apply
from rethinking_jax.sweep import saved
from rethinking_jax.sweep.build import make_model, make_optimizer_of
from rethinking_jax.workdir import checkpoint, damage, metrics, storage
from rethinking_jax.workdir.folder import Folder, TrainingSet
from rethinking_jax.workdir.metrics import Json, Line
from rethinking_jax.workdir.storage import AnyPath

if TYPE_CHECKING:
    import pandas as pd

# Which checkpoint: the last one, or of those that were kept the one with the best accuracy.
Which: TypeAlias = Literal["last", "best"]


class Labels(NamedTuple):
    """The labels that a run was trained on.

    Attributes:
      ids: the ids of the training examples, uint32 [n].
      labels: the label of each, corrupted as the run saw it, int32 [n].
    """

    ids: np.ndarray
    labels: np.ndarray


class Place(NamedTuple):
    """Where a run is in its workdir.

    Attributes:
      folder: the workdir.
      chunk: the runs that train with it, itself among them.
      lines: what was measured of each of them, by its name.
      training_sets: reads what the runs of the workdir are trained on.
    """

    folder: Folder
    chunk: Sequence[configs.Member]
    lines: Mapping[str, Sequence[Line]]
    training_sets: Callable[[], Sequence[TrainingSet]]

    @property
    def checkpoints(self) -> AnyPath:
        """The folder of its checkpoints."""
        names = [name for name, _ in self.chunk]
        return saved.folder_of(self.folder.path / "checkpoints", names)


class TrainedRun:
    """One run of a workdir, with its network.

    Attributes:
      name: its name in the results.
      config: its resolved config.
      summary: what `summary.json` says of it; what its lines say where the workdir is not complete.
      lines: its lines of `metrics.jsonl`.
    """

    def __init__(
        self, member: configs.Member, summary: Json, lines: list[Line], place: Place
    ) -> None:
        """Keeps what is known of a run; arrays are read when they are asked for."""
        self.name, self.config = member
        self.summary, self.lines = summary, lines
        self._place = place
        self._read = cache(self._restored)

    def __repr__(self) -> str:
        """Names the run and its workdir."""
        return f"TrainedRun({self.name!r}, {str(self._place.folder.path)!r})"

    @property
    def metrics(self) -> pd.DataFrame:
        """Its lines of `metrics.jsonl` as a table, a row for each epoch that was measured.

        Raises:
          UserError: pandas is not installed.
        """
        try:
            import pandas as pd
        except ImportError:
            raise UserError(
                f"metrics is a DataFrame, which needs pandas: {install('pandas')} "
                "(lines has the same as dictionaries)"
            ) from None
        return pd.DataFrame(self.lines)

    @cached_property
    def labels(self) -> Labels:
        """The labels that it was trained on, with the ids of their examples."""
        return Labels(self._training_set.ids, self._place.folder.labels()[self.name])

    @property
    def params(self) -> PyTree:
        """The parameters of its last checkpoint, a tree of NumPy arrays."""
        return self.variables("last")["params"]

    @flags.settled()
    def variables(self, which: Which = "last") -> dict[str, PyTree]:
        """Returns "params" and "batch_stats" of a checkpoint, trees of NumPy arrays.

        Args:
          which: "last", or "best": among those that were kept, the one with the best accuracy on
            the test set (on the validation set where there is one).

        Raises:
          UserError: no checkpoint has it.
        """
        steps = checkpoint.saved_steps(self._place.checkpoints)
        if which not in ("last", "best"):
            raise UserError(f"which={which!r} must be last or best")
        if not steps:
            raise UserError(
                f"{self.name} has no checkpoint in {self._place.folder.path} (checkpoint_every="
                f"{self.config.checkpoint_every}): nothing of its network was saved"
            )
        return self._read(steps[-1] if which == "last" else self._best(steps))

    @flags.settled()
    def apply(self, images: np.ndarray, which: Which = "last") -> np.ndarray:
        """Returns what its network answers, in eval mode and with its preprocessing.

        Args:
          images: images as the data set stores them, uint8 [n, h, w, c], of the size that the run
            was given or already cropped. Where a corruption draws the images, or they are points,
            float32 on the scale 0 to 1 too.
          which: see `variables`.

        Returns:
          Logits, float32 [n, classes].

        Raises:
          UserError: images of another shape or type, or no checkpoint.
        """
        given = self._checked(np.asarray(images))
        variables, size = self.variables(which), self.config.eval_batch_size
        answers = [np.zeros((0, self._training_set.num_classes), np.float32)]
        for first in range(0, len(given), size):
            batch = jnp.asarray(given[first : first + size])
            answers.append(np.asarray(self._network(variables, batch)))
        return np.concatenate(answers)

    @cached_property
    def _training_set(self) -> TrainingSet:
        return next(one for one in self._place.training_sets() if self.name in one.runs)

    @cached_property
    def _network(self) -> Callable[[PyTree, jax.Array], jax.Array]:
        config, data = self.config, self._training_set
        self._find_model()
        mean, std = np.array(data.mean, np.float32), np.array(data.std, np.float32)
        scale = make_preprocess(config.preprocess, mean, std)
        return jax.jit(
            make_apply(
                make_model(config, data.num_classes),
                lambda images: scale(center_crop(images, config.crop_size)),
            )
        )

    def _find_model(self) -> None:
        """Puts its class back among `MODELS` where another session was given it."""
        name = self.config.model
        if name not in MODELS:
            found = imported(name) if is_own(name) else None
            if found is None:
                raise UserError(
                    f"model={name!r} is not known here: give its class, "
                    f"rethinking_jax.load({str(self._place.folder.path)!r}, model=...)"
                )
            MODELS[name] = found

    def _best(self, steps: Sequence[int]) -> int:
        """Returns the step with the best accuracy, the first of equal ones."""
        through = metrics.finished(self.lines, self.config)
        accuracies = {
            line["step"]: line[f"{metrics.judged_on(line)}_accuracy"] for line in self.lines
        }

        def accuracy(step: int) -> float:
            # Once it is through, the checkpoints of others have it as it ended.
            at = min(step, self.lines[-1]["step"]) if through else step
            return float(accuracies.get(at, -1.0))

        return max(steps, key=accuracy)

    def _restored(self, step: int) -> dict[str, PyTree]:
        """Reads its part of the checkpoint of its chunk."""
        self._find_model()
        template, place = self._template(), self._place
        runs = [member._replace(config=self._with_batch_size(member)) for member in place.chunk]
        objection = saved.objection_of(runs, place.lines)
        found = checkpoint.restore(place.checkpoints, step, template, saved.whose(runs), objection)
        if found is None:
            raise UserError(
                f"{place.checkpoints / str(step)} is damaged or of another run, or "
                f"{self.config.model} is another network now. Its command trains the rest again "
                "where that folder and summary.json are removed"
            )
        index = [member.name for member in place.chunk].index(self.name)
        own: dict[str, PyTree] = jax.tree.map(lambda leaf: leaf[index], found[0].variables)
        return own

    def _with_batch_size(self, member: configs.Member) -> ConfigDict:
        """Returns the config of a run as it trained: 0 stands for the whole training set."""
        config = member.config.copy_and_resolve_references()
        config.batch_size = config.batch_size or len(self._training_set.ids)
        return config

    def _template(self) -> Carry:
        """Returns the shapes of what a checkpoint of its chunk holds."""
        config, data = self.config, self._training_set
        model = make_model(config, data.num_classes)
        optimizer = make_optimizer_of(config, len(data.ids))

        def one(seed: jax.Array) -> Carry:
            hyper = Hyper(seed, *[jnp.zeros(())] * 5)
            state = init_state(model, optimizer, hyper, self._input_shape)
            return state, Running.zero(config.gradient_norm)

        seeds = jax.ShapeDtypeStruct((len(self._place.chunk),), jnp.int32)
        shapes: Carry = jax.eval_shape(jax.vmap(one), seeds)
        return shapes

    @property
    def _input_shape(self) -> tuple[int, int, int]:
        height, width, channels = self._training_set.image_shape
        side = self.config.crop_size or max(height, width)
        return min(height, side), min(width, side), channels

    def _checked(self, images: np.ndarray) -> np.ndarray:
        """Refuses images that the run's network was not trained for."""
        data = self._training_set
        corruption = CORRUPTIONS.get(self.config.corruption)  # None: added in another session
        drawn = corruption is not None and corruption.images is not None
        types = dict.fromkeys([data.dtype, *(["float32"] if drawn else [])])
        shapes = dict.fromkeys([data.image_shape, self._input_shape])
        if images.dtype.name not in types or images.shape[1:] not in shapes:
            wanted = " or ".join(f"[n, {', '.join(map(str, shape))}]" for shape in shapes)
            raise UserError(
                f"images are {images.dtype.name} {list(images.shape)}: {self.name} takes "
                f"{' or '.join(types)} {wanted}"
            )
        return images


def load(workdir: AnyPath | str, model: Architecture | None = None) -> list[TrainedRun]:
    """Reads the runs of a workdir, complete or stopped.

    Args:
      workdir: a folder that `rethinking_jax.run` or the command has trained in.
      model: the class of the model, where the run was given one that cannot be imported again.

    Returns:
      The runs, in the order of the config and of `summary.json`.

    Raises:
      UserError: the workdir holds no runs that were trained.
    """
    folder = _opened(storage.open_path(workdir))
    config = configs.from_json(folder.config)
    members = configs.named_as_begun(config, configs.members(config, check=None), folder.names)
    if model is not None:
        _give(model, [config.model for _, config in members])
    complete = (folder.path / "summary.json").exists()
    lines = metrics.by_member(metrics.read_lines(folder.path / "metrics.jsonl"))
    summary_of_all = folder.summary() if complete else {"members": []}
    _check(folder, members, summary_of_all, lines)
    summaries = {one["name"]: one for one in summary_of_all["members"]}

    @cache
    def sets() -> Sequence[TrainingSet]:
        # An earlier version kept nothing of the data: the data sets have it.
        return folder.training_sets() or training_sets(members, load_datasets(members, print))

    of_name = {member.name: member for member in members}
    chunk_of = {
        name: [of_name[one] for one in names]
        for names in folder.chunks()
        if of_name.keys() >= set(names)
        for name in names
    }
    runs = []
    for name, config in members:
        if name not in chunk_of:
            continue  # it was added to the sweep, and has not begun
        config.sweep = ""
        own = lines.get(name, [])
        known = metrics.outcome(own, config.fit_threshold) if own else {}
        summary = summaries.get(name, {"name": name, **known})
        place = Place(folder, chunk_of[name], lines, sets)
        runs.append(TrainedRun(configs.Member(name, config), summary, own, place))
    return runs


def _check(
    folder: Folder,
    members: Sequence[configs.Member],
    summary: Json,
    lines: Mapping[str, Sequence[Line]],
) -> None:
    """Refuses a workdir whose lines have holes, or are not what its summary says."""
    wrong = (
        damage.of_results(folder.path, folder.config, summary, lines)
        if summary["members"]
        else None
    )
    for name, config in members:
        if flaw := metrics.flaw(lines.get(name, []), config):
            wrong = wrong or f"{folder.path / 'metrics.jsonl'} has {flaw}"
    if wrong:
        raise UserError(f"{wrong}: the command that trained it mends it")


def _opened(path: AnyPath) -> Folder:
    """Opens the folder of runs that train."""
    storage.check_readable(path)
    damage.check_places(path)
    plain = Folder(path, {}, configs.identity_of).stored_config()
    if plain is None:
        raise UserError(f"{path} holds no experiment: there is no config.json in it")
    if "kind" in plain:
        raise UserError(
            f"{path} holds what theory says (kind={plain['kind']}), and no trained network: see "
            "its summary.json and tables/"
        )
    return Folder(path, plain, configs.identity_of)


def _give(model: Architecture, names: Sequence[str]) -> None:
    """Makes a class known by the name that runs have of it."""
    unknown = dict.fromkeys(name for name in names if is_own(name) or name not in MODELS)
    if len(unknown) != 1:
        raise UserError(f"model= has no effect: the runs here have model={', '.join(set(names))}")
    MODELS[next(iter(unknown))] = model
