"""What a corruption is, and the one way in which a run draws from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias

from rethinking_jax.corruption.labels import GivenLabels, LabelNoise
from rethinking_jax.corruption.pixels import NO_MOMENTS, ImageKeys, Moments
from rethinking_jax.corruption.randomness import purpose_key
from rethinking_jax.host import flags

if TYPE_CHECKING:
    import jax
    import numpy as np

Array: TypeAlias = "jax.Array | np.ndarray"
# (the example's key, its true label, the run's noise) -> its label for the whole run.
LabelChange = Callable[["jax.Array", "jax.Array", LabelNoise], "jax.Array"]
# (keys, image [h, w, c], moments) -> [h, w, c]: of the same dtype, or float32 from 0 to 1.
ImageChange = Callable[[ImageKeys, "jax.Array", Moments], "jax.Array"]

# What tells the splits' draws apart. Examples for validation are of the training split and
# keep their ids in it; any split that is not named here has the last number.
SPLITS = {"train": 0, "test": 1, "validation": 0}
FURTHER_SPLITS = 2


class Corruption(NamedTuple):
    """All that anything in the package asks about a corruption.

    Attributes:
      doc: what it does, in one sentence.
      labels: how it changes a label; None where labels stay as they are.
      images: how it changes an image; None where images stay as they are, so that runs
        share them.
      p: the probability that `labels` is given where the run names none.
      uses_label_noise: whether `config.label_noise` takes the place of `p`.
      may_exclude: whether `labels` looks at `config.exclude_true_class`.
      from_file: whether labels are read from `config.labels_file`, and not drawn.
      needs_moments: whether `images` looks at the moments of the training pixels.
      purpose: the name of the draws for images, in `randomness.PURPOSES`.
    """

    doc: str
    labels: LabelChange | None = None
    images: ImageChange | None = None
    p: float = 1.0
    uses_label_noise: bool = False
    may_exclude: bool = True
    from_file: bool = False
    needs_moments: bool = False
    purpose: str = "own_images"

    def probability(self, label_noise: float | None = None) -> float:
        """Returns the probability with which a label is changed; 0 where labels stay as they are.

        Args:
          label_noise: what the config says; None where it says nothing.
        """
        if self.labels is None:
            return 0.0
        return float(label_noise) if self.uses_label_noise and label_noise is not None else self.p


class Draws(NamedTuple):
    """What the draws of one run depend on, besides the examples.

    A draw depends on (seed, split, example id) and on nothing else: not on the batch, the
    position in the stream, the epoch, the device or what was drawn before. So a data set
    that is corrupted once in memory and one that is corrupted batch by batch inside the
    train step get the same bits from the same code.

    Attributes:
      corruption: the kind of corruption.
      seed: the seed of the draws, which is the run's where it has no corruption_seed; may be
        traced.
      noise: the run's label noise.
      moments: the moments of the training pixels; no corruption of labels needs them.
      corrupt_test_labels: whether labels of the test split are changed too.
      given: the labels of all training examples, where they are given and not drawn.
    """

    corruption: Corruption
    seed: int | jax.Array
    noise: LabelNoise
    moments: Moments = NO_MOMENTS
    corrupt_test_labels: bool = False
    given: GivenLabels | None = None

    @flags.settled()
    def labels(self, split: str, ids: Array, labels: Array) -> Array:
        """Returns the labels of some examples for the whole run: int32 [n].

        Labels of other splits than "train" are the true ones, unless the split is "test" and
        `corrupt_test_labels` is set. Training and test draw independently.

        Args:
          split: the name of the split.
          ids: uint32 [n], the stable ids of the examples.
          labels: int32 [n], the true classes.
        """
        if self.given is not None and split == "train":
            return self.given.of(ids)
        change = self.corruption.labels
        is_changed = split == "train" or (split == "test" and self.corrupt_test_labels)
        if change is None or not is_changed:
            return labels
        import jax
        import jax.numpy as jnp

        key = jax.random.fold_in(purpose_key(self.seed, "labels"), _split_number(split))

        def one(example_id: jax.Array, label: jax.Array) -> jax.Array:
            changed = change(jax.random.fold_in(key, example_id), label, self.noise)
            return jnp.asarray(changed).astype(jnp.int32)

        return jax.vmap(one)(jnp.asarray(ids), jnp.asarray(labels))

    @flags.settled()
    def images(self, split: str, ids: Array, images: Array) -> jax.Array:
        """Returns the images of some examples for the whole run: [n, h, w, c].

        Args:
          split: the name of the split.
          ids: uint32 [n], the stable ids of the examples.
          images: [n, h, w, c], uint8 or float32.

        Returns:
          The same images where the corruption leaves them alone.
        """
        import jax
        import jax.numpy as jnp

        change = self.corruption.images
        if change is None:
            return jnp.asarray(images)
        run_key = purpose_key(self.seed, self.corruption.purpose)
        key = jax.random.fold_in(run_key, _split_number(split))

        def one(example_id: jax.Array, image: jax.Array) -> jax.Array:
            keys = ImageKeys(run_key, jax.random.fold_in(key, example_id))
            return change(keys, image, self.moments)

        return jax.vmap(one)(jnp.asarray(ids), jnp.asarray(images))


class Corruptible(Protocol):
    """What is asked of a data set that is corrupted."""

    @property
    def num_classes(self) -> int:
        """The number of classes."""

    @property
    def moments(self) -> Moments:
        """The moments of the training pixels."""

    @property
    def given(self) -> Mapping[str, GivenLabels]:
        """Labels of its training examples that are read from files, by `config.labels_file`."""


def _split_number(split: str) -> int:
    return SPLITS.get(split, FURTHER_SPLITS)
