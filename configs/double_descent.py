"""Double descent (Belkin et al. 2019; Nakkiran et al. 2020): error against size, data and time.

    python -m rethinking_jax.main --config=configs/double_descent.py:features
    python -m rethinking_jax.main --config=configs/double_descent.py:samples
    python -m rethinking_jax.main --config=configs/double_descent.py:networks
    python -m rethinking_jax.main --config=configs/double_descent.py:epochs
    python -m rethinking_jax.main --config=configs/double_descent.py:belkin,data_dir=FOLDER

features: least squares on 50 to 16,000 random Fourier features of 1,000 digits, exact in float64,
beyond 1,000 the solution of least norm, and a ridge that held-out digits choose. samples: 1,000
features, 250 to 4,000 digits. Both with true labels and with a fifth of them wrong, 5 draws.
networks: MLPs with 4 to 1,024 hidden units on 1,000 digits of 14 x 14, Adam, cross-entropy, 2,000
epochs, 3 seeds. epochs: 4,096 hidden units, a fifth of the labels wrong, measured in each of 1,000
epochs. belkin: the sizes of Belkin et al.'s Figure 3, 4,000 digits of MNIST, 23 widths, 6,000
epochs, squared loss, 5 seeds; every width starts anew. Arguments behind the part: dataset,
data_dir, noise (joined by +); features, examples (each joined by +), held_out, draws; or widths
(joined by +), loss, seeds, epochs, measure_every, train_examples, image_size.

Expected of features: test error 0.19 at 400 features, 0.87 at 1,000 in every draw, 0.07 at
16,000; with the ridge it falls all the way. Of samples: 0.19 with 500 digits, 0.88 with 1,000. Of
networks: with label noise 0.32 with 8 units, 0.36 with 20, 0.23 with 1,024. Of epochs: no second
fall (with 1,024 units). Features and samples begin anew where they were stopped, networks go on.

Takes 4 minutes on two CPU cores (features); samples takes 2, networks 8, epochs 5, belkin hours.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import parse_argument, recipe, runs
from rethinking_jax.config.sweeps import Overrides
from rethinking_jax.errors import UserError, nearest
from rethinking_jax.theory.double_descent import FEATURES
from rethinking_jax.theory.settings import theory_config

# The interpolation threshold of squared loss, n k weights, is at width 48 for 1,000 digits of
# 14 x 14; half of the widths lie where 1,000 examples are just fitted.
WIDTHS = "4+8+12+16+20+24+28+32+40+48+64+96+128+256+512+1024"
# Those of Belkin et al. (2019), Figure 3: n k = 40,000 weights are at width 50.3.
PAPER_WIDTHS = "5+6+9+13+15+25+30+34+38+41+44+47+48+49+50+51+57+63+88+107+252+314+1006"
# Numbers of examples around 1,000 features.
SIZES = "250+350+500+600+700+800+850+900+950+1000+1050+1100+1200+1400+2000+2800+4000"


def _least_squares(**defaults: object) -> Overrides:
    shared = {"dataset": "mnist5k", "data_dir": "", "noise": "0+0.2", "draws": 5}
    return {**shared, **defaults}


def _trained(**defaults: object) -> Overrides:
    shared = {
        "dataset": "mnist5k",
        "data_dir": "",
        "noise": "0.2",
        "loss": "cross_entropy",
        "seeds": 3,
    }
    return {**shared, **defaults}


# The arguments of each part, with their defaults.
PARTS: dict[str, Overrides] = {
    "features": _least_squares(features=FEATURES, examples="1000", held_out=1000),
    "samples": _least_squares(features="1000", examples=SIZES, held_out=0),
    "networks": _trained(
        noise="0+0.2", widths=WIDTHS, epochs=2000, measure_every=100, train_examples=1000,
        image_size=14,
    ),
    "epochs": _trained(
        widths="4096", epochs=1000, measure_every=1, train_examples=1000, image_size=14
    ),
    "belkin": _trained(
        dataset="mnist", noise="0+0.2", widths=PAPER_WIDTHS, loss="squared", seeds=5, epochs=6000,
        measure_every=100, train_examples=4000, image_size=0,
    ),
}  # fmt: skip


def get_config(argument: str = "features") -> ConfigDict:
    """Returns the runs of the part that an argument such as "networks,seeds=5" begins with."""
    part, _, rest = (argument or "features").partition(",")
    if part not in PARTS:
        raise UserError(
            f"the config's argument {part!r} is not known{nearest(part, PARTS)} (known: "
            f"{', '.join(PARTS)})"
        )
    chosen = parse_argument(rest, **PARTS[part])
    if part in ("features", "samples"):
        config = theory_config("double_descent", **recipe.without(chosen, "noise"))
        config.sweep = runs(recipe.noisy(chosen.noise))
        return config
    name = "double_descent_epochs" if part == "epochs" else "double_descent_networks"
    return recipe.widths_config(name, chosen)
