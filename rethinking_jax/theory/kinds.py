"""All kinds of theory experiments, by the name that a config's key `kind` has."""

from ml_collections import ConfigDict

from rethinking_jax.errors import UserError, nearest
from rethinking_jax.theory import (
    critical_samples,
    double_descent,
    easy_examples,
    identity,
    kernel,
    kernel_noise,
    label_errors,
    memorization,
    min_norm,
    norms,
    rademacher,
    robust_labels,
    shattering,
    stability,
    talk,
    theorem1,
)
from rethinking_jax.theory.kind import Kind

KINDS: dict[str, Kind] = {
    "theorem1": theorem1.KIND,
    "kernel": kernel.KIND,
    "kernel_noise": kernel_noise.KIND,
    "min_norm": min_norm.KIND,
    "rademacher": rademacher.KIND,
    "shattering": shattering.KIND,
    "stability": stability.KIND,
    "easy_examples": easy_examples.KIND,
    "critical_samples": critical_samples.KIND,
    "identity": identity.KIND,
    "label_errors": label_errors.KIND,
    "double_descent": double_descent.KIND,
    "memorization": memorization.KIND,
    "robust_labels": robust_labels.KIND,
    "norms": norms.KIND,
    "talk": talk.KIND,
}


def named_kind(name: object) -> Kind:
    """Returns the kind that has a name.

    Raises:
      UserError: no kind has this name.
    """
    if name not in list(KINDS):
        raise UserError(
            f"config.kind={name!r} is not known{nearest(str(name), KINDS)} "
            f"(known: {', '.join(KINDS)})"
        )
    return KINDS[str(name)]


def kind_of(config: ConfigDict) -> Kind:
    """Returns the kind of a config.

    Raises:
      UserError: there is no such kind.
    """
    return named_kind(config.kind)
