"""After the paper: which score finds the labels that are wrong?

python -m rethinking_jax.main --config=configs/label_errors.py
"""

from collections.abc import Sequence

from ml_collections import ConfigDict

from rethinking_jax.config import Overrides, parse_argument, recipe, runs
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.theory.settings import theory_config

# Of symmetric noise, too, a share `noise` of the labels is really wrong.
KINDS: dict[str, Overrides] = {
    "symmetric": {"corruption": "partially_corrupted_labels", "exclude_true_class": True},
    "pair": {"corruption": "pair_flip"},
    "given": {"corruption": "given_labels"},
}


def get_config(argument: str = "") -> ConfigDict:
    """Returns one run for each kind and strength of noise."""
    chosen = parse_argument(
        argument,
        positional="dataset",
        dataset="mnist5k",
        noise="0.1+0.2+0.4",
        kind="symmetric+pair",
        model="mlp_1x128",
        corruptions=3,
        inits=10,
        folds=5,
        subsets=200,
        scores="all",
        epochs=30,
        train_examples=0,
        labels_file="",
    )
    network = recipe.network(chosen.model)
    own = recipe.without(chosen, "noise", "kind", "model", "subsets", "labels_file")
    config = theory_config("label_errors", **own)
    config.model = network["model"]
    config.hidden_sizes = tuple(network["hidden_sizes"])
    settings = _settings(
        chosen.kind.split("+"), recipe.numbers("noise", chosen.noise), chosen.labels_file
    )
    # The many networks on subsets are for one setting alone, that of the middle of its noises.
    middle = [one for one in settings if one["corruption"] == settings[0]["corruption"]]
    middle[len(middle) // 2]["subsets"] = chosen.subsets
    config.sweep = runs(settings)
    return config


def _settings(kinds: list[str], noises: Sequence[float], labels_file: str) -> list[Overrides]:
    found: list[Overrides] = []
    for kind in kinds:
        if kind not in KINDS:
            raise UserError(
                f"the config's argument kind={'+'.join(kinds)}: {kind!r} is not known"
                f"{nearest(kind, KINDS)} (known: {', '.join(KINDS)})"
            )
        if kind == "given":
            found.append({**KINDS[kind], "name": kind, "labels_file": labels_file})
            continue
        found += [
            {**KINDS[kind], "name": f"{kind} {noise:g}", "label_noise": noise} for noise in noises
        ]
    return found
