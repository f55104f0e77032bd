"""The whole talk on the paper, from runs of your own: an editable deck with a spoken script.

    python -m rethinking_jax.main --config=configs/talk.py
    python -m rethinking_jax.main --config=configs/talk.py --config.language=es

Twelve experiments on the embedded digits, one after another, each in a folder of the workdir with a
report of its own: the randomization tests, label noise, five architectures, explicit regularizers,
Rademacher complexity, shattering, stability, Theorem 1, kernels, the solution of least norm,
memorization scores and double descent. Of what they hold it writes `talk.pptx` into the workdir: 25
slides whose texts, tables and charts can be edited, and in the notes of each what is said and for
how many seconds, 8 minutes in all. `--config.parts` names the experiments: configs with their
arguments, joined by ;. What is not among them stands on its slide as not measured.

`python -m rethinking_jax.report WORKDIR --slides=talk.pptx` writes the deck again, in either
language, also of other workdirs: docs/teach.md goes from the README to the edited deck.

It needs python-pptx: pip install "rethinking_jax[slides]". A command that was stopped goes on with
the part that was not complete.

Takes 5 minutes on two CPU cores.
"""

from ml_collections import ConfigDict

from rethinking_jax.config import runs
from rethinking_jax.theory.settings import theory_config


def get_config() -> ConfigDict:
    """Returns the config of the talk."""
    config = theory_config("talk")
    config.sweep = runs([{"name": "talk"}])
    return config
