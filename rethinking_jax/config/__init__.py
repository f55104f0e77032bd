"""The configuration of an experiment: its keys, its runs, its identity."""

from rethinking_jax.config.argument import parse_argument
from rethinking_jax.config.check import check_labels_file, check_training
from rethinking_jax.config.given import check_resumed, dataset_name, resolved, taken, with_names
from rethinking_jax.config.identity import (
    default_workdir,
    digest,
    former_digest,
    from_json,
    identity_of,
    runs_digest,
    shorter_digests,
    static_part,
    to_json,
)
from rethinking_jax.config.key import Key, Range, check_keys, out_of_range
from rethinking_jax.config.keys import GROUPS, KEYS, base_config
from rethinking_jax.config.member import Member, members, named_as_begun
from rethinking_jax.config.recipe import appendix_learning_rate
from rethinking_jax.config.sweeps import (
    Overrides,
    parse_sweep,
    product,
    runs,
    sweep,
    swept_keys,
    zipped,
)

__all__ = [
    "GROUPS",
    "KEYS",
    "Key",
    "Member",
    "Overrides",
    "Range",
    "appendix_learning_rate",
    "base_config",
    "check_keys",
    "check_labels_file",
    "check_resumed",
    "check_training",
    "dataset_name",
    "default_workdir",
    "digest",
    "former_digest",
    "from_json",
    "identity_of",
    "members",
    "named_as_begun",
    "out_of_range",
    "parse_argument",
    "parse_sweep",
    "product",
    "resolved",
    "runs",
    "runs_digest",
    "shorter_digests",
    "static_part",
    "sweep",
    "swept_keys",
    "taken",
    "to_json",
    "with_names",
    "zipped",
]
