"""What a kind of theory experiment is: its keys, what they may be, and how it measures."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import NamedTuple

from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.config import Member
from rethinking_jax.config.key import Key, Need, Range
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.errors import UserError
from rethinking_jax.models import create_model
from rethinking_jax.theory.data import Tasks
from rethinking_jax.theory.fitting import Lab
from rethinking_jax.workdir.metrics import Json

# The keys of `base_config` that say which labels are learned.
LABEL_KEYS = ("corruption", "label_noise", "exclude_true_class", "corruption_seed", "labels_file")
# The keys of `base_config` that every kind has: which data, how they are cut, which draws, and in
# which language its report is.
DATA_KEYS = (
    "experiment",
    "dataset",
    "data_dir",
    "manual_dir",
    "cache_dir",
    "image_size",
    "train_examples",
    "data_seed",
    "crop_size",
    "seed",
    "sweep",
    "language",
)


# The keys that say which examples there are, before any crop.
EXAMPLE_KEYS = ("dataset", "image_size", "train_examples", "data_seed")


def not_empty(key: str) -> Need:
    """Returns the need that another key, which is a text, is not empty."""
    return Need((key,), lambda config: bool(config[key]), f"{key}, where it is not empty")


def at_least(least: int, why: str = "") -> Range:
    """Returns the range of numbers from `least` on; `why` ends the message, such as ", for"."""
    return Range(least, wanted=f"at least {least}{why}")


class Tools(NamedTuple):
    """What the runner of experiments gives to a kind.

    Attributes:
      tasks: reads the data of each run.
      say: shows one line about what is going on.
      open_lab: opens the place where the kind trains networks on labels of its own.
      run_experiment: carries out another config as an experiment of its own, in a folder of
        this name in the workdir, and returns its summary.
      write_deck: writes the slides of the talk into the workdir, of what its folders of these names
        hold.
    """

    tasks: Tasks
    say: Callable[[str], None]
    open_lab: Callable[[], AbstractContextManager[Lab]]
    run_experiment: Callable[[ConfigDict, str], Json]
    write_deck: Callable[[Sequence[str]], None]


def check_nothing(config: ConfigDict) -> None:
    """Accepts every config: the check of a kind whose keys are checked one by one."""


def dataset_name(config: ConfigDict) -> str:
    """Returns the name of a config's data in the results."""
    return str(config.dataset)


class Kind(NamedTuple):
    """One kind of theory experiment.

    Attributes:
      measure: measures all runs of a config with what the runner gives it.
      keys: the keys that only this kind has, or that mean something else in it.
      shared: the names of the keys of `base_config` that it has.
      training: the keys of `base_config` that say how its networks train, with the defaults
        that they have here; empty where it trains none in the lab.
      needs: what a run must be for a key of `shared` to have an effect here, where that is
        not what it is elsewhere; None where it always has one.
      one_for_all: the names of keys that are looked at once for all runs of a command.
      check: checks what depends on several keys of one run.
      data_name: what the data of a config are called in the results.
    """

    measure: Callable[[Sequence[Member], Tools], Findings]
    keys: tuple[Key, ...]
    shared: tuple[str, ...] = (*DATA_KEYS, *LABEL_KEYS)
    training: Mapping[str, object] = {}
    needs: Mapping[str, Need | None] = {}
    one_for_all: tuple[str, ...] = ()
    check: Callable[[ConfigDict], object] = check_nothing
    data_name: Callable[[ConfigDict], str] = dataset_name

    def defaults(self) -> dict[str, object]:
        """Returns the default of each key that has one of its own here, by name."""
        return {**self.training, **{key.name: key.default for key in self.keys}}


def seeds_of(config: ConfigDict) -> range:
    """Returns the seeds of a kind with the key `seeds`: as many, from `seed` on."""
    return range(config.seed, config.seed + config.seeds)


def check_images_stay(config: ConfigDict, why: str) -> None:
    """Checks that a run corrupts labels alone.

    Args:
      config: the run's.
      why: why its images must stay, for the message.

    Raises:
      UserError: it changes images.
    """
    if CORRUPTIONS[config.corruption].images is not None:
        known = [name for name, one in CORRUPTIONS.items() if one.images is None]
        raise UserError(
            f"config.corruption={config.corruption}: {why}, so it must be one of {', '.join(known)}"
        )


def check_network(config: ConfigDict) -> None:
    """Checks the network that a kind trains.

    Raises:
      UserError: there is no such model, or it cannot take these widths.
    """
    create_model(config.model, num_classes=2, hidden_sizes=tuple(config.hidden_sizes))
