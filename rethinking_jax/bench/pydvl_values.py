"""pyDVL's Data Banzhaf values of a network that a PyTorch user writes, on given subsets."""

from collections.abc import Iterator, Sequence

import numpy as np
import torch
from pydvl.valuation import (
    Dataset,
    ModelUtility,
    MSRBanzhafValuation,
    MSRSampler,
    NoStopping,
    SupervisedScorer,
)
from pydvl.valuation.types import Sample

from rethinking_jax.bench import torch_models, torch_train
from rethinking_jax.bench.values import Settings
from rethinking_jax.data import dataset as ours


class Network:
    """The network as pyDVL wants one: an object with fit, predict and score, which it copies."""

    def __init__(self, settings: Settings, image_shape: tuple[int, int, int], classes: int):
        """Keeps what each copy trains with."""
        self.settings, self.image_shape, self.classes = settings, image_shape, classes
        self.model: torch.nn.Module | None = None

    def fit(self, x: np.ndarray, y: np.ndarray) -> "Network":
        """Trains on uint8 pixels [m, features] and labels [m]."""
        own = self.settings
        torch.set_num_threads(1)  # of networks as small as these, more threads wait for each other
        (data,) = torch_train.to_device(self._images(x), [y], "cpu")
        self.model = torch_models.MLP(self.classes, self.image_shape, own.hidden_sizes)
        learner = torch_train.make_learner(self.model, own.learning_rate, own.momentum, 1.0)
        torch_train.train_epochs(learner, data, own.batch_size, own.epochs)
        return self

    def predict(self, x: np.ndarray) -> np.ndarray:
        """Returns the class that it answers for uint8 pixels [n, features]."""
        assert self.model is not None
        with torch.no_grad():
            logits = self.model(torch_train.standardize(torch.from_numpy(self._images(x))))
        return np.asarray(logits.argmax(1))

    def score(self, x: np.ndarray, y: np.ndarray) -> float:
        """Returns the share of examples that it answers right."""
        return float((self.predict(x) == y).mean())

    def _images(self, x: np.ndarray) -> np.ndarray:
        return x.reshape(-1, *self.image_shape).astype(np.uint8)


class Given(MSRSampler):
    """Gives subsets one after another in place of drawing them."""

    def __init__(self, subsets: Sequence[np.ndarray]):
        """Keeps the positions of each subset."""
        super().__init__(batch_size=1)
        self.subsets = subsets

    def generate(self, indices: np.ndarray) -> Iterator[Sample]:
        """Yields each subset once."""
        for subset in self.subsets:
            yield Sample(None, subset)


def utility_of(settings: Settings, dataset: ours.Dataset) -> tuple[ModelUtility, Dataset]:
    """Returns pyDVL's utility, the test accuracy of a network, and its form of the training set."""

    def flat(split: ours.Split) -> Dataset:
        return Dataset(np.asarray(split.images).reshape(len(split), -1), split.labels)

    height, width, channels = dataset.train.images.shape[1:]
    network = Network(settings, (height, width, channels), dataset.num_classes)
    scorer = SupervisedScorer(
        lambda model, x, y: model.score(x, y), flat(dataset.test), default=0.0, range=(0.0, 1.0)
    )
    train = flat(dataset.train)
    return ModelUtility(network, scorer, catch_errors=False).with_dataset(train), train


def accuracy(utility: ModelUtility, subset: np.ndarray) -> float:
    """Trains a network on a subset, int [m], and returns its test accuracy."""
    return float(utility(Sample(None, subset)))


def values(utility: ModelUtility, data: Dataset, subsets: Sequence[np.ndarray]) -> np.ndarray:
    """Returns the value of each example, float [n], from networks on subsets."""
    valuation = MSRBanzhafValuation(utility, NoStopping(), show_warnings=False)
    valuation.sampler = Given(subsets)
    return np.asarray(valuation.fit(data).result.values)
