"""One training example: do networks learn to copy it, or to copy whatever they are given?

Zhang, Bengio, Hardt, Mozer and Singer (2020), Identity crisis: a convolutional network is trained
to return the one image that it is given. Whether it has learned the identity, or a constant
function that always returns that image, other images tell. The loss is 0 for both.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import optax
from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.analysis.galleries import Gallery, GalleryRow, picture
from rethinking_jax.config import Member, recipe
from rethinking_jax.config.key import ABOVE_0, AT_LEAST_1, Key
from rethinking_jax.corruption.randomness import generator, purpose_key
from rethinking_jax.data.runs import cropped
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.step.preprocess import to_unit
from rethinking_jax.step.state import PyTree
from rethinking_jax.theory.identity_results import (
    Learned,
    correlations,
    identity_plot,
    identity_table,
    rows_of,
    verdicts,
)
from rethinking_jax.theory.kind import DATA_KEYS, EXAMPLE_KEYS, Kind, Tools, at_least, seeds_of

SHOWN = 6  # held-out images in the gallery
LOOKED = 20  # steps between two looks at the loss
# (parameters, state of Adam, image [1, h, w, c]) -> both after a step, and the loss before it.
Update = Callable[[PyTree, PyTree, np.ndarray], tuple[PyTree, PyTree, jax.Array]]
DEPTHS = "1+2+3+5+7+10+14+20"


class Copying(nn.Module):
    """Convolutions with ReLU between them, from an image to an image of its shape.

    Attributes:
      depth: the number of convolutions, at least 1.
      channels: those of every convolution but the last.
      width: the side of each filter.
    """

    depth: int
    channels: int
    width: int

    @nn.compact
    def __call__(self, images: jax.Array) -> jax.Array:
        """Maps images, float32 [n, h, w, c], to images of the same shape."""
        x, filters = images, (self.width, self.width)
        for _ in range(self.depth - 1):
            x = nn.relu(nn.Conv(self.channels, filters)(x))
        return nn.Conv(images.shape[-1], filters)(x)


class Sample(NamedTuple):
    """The images that one seed looks at, float32 on the scale 0 to 1.

    Attributes:
      one: [1, h, w, c], the only one that is trained on.
      others: [n, h, w, c], held out.
    """

    one: np.ndarray
    others: np.ndarray


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains a network of each depth for each seed, and asks what it returns for other images.

    Raises:
      UserError: there are too few test images.
      RunFailed: a network did not fit its example.
    """
    config = members[0].config  # one for all: no two runs may differ
    samples = {seed: _sample(config, seed, tools) for seed in seeds_of(config)}
    learned, pictures = [], []
    for depth in depths_of(config):
        layers = f"{depth} layer{'s' * (depth > 1)}"
        network = Copying(depth, config.channels, config.filter_width)
        update = _make_update(network, optax.adam(config.learning_rate))
        for seed, sample in samples.items():
            params, steps, loss = _fitted(config, network, update, sample.one, seed)
            outputs = np.asarray(network.apply(params, sample.others))
            learned.append(
                Learned(
                    depth,
                    seed,
                    steps,
                    loss,
                    float(correlations(outputs, sample.others).mean()),
                    float(correlations(outputs, sample.one).mean()),
                )
            )
            if seed == config.seed:
                pictures.append((layers, [*outputs[:SHOWN]]))
        tools.say(f"{layers}: {rows_of(learned)[-1]['identity']:.4f} like the identity")
    first, rows = samples[config.seed], rows_of(learned)
    return Findings(
        rows,
        _facts(config, first),
        [identity_table(rows)],
        [identity_plot(learned)],
        verdicts(learned),
        [_gallery(first, pictures)],
    )


def _facts(config: ConfigDict, sample: Sample) -> dict[str, str]:
    sides = " x ".join(map(str, sample.one.shape[1:3]))
    return {
        "data": f"{config.dataset}: one training image for each of {config.seeds} seeds, and "
        f"{config.examples:,} test images of {sides} pixels",
        "method": f"convolutions of {config.channels} channels and {config.filter_width} x "
        f"{config.filter_width} filters, Adam, learning rate {config.learning_rate:g}, "
        f"up to a mean squared error of {config.fit_loss:g}",
    }


def depths_of(config: ConfigDict) -> list[int]:
    """Returns the depths of a config, rising.

    Raises:
      UserError: the key has something else than whole numbers from 1 on, or less than two.
    """
    given = recipe.numbers("depths", config.depths)
    if any(depth < 1 or not depth.is_integer() for depth in given) or len(set(given)) < 2:
        raise UserError(
            f"config.depths={config.depths}: must be two or more numbers of layers, joined by +, "
            "such as 1+5+20"
        )
    return sorted({int(depth) for depth in given})


