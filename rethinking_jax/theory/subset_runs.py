"""Networks that train on subsets of one training set, and what each answers on every example.

All runs of a setting have the same labels, drawn once, and differ in their subset, their initial
weights and their order. The settings share the subsets, so that what differs between two of them
is the labels.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from ml_collections import ConfigDict

from rethinking_jax.config import Member, Overrides
from rethinking_jax.corruption import corruption_seed
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed
from rethinking_jax.scores.banzhaf import PAIR, Values, banzhaf_values
from rethinking_jax.scores.contrast import Contrast, GroupSums, contrast, contrast_error, group_sums
from rethinking_jax.scores.subsets import BLOCKS, balanced, halves, trained_on
from rethinking_jax.theory.data import Task
from rethinking_jax.theory.fitting import TRAINING_KEYS, Lab, training_config
from rethinking_jax.theory.kind import LABEL_KEYS, Tools
from rethinking_jax.workdir.metrics import Line


class Setting(NamedTuple):
    """The examples of one run of a config, such as one level of label noise.

    Attributes:
      name: the name of the run of the config.
      config: its config.
      task: its images and labels.
      ids, test_ids: the stable ids of the examples, uint32 [n] and [t].
      corrupted: whether a training label is not the true one, bool [n].
      true_labels: int32 [n].
      class_names: the names of the classes; () for their numbers.
    """

    name: str
    config: ConfigDict
    task: Task
    ids: np.ndarray
    test_ids: np.ndarray
    corrupted: np.ndarray
    true_labels: np.ndarray
    class_names: tuple[str, ...] = ()

    def class_name(self, label: int) -> str:
        """Returns the name of a class, or its number where classes have no names."""
        return self.class_names[label] if self.class_names else str(label)


class SubsetRun(NamedTuple):
    """A run on a subset.

    Attributes:
      setting: the index of its setting, whose labels it has.
      name: its own name.
      seed: of its initial weights and its order.
      subset: the positions of its examples, int32 [m]; None: all.
    """

    setting: int
    name: str
    seed: int
    subset: np.ndarray | None


class Answers(NamedTuple):
    """What runs answer on every example, those included that they do not train on.

    Attributes:
      trained: whether a run trains on an example, bool [runs, n].
      correct: whether it gives the label that it would train on, bool [runs, n].
      loss: cross-entropy of that label in nats, float32 [runs, n].
      test_correct: whether it is right on a test example, bool [runs, t].
    """

    trained: np.ndarray
    correct: np.ndarray
    loss: np.ndarray
    test_correct: np.ndarray


class Memorized(NamedTuple):
    """The memorization scores of one setting.

    Attributes:
      setting: whose examples.
      answers: of the runs.
      sums: how often the runs of each group are right.
      scores: the score of each example.
      error: its standard error by jackknife over groups, float64 [n].
    """

    setting: Setting
    answers: Answers
    sums: GroupSums
    scores: Contrast
    error: np.ndarray


def read_settings(members: Sequence[Member], tools: Tools) -> list[Setting]:
    """Returns the examples of each run of a config.

    Raises:
      UserError: the data cannot be had.
    """
    found = []
    for name, config in members:
        dataset, task = tools.tasks.dataset(config), tools.tasks(config)
        true, test_ids = np.asarray(dataset.train.labels), dataset.test.ids
        corrupted = task.train_labels != true
        ids, names = dataset.train.ids, tuple(dataset.class_names)
        found.append(Setting(name, config, task, ids, test_ids, corrupted, true, names))
    return found


def own_keys(config: ConfigDict) -> Overrides:
    """Returns the keys of a run's config that say what its networks learn and how.

    All of them have one corruption, whatever their seeds.
    """
    own = {key: config[key] for key in (*TRAINING_KEYS, *LABEL_KEYS)}
    own["corruption_seed"] = corruption_seed(config)
    return {
        key: list(value) if isinstance(value, tuple) else value
        for key, value in own.items()
        if value is not None
    }


def train_subsets(
    settings: Sequence[Setting],
    runs: Sequence[SubsetRun],
    tools: Tools,
    lab: Lab,
    **changes: object,
) -> dict[str, list[Line]]:
    """Trains runs on subsets to their ends.

    Args:
      settings: the examples and labels.
      runs: what each trains on.
      tools: read the data.
      lab: where they train.
      **changes: keys of `training_config`.

    Returns:
      The lines of each run by its name.

    Raises:
      RunFailed: stopped by a signal, or a run diverged.
    """
    config = settings[0].config
    overrides = [
        {**own_keys(settings[run.setting].config), "name": run.name, "seed": run.seed}
        for run in runs
    ]

    lines = lab.train(
        training_config(
            config,
            stop_when_fitted=False,
            measure_every=config.epochs,
            max_members=config.max_members,
            vectorize="auto",
            **changes,
        ),
        overrides,
        cropped(tools.tasks.dataset(config), config.crop_size),
        lambda index, run: run._replace(subset=runs[index].subset),
    )
    diverged = [name for name, own in lines.items() if own[-1]["train_loss"] is None]
    if diverged:
        raise RunFailed(f"{diverged[0]} diverged: try a smaller --config.learning_rate")
    return lines


def answers_of_subsets(settings: Sequence[Setting], tools: Tools, lab: Lab) -> list[Answers]:
    """Trains the runs of each setting on balanced subsets, and returns what they answer.

    Raises:
      RunFailed: stopped by a signal, or a run diverged.
    """
    config = settings[0].config
    subsets = balanced(
        len(settings[0].ids), config.runs // BLOCKS, left_out(config), config.seed, "subsets"
    )
    names = [[f"{one.name},run={run}" for run in range(config.runs)] for one in settings]
    runs = [
        SubsetRun(index, own[run], config.seed + run, subsets[run])
        for index, own in enumerate(names)
        for run in range(config.runs)
    ]
    train_subsets(settings, runs, tools, lab, record_examples=True)
    found = []
    for own in names:
        recorded = lab.examples(own)
        train, test = recorded.splits["train"], recorded.splits["test"]
        found.append(
            Answers(
                train.trained, train.facts["correct"], train.facts["loss"], test.facts["correct"]
            )
        )
    return found


def memorized(setting: Setting, answers: Answers) -> Memorized:
    """Returns the scores of what runs on balanced subsets answer."""
    sums = group_sums(answers.trained, answers.correct, BLOCKS)
    return Memorized(setting, answers, sums, contrast(sums), contrast_error(sums))


def values_of_halves(settings: Sequence[Setting], tools: Tools, lab: Lab) -> list[Values]:
    """Trains runs on random halves, and returns the Data Banzhaf values of each setting.

    Raises:
      RunFailed: stopped by a signal, or a run diverged.
    """
    config, count = settings[0].config, len(settings[0].ids)
    subsets = halves(count, config.banzhaf // PAIR, config.seed)
    first = config.seed + config.runs + config.retrain
    runs = [
        SubsetRun(index, f"{one.name},half={half}", first + half, subset)
        for index, one in enumerate(settings)
        for half, subset in enumerate(subsets)
    ]
    lines = train_subsets(settings, runs, tools, lab)
    accuracy = np.array([lines[run.name][-1]["test_accuracy"] for run in runs], np.float64)
    trained = trained_on(subsets, count)
    return [banzhaf_values(trained, own) for own in accuracy.reshape(len(settings), -1)]


def left_out(config: ConfigDict) -> int:
    """Returns how many of the ten blocks of a group a run leaves out."""
    return BLOCKS - round(BLOCKS * float(config.subset))
