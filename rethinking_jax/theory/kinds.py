"""All kinds of theory experiments, by the name that a config's key `kind` has."""

from ml_collections import ConfigDict

from rethinking_jax.errors import UserError, nearest
from rethinking_jax.theory import kernel, min_norm, rademacher, shattering, stability, theorem1
from rethinking_jax.theory.kind import Kind

KINDS: dict[str, Kind] = {
    "theorem1": theorem1.KIND,
    "kernel": kernel.KIND,
    "min_norm": min_norm.KIND,
    "rademacher": rademacher.KIND,
    "shattering": shattering.KIND,
    "stability": stability.KIND,
}


def kind_of(config: ConfigDict) -> Kind:
    """Returns the kind of a config.

    Raises:
      UserError: no kind has this name, or the config has the keys of another one.
    """
    kind = KINDS.get(config.kind)
    if kind is None or set(kind.defaults()) - set(config):
        raise UserError(
            f"config.kind={config.kind!r} does not belong to this config file"
            f"{nearest(config.kind, KINDS)} (take configs/{'.py, configs/'.join(KINDS)}.py)"
        )
    return kind