def _sample(config: ConfigDict, seed: int, tools: Tools) -> Sample:
    dataset = cropped(tools.tasks.dataset(config), config.crop_size)
    draws = generator(seed, "identity_examples")
    if config.examples > len(dataset.test):
        raise UserError(
            f"config.examples={config.examples}: there are only {len(dataset.test):,} test images"
        )
    chosen = draws.integers(len(dataset.train), size=1)
    held = draws.permutation(len(dataset.test))[: config.examples]
    one, others = (
        np.asarray(to_unit(jnp.asarray(split.images[places])))
        for split, places in ((dataset.train, chosen), (dataset.test, held))
    )
    return Sample(one, others)


def _make_update(network: Copying, adam: optax.GradientTransformation) -> Update:
    """Makes the jitted step of a depth; it takes the image, so that all seeds share it."""

    @jax.jit
    def update(
        params: PyTree, state: PyTree, image: np.ndarray
    ) -> tuple[PyTree, PyTree, jax.Array]:
        def loss_of(params: PyTree) -> jax.Array:
            return jnp.mean(jnp.square(network.apply(params, image) - image))

        loss, slope = jax.value_and_grad(loss_of)(params)
        changes, state = adam.update(slope, state)
        return optax.apply_updates(params, changes), state, loss

    return update


def _fitted(
    config: ConfigDict, network: Copying, update: Update, image: np.ndarray, seed: int
) -> tuple[PyTree, int, float]:
    """Trains a network until its one image is fitted.

    Returns:
      Its parameters, how many steps it took, and the mean squared error before the last of them.

    Raises:
      RunFailed: it is not fitted within `config.steps`.
    """
    params = network.init(purpose_key(seed, "init"), image)
    state = optax.adam(config.learning_rate).init(params)
    for count in range(1, config.steps + 1):
        params, state, loss = update(params, state, image)
        # A step at a time, for convolutions in a loop are slow on a CPU, and few waits for it.
        if count % LOOKED == 0 and float(loss) <= config.fit_loss:
            return params, count, float(loss)
    raise RunFailed(
        f"{network.depth} layers, seed {seed}: the squared error is {float(loss):.2g} after "
        f"{config.steps} steps, above config.fit_loss={config.fit_loss:g}: take more steps"
    )


def _gallery(sample: Sample, outputs: Sequence[tuple[str, Sequence[np.ndarray]]]) -> Gallery:
    rows = [("the training image, and held-out images", [*sample.others[:SHOWN]]), *outputs]
    blank = np.ones_like(sample.one[0])
    return Gallery(
        "identity",
        "What networks return that have seen one image",
        "On the left the image that they were trained to return, and then held-out images. Below, "
        "what a network of each depth makes of them (first seed).",
        [
            GalleryRow(label, [picture(one, [""]) for one in (left, *images)])
            for (label, images), left in zip(
                rows, [sample.one[0], *[blank] * len(outputs)], strict=True
            )
        ],
    )


def check(config: ConfigDict) -> None:
    """Checks one run: its depths.

    Raises:
      UserError: the message says what would be right.
    """
    depths_of(config)
    if not config.filter_width % 2:
        raise UserError(
            f"config.filter_width={config.filter_width}: must be odd, so that a filter has a middle"
        )


KEYS = (
    Key("depths", DEPTHS, "The numbers of layers, joined by +."),
    Key("channels", 32, "The channels of every layer but the last.", range=AT_LEAST_1),
    Key("filter_width", 5, "The side of each filter, an odd number.", range=AT_LEAST_1),
    Key(
        "fit_loss",
        1e-4,
        "The mean squared error at which an image, on the scale 0 to 1, counts as fitted.",
        range=ABOVE_0,
    ),
    Key("steps", 50_000, "The most steps until then.", range=AT_LEAST_1),
    Key("examples", 200, "The number of test images that networks are given.", range=AT_LEAST_1),
    Key(
        "seeds",
        5,
        "Seeds, each with a training image and weights of its own.",
        range=at_least(2, ", for an interval"),
    ),
)
KIND = Kind(
    run,
    keys=KEYS,
    shared=DATA_KEYS,
    training={"learning_rate": 0.001},
    one_for_all=(
        *EXAMPLE_KEYS,
        "crop_size",
        "seed",
        "learning_rate",
        *(key.name for key in KEYS),
    ),
    check=check,
)
