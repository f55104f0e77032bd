"""Figure 1 of the paper: learning curves (a), time to fit (b), test error of the fitted (c).

    python -m rethinking_jax.main --config=configs/figure1.py:a
    python -m rethinking_jax.main --config=configs/figure1.py:b
    python -m rethinking_jax.main --config=configs/figure1.py:c
    python -m rethinking_jax.main \\
        --config=configs/figure1.py:c,dataset=mnist5k,models=mlp_1x512,seeds=3

a trains five settings; b and c train the same runs, label noise from 0 to 1 in `levels`
steps, until they are fitted, and test them on the true labels as well as on labels that
are corrupted alike, which the paper's curve almost certainly shows. Arguments after the
panel: dataset, models (joined by +), initializers (those of the key, joined by +),
seeds (a band from several), levels, train_examples (0: all), epochs. Defaults are the
paper's: CIFAR-10, the small Inception for a, small Inception, small AlexNet and MLP 1x512
for b and c.

Expected from the paper (CIFAR-10): all settings reach loss 0, true labels first, random labels
last; random labels take 3.6 (Inception), 1.6 (AlexNet) and 2.0 (MLP) times as long as true ones;
test error rises to 0.90. An epoch of CIFAR-10 is 56 TFLOP with Inception, 6.5 with AlexNet, 0.36
with the MLP; b with the MLP, 11 levels x 3 seeds, takes two hours of a CPU core.

Needs CIFAR-10 and a GPU; with another data set and the MLP a CPU will do.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import (
    Overrides,
    appendix_learning_rate,
    parse_argument,
    product,
    recipe,
    runs,
    sweep,
)
from rethinking_jax.errors import UserError

SETTINGS = ("true_labels", "shuffled_pixels", "random_pixels", "gaussian", "random_labels")
MODELS = {"a": "inception_small", "b": "inception_small+alexnet_small+mlp_1x512"}
MODELS["c"] = MODELS["b"]


def get_config(argument: str = "") -> ConfigDict:
    """Returns all runs of one panel."""
    chosen = parse_argument(
        argument,
        positional="panel",
        panel="a",
        dataset="cifar10",
        models="",
        initializers="",
        seeds=1,
        levels=11,
        train_examples=0,
        epochs=100,
    )
    if chosen.panel not in MODELS:
        raise UserError(f"the config's argument panel={chosen.panel}: must be a, b or c")
    if chosen.seeds < 1 or chosen.levels < 2:
        raise UserError("the config's arguments: seeds must be at least 1, levels at least 2")
    config = recipe.cifar_config(
        f"figure1{chosen.panel}", chosen.dataset, chosen.train_examples, chosen.epochs
    )
    if chosen.panel != "a":
        config.corruption = "partially_corrupted_labels"
        config.corrupt_test_labels = True
    config.sweep = runs(recipe.seeded(_members(chosen), chosen.seeds))
    return config


def _members(chosen: ConfigDict) -> list[Overrides]:
    """Makes every model with every setting or level, under short names."""
    models = (chosen.models or MODELS[chosen.panel]).split("+")
    if chosen.panel == "a":
        values = sweep("corruption", SETTINGS)
    else:
        last = chosen.levels - 1
        values = sweep("label_noise", [round(i / last, 4) for i in range(last + 1)])
    # Without the argument the runs are what they were before there was one.
    starts = sweep("initializer", chosen.initializers.split("+")) if chosen.initializers else [{}]
    members = product(sweep("model", models), values, starts)
    for member in members:
        model, value, *start = member.values()
        name = value if chosen.panel == "a" else f"p={value}"
        name += f",{model}" if len(models) > 1 else ""
        name += f",{start[0]}" if len(starts) > 1 else ""
        member |= {"name": name, "learning_rate": appendix_learning_rate(model)}
    return members
