"""Lesson: more data helps where the data is; elsewhere it takes data from there.

    python -m rethinking_jax.main --config=configs/course_checkerboard.py
    python -m rethinking_jax.main --config=configs/course_checkerboard.py:outside=25,steps=12000

Points of a checkerboard of 4 x 4 squares, one of which is left out: there is what counts as
out of distribution. The MLP 256-256-256-256 with a sigmoid, Adam at 0.0001, batches of 128, on
500, 1,000 and 5,000 points, and on 1,000 with 9 from the square that is left out. Arguments:
examples (joined by +), outside (how many from there, added to `beside` others), seeds, steps.

Expected: in the distribution test accuracy rises from 0.957 with 500 points to 0.980 with 5,000;
in the square that is left out it is 0 with any number, for all its neighbours have the other
class, and 9 points from there raise it to 0.58. Where the same board goes on outside of [-1, 1]²
9 points would not do: there are 20 squares. The film decision_map.gif shows what is answered
where.

Takes 4 minutes on two CPU cores; its checkpoints take 250 MB.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import Overrides, parse_argument, recipe, runs
from rethinking_jax.data.checkerboard import sizes
from rethinking_jax.errors import UserError

BATCH = 128
FRAMES = 10  # checkpoints, for the film
MEASURED = 3  # times for each of them


def get_config(argument: str = "") -> ConfigDict:
    """Returns a run for each number of points and seed."""
    chosen = parse_argument(
        argument, examples="500+1000+5000", outside=9, beside=1000, seeds=3, steps=8190
    )  # of all four runs a whole number of epochs between measurements
    if chosen.steps < FRAMES * MEASURED:
        raise UserError(
            f"the config's argument steps={chosen.steps}: must be at least {FRAMES * MEASURED}"
        )
    names = [f"checkerboard:{number}" for number in chosen.examples.split("+")]
    if chosen.outside:
        names.append(f"checkerboard:{chosen.beside}+{chosen.outside}")
    config = recipe.course_config("course_checkerboard", {"dataset": names[0]})
    config.preprocess = "none"
    config.model = "mlp_sigmoid"
    config.hidden_sizes = (256, 256, 256, 256)
    config.optimizer = "adam"
    config.learning_rate = 1e-4
    config.momentum = 0.9
    config.batch_size = BATCH
    # The last 8 of 5,000 would make a step, the very one before a measurement.
    config.last_batch = "drop"
    config.checkpoints_to_keep = FRAMES
    config.sweep = runs(recipe.seeded([_run(name, chosen.steps) for name in names], chosen.seeds))
    return config


def _run(dataset: str, steps: int) -> Overrides:
    """Chooses about as many steps on any number of points, measured and kept after as many."""
    per_epoch = max(1, sum(sizes(dataset)) // BATCH)
    measure = max(1, round(steps / (FRAMES * MEASURED * per_epoch)))
    return {
        "name": dataset.partition(":")[2],
        "dataset": dataset,
        "epochs": FRAMES * MEASURED * measure,
        "measure_every": measure,
        "checkpoint_every": MEASURED * measure,
    }
