"""Which examples are memorized: Feldman (2020), Feldman and Zhang (2020), on subsets of one set.

Hundreds of networks train on balanced random subsets of one training set as one sweep, and each
answers every example, with and without having seen it. From these very runs come the memorization
scores, which training example helps on which test example, and how well membership can be told
(Carlini et al. 2022). Then networks are trained anew without the most memorized examples.
Nearest neighbours and kernel machines, whose scores are exact, stand beside.
"""

from collections.abc import Sequence

from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.config import Member
from rethinking_jax.config.joined import names_of
from rethinking_jax.config.key import Key, Need, Range
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.errors import UserError
from rethinking_jax.scores.banzhaf import PAIR, Values
from rethinking_jax.scores.subsets import BLOCKS
from rethinking_jax.theory.exact_learners import kernel_machine, nearest_neighbour
from rethinking_jax.theory.exposure import expose
from rethinking_jax.theory.fitting import TRAINING_KEYS
from rethinking_jax.theory.influence_pairs import InfluencePairs, find_pairs, write_pairs
from rethinking_jax.theory.kind import (
    DATA_KEYS,
    EXAMPLE_KEYS,
    LABEL_KEYS,
    Kind,
    Tools,
    check_network,
)
from rethinking_jax.theory.memorization_findings import Found, findings
from rethinking_jax.theory.published import KEY, read_published
from rethinking_jax.theory.removal import FEWEST, Retrained, retrain
from rethinking_jax.theory.subset_runs import (
    Memorized,
    answers_of_subsets,
    left_out,
    memorized,
    read_settings,
    values_of_halves,
)

LEARNERS = ("network", "nearest", "kernel")


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Trains the runs of every setting as one sweep, and scores every example.

    Raises:
      UserError: there are fewer examples than blocks or than in a batch, or a kernel machine does
        not fit into memory.
      RunFailed: stopped by a signal, or a run diverged.
    """
    settings = read_settings(members, tools)
    for one in settings:
        check_count(len(one.ids), one.config)
    learners = names_of(members[0].config, "learner", LEARNERS)
    # These fail at once where a file is wrong, or something does not fit into memory.
    published = read_published(settings[0], not members[0].config.train_examples)
    machines = [kernel_machine(one) for one in settings if "kernel" in learners]
    neighbours = [nearest_neighbour(one) for one in settings if "nearest" in learners]
    networks: list[Memorized] = []
    retrained: list[Retrained] = []
    values: list[Values] = []
    pairs: list[InfluencePairs] = []
    if "network" in learners:
        with tools.open_lab() as lab:
            answers = answers_of_subsets(settings, tools, lab)
            networks = [memorized(*one) for one in zip(settings, answers, strict=True)]
            for own in networks:
                mean, name = own.scores.value.mean(), own.setting.name
                tools.say(f"{name}: mean memorization score {mean:.4f}")
            retrained = retrain(networks, tools, lab)
            if members[0].config.banzhaf:
                values = values_of_halves(settings, tools, lab)
            pairs = [find_pairs(one) for one in networks]
            write_pairs(lab.stage.workdir, pairs, networks)
    exposures = [expose(one, FEWEST) for one in networks]
    return findings(
        Found(
            settings,
            networks,
            retrained,
            values,
            exposures,
            pairs,
            neighbours,
            machines,
            published,
        )
    )


def check(config: ConfigDict) -> None:
    """Checks one run: its learners and its network, and that its labels alone are corrupted.

    Raises:
      UserError: the message says what would be right.
    """
    names_of(config, "learner", LEARNERS)
    check_network(config)
    if CORRUPTIONS[config.corruption].images is not None:
        known = [name for name, one in CORRUPTIONS.items() if one.images is None]
        raise UserError(
            f"config.corruption={config.corruption}: the runs share their images, so it must be "
            f"one of {', '.join(known)}"
        )
    if config.runs % BLOCKS:
        raise UserError(
            f"config.runs={config.runs} must be a multiple of {BLOCKS}: so many share an order of "
            "the examples"
        )
    if config.banzhaf % PAIR or config.banzhaf == PAIR:
        raise UserError(
            f"config.banzhaf={config.banzhaf} must be 0 or an even number from {2 * PAIR} on"
        )
    if abs(BLOCKS * config.subset - round(BLOCKS * config.subset)) > 1e-9:
        raise UserError(f"config.subset={config.subset} must be a number of tenths, such as 0.7")


def check_count(count: int, config: ConfigDict) -> None:
    """Refuses a training set of fewer examples than blocks, or subsets smaller than a batch.

    Raises:
      UserError: the message has the numbers.
    """
    kept = count - -(-count * left_out(config) // BLOCKS)
    least = min([kept, *([count // 2] if config.banzhaf else [])])
    if count < BLOCKS or (
        config.batch_size > least and "network" in names_of(config, "learner", LEARNERS)
    ):
        raise UserError(
            f"config.batch_size={config.batch_size}, subsets of {least:,} of {count:,} training "
            f"examples: there must be at least {BLOCKS}, and as many in a subset as in a batch"
        )


OF_NETWORKS = Need(
    ("learner",),
    lambda config: "network" in str(config.learner).split("+"),
    "learner=network, alone or among others",
    idle=True,
)

KIND = Kind(
    run,
    keys=(
        Key(
            "learner",
            "+".join(LEARNERS),
            "Whose memory is looked at, joined by +: networks; the nearest neighbour and a "
            "Gaussian kernel machine, whose scores are exact.",
        ),
        Key(
            "runs",
            400,
            "Networks of each setting, each on a subset of its own; a multiple of 10.",
            range=Range(20, 10**6, "from 20 to 1000000, for two halves"),
        ),
        Key(
            "subset",
            0.7,
            "The share of the training set that each run trains on, in tenths.",
            range=Range(0.1, 0.9, "from 0.1 to 0.9"),
        ),
        Key(
            "thresholds",
            6,
            "How many scores, evenly from 0.1 to 0.85, networks are trained anew without the "
            "examples that reach them; 0: none.",
            range=Range(0, 100, "from 0 to 100"),
            needs=OF_NETWORKS,
        ),
        Key(
            "retrain",
            10,
            "Seeds of the networks that are trained anew.",
            range=Range(2, 10**6, "from 2, for an interval, to 1000000"),
            needs=OF_NETWORKS,
        ),
        Key(
            "banzhaf",
            0,
            "Networks of each setting on random halves, for Data Banzhaf values; 0: none.",
            range=Range(0, 10**6, "from 0 to 1000000"),
            needs=OF_NETWORKS,
        ),
        Key(
            KEY,
            "",
            "Files of scores that others have published, PATH.npz:ARRAY joined by +, in the order "
            "of the examples' ids or beside an array ids: our scores are ranked beside them.",
        ),
    ),
    shared=(*DATA_KEYS, *LABEL_KEYS, "max_members"),
    training={
        "model": "mlp",
        "hidden_sizes": (128,),
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch_size": 128,
        "epochs": 20,
        "preprocess": "paper",
        "max_members": 100,
    },
    needs=dict.fromkeys(
        [key for key in (*TRAINING_KEYS, "max_members") if key != "hidden_sizes"], OF_NETWORKS
    ),
    one_for_all=(
        *EXAMPLE_KEYS,
        "crop_size",
        "seed",
        "epochs",
        "learner",
        "runs",
        "subset",
        "thresholds",
        "retrain",
        "banzhaf",
        KEY,
    ),
    check=check,
)
