"""After the paper: which score finds the labels that are wrong?

    python -m rethinking_jax.main --config=configs/label_errors.py

4,000 digits of mnist5k (no download), of which a share of 0.1, 0.2 or 0.4 is labelled wrong, as any
other class (symmetric) or as the next one (pair), three times each. On each of these 18 sets of
labels 10 networks train on all examples and 5 on all but a fifth, and in one setting 200 on 70 % of
them: 870 runs of an MLP with 128 hidden units as one sweep. 20 scores rank the examples, and are
judged by how many of the wrong labels they find.

The argument names the data set, noise and kind (some of symmetric, pair and given, joined by +),
labels_file (of given), the network (a name of a model, or mlp_DxW for D hidden layers of width W),
corruptions, inits, folds, subsets (of one setting), scores (all, or names joined by +), epochs and
train_examples (0: all), for instance `:noise=0.2,kind=pair,corruptions=5,subsets=0`.

Expected: of as many suspects as there are wrong labels, EL2N after 3 epochs finds 0.91, 0.93 and
0.95 of symmetric noise of 0.1, 0.2 and 0.4, wrong events over the epochs 0.90, 0.91 and 0.92, and
the loss at the last epoch 0.39, 0.56 and 0.66; with pair noise all find less. GraNd at the start
is chance (AUROC 0.50). A command that was stopped goes on with the first hundred runs that were
not complete.

Takes 9 minutes of CPU time.
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
        for noise in noises:
            own = {**KINDS[kind], "name": f"{kind} {noise:g}", "label_noise": noise}
            if not noise:  # then nothing is drawn, and no class is excluded
                own.pop("exclude_true_class", None)
            found.append(own)
    return found
