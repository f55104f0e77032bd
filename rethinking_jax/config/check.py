"""What a run that trains may be, beyond the values of single keys."""

import re

import flax.linen as nn
from ml_collections import ConfigDict

from rethinking_jax.config.joined import names_of
from rethinking_jax.config.key import check_keys
from rethinking_jax.config.keys import KEYS
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.errors import UserError
from rethinking_jax.models import create_model, having
from rethinking_jax.step import augment
from rethinking_jax.step.losses import LOSSES
from rethinking_jax.step.norms import MEASURES, NEEDS


def check_training(config: ConfigDict) -> None:
    """Checks the resolved config of a run that trains.

    Raises:
      UserError: with the key, what was given and what would be right.
    """
    check_keys(config, KEYS)
    if config.validation_examples and not (
        config.checkpoint_every or config.checkpoint_every_steps
    ):
        raise UserError(
            f"config.checkpoint_every=0 with validation_examples={config.validation_examples}: the "
            "runs that validation chooses are tested as their last checkpoint has them; take 1 or "
            "more"
        )
    check_labels_file(config)
    _check_loss(config)
    names = augment.parse(config.augmentation)
    augment.check_augmentation(names, config.crop_size)
    if "crop" in names and not config.crop_size:
        raise UserError(
            f"config.augmentation={config.augmentation!r}: crop has no effect with crop_size=0, "
            "give it a side that is smaller than the images"
        )
    network = create_model(
        config.model,
        num_classes=2,
        hidden_sizes=tuple(config.hidden_sizes),
        dropout_rate=config.dropout_rate,
        dtype=config.dtype,
    )
    if config.measures:
        _check_measures(config, network)


def check_labels_file(config: ConfigDict) -> None:
    """Checks that a run whose labels are given names a file of them; it need not be there yet.

    Raises:
      UserError: the message says what would be right.
    """
    name = config.labels_file
    if CORRUPTIONS[config.corruption].from_file and not re.search(r".\.npz(:.+)?$", name):
        raise UserError(
            f"config.labels_file={name!r}: corruption={config.corruption} takes its labels from a "
            "file, so it must be PATH.npz, or PATH.npz:ARRAY such as cifar10n.npz:worse_label"
        )


def _check_measures(config: ConfigDict, network: nn.Module) -> None:
    """Checks that the measures of a run are defined for its network.

    Raises:
      UserError: the message says what would be right.
    """
    for name in names_of(config, "measures", MEASURES):
        needs = MEASURES[name].needs
        if needs and not getattr(network, needs, False):
            raise UserError(
                f"config.measures={config.measures}: {name} is for networks of {NEEDS[needs]}, "
                f"and the class of model={config.model} does not say {needs} = True (those of "
                f"{', '.join(having(needs))} do): leave {name} out"
            )


def _check_loss(config: ConfigDict) -> None:
    """Checks what depends on the loss of a run.

    Raises:
      UserError: with the key, what was given and what would be right.
    """
    loss = LOSSES[config.loss]
    has_strength = loss.strength is not None  # else it has no effect, which is said elsewhere
    if has_strength and config.loss_strength is not None and config.loss_strength > loss.most:
        raise UserError(
            f"config.loss_strength={config.loss_strength} must be from 0 to {loss.most:g} for "
            f"loss={config.loss}"
        )
    if not (loss.remembers or loss.pairs):
        return
    for key, off in (("accumulate", 1), ("mixup_alpha", 0.0), ("sam_radius", 0.0)):
        if config[key] != off:
            raise UserError(
                f"config.{key}={config[key]} with loss={config.loss}, which looks at single "
                f"examples of whole batches: leave it at {off}"
            )
