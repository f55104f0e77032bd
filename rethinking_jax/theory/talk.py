"""The talk: several experiments, one after another, and the deck that is made of what they hold.

It measures nothing itself. Each part is an experiment of its own, in a folder of its own in the
workdir, which goes on where it was stopped.
"""

from collections.abc import Sequence

from ml_collections import ConfigDict

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.analysis.table import Column, table
from rethinking_jax.config import Member
from rethinking_jax.config.file import load
from rethinking_jax.config.key import Key
from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import check_slides
from rethinking_jax.theory.kind import Kind, Tools
from rethinking_jax.workdir.metrics import Json

# What the talk needs, on embedded digits.
PARTS = (
    "quickstart",
    "regularizers",
    "figure1:b,dataset=mnist5k,models=mlp_1x512,levels=5",
    "course_architectures:models=inception_small+inception_small_no_bn+alexnet_small+mlp_3x512"
    "+mlp_1x512,seeds=1,epochs=8",
    "rademacher:models=mlp_1x512+mlp_1x8,draws=2",
    "shattering:models=linear+mlp_1x4,dichotomies=32",
    "stability:seeds=2",
    "theorem1:trained_widths=",
    "min_norm:ntk_widths=",
    "kernel:ridge=0",
    "memorization:runs=100,label_noise=0.1,thresholds=0,learner=network",
    "course_double_descent:seeds=1",
)
COLUMNS = (
    Column("experiment", "experiment", words=True),
    Column("config", "part", words=True),
    Column("seconds", "seconds", "{:.0f}"),
)


def run(members: Sequence[Member], tools: Tools) -> Findings:
    """Carries out every part, or what is left of it, and writes the deck.

    Raises:
      UserError: a part cannot be carried out.
      RunFailed: stopped by a signal, or a part failed.
    """
    config = members[0].config
    experiments = parts_of(config)
    rows: list[Json] = []
    for place, (part, own) in enumerate(experiments.items(), start=1):
        tools.say(f"Part {place} of {len(experiments)}: {part}")
        for key in ("language", "data_dir"):
            if key in own and config[key]:
                own[key] = config[key]
        summary = tools.run_experiment(own, own.experiment)
        rows.append(
            {
                "name": own.experiment,
                "part": part,
                "folder": own.experiment,
                "experiment": own.experiment,
                "dataset": summary["dataset"],
                "seconds": summary["wall_seconds"],
            }
        )
    tools.write_deck([row["folder"] for row in rows])
    facts = {
        "deck": "talk.pptx, to be edited; the script stands in its notes",
        "parts": "each has a report of its own, in its folder",
    }
    return Findings(
        rows, facts, [table("parts", "What the talk is made of", COLUMNS, rows)], [], []
    )


def parts_of(config: ConfigDict) -> dict[str, ConfigDict]:
    """Returns the config of each part, as it is given.

    Raises:
      UserError: a part is no config, two have one name, or one is a talk itself.
    """
    found: dict[str, ConfigDict] = {}
    for part in filter(None, map(str.strip, str(config.parts).split(";"))):
        own = load(part)
        if not isinstance(own, ConfigDict) or own.get("kind") == "talk":
            raise UserError(f"config.parts: {part!r} must be another experiment's config")
        if own.experiment in [one.experiment for one in found.values()]:
            raise UserError(
                f"config.parts: {own.experiment!r} is there twice: the slides show one of them"
            )
        found[part] = own
    if not found:
        raise UserError(
            "config.parts is empty: give configs joined by ;, such as quickstart;rademacher:draws=2"
        )
    return found


def check(config: ConfigDict) -> None:
    """Checks the parts, and that what writes the deck is installed, before anything begins.

    Raises:
      UserError: the message says what would be right.
    """
    check_slides(f"config.kind={config.kind}")
    parts_of(config)


def data_name(config: ConfigDict) -> str:
    """Returns the names of the data sets of all parts."""
    names = (str(own.dataset) for own in parts_of(config).values() if "dataset" in own)
    return ", ".join(dict.fromkeys(names))


KIND = Kind(
    run,
    keys=(
        Key(
            "parts",
            ";".join(PARTS),
            "The experiments whose results are on the slides: configs with their arguments, "
            "joined by ;.",
        ),
    ),
    shared=("experiment", "data_dir", "language", "sweep"),
    one_for_all=("parts",),
    check=check,
    data_name=data_name,
)
