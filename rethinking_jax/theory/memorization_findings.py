"""From the memorization scores and what came with them to the parts of a report."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.findings import Findings
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.scores.banzhaf import Values
from rethinking_jax.scores.subsets import BLOCKS
from rethinking_jax.theory import memorization_pages as pages
from rethinking_jax.theory import memorization_verdicts as verdicts
from rethinking_jax.theory.exact_learners import Nearest
from rethinking_jax.theory.exposure import (
    OUTSIDERS,
    Exposure,
    exposure_plot,
    exposure_rows,
    exposure_table,
    outsiders,
)
from rethinking_jax.theory.influence_pairs import InfluencePairs, pair_gallery, pair_table
from rethinking_jax.theory.published import published_rows, published_table
from rethinking_jax.theory.removal import (
    Retrained,
    difference_plot,
    removal_plot,
    removal_rows,
    removal_table,
)
from rethinking_jax.theory.subset_runs import Memorized, Setting, left_out
from rethinking_jax.workdir.metrics import Json


class Found(NamedTuple):
    """What was found, each for all settings in their order; () for what was not asked for.

    Attributes:
      settings: the examples of each run of the config.
      networks: what networks memorize.
      retrained: what networks come to without the most memorized.
      values: Data Banzhaf values.
      exposures: what membership inference comes to.
      pairs: which example helps on which.
      neighbours: the nearest neighbour's scores.
      machines: the kernel machine's scores, float64 [n].
      published: the scores of others, float64 [n], by their names.
    """

    settings: Sequence[Setting]
    networks: Sequence[Memorized]
    retrained: Sequence[Retrained]
    values: Sequence[Values]
    exposures: Sequence[Exposure]
    pairs: Sequence[InfluencePairs]
    neighbours: Sequence[Nearest]
    machines: Sequence[np.ndarray]
    published: Mapping[str, np.ndarray]


def findings(found: Found) -> Findings:
    """Returns the tables, figures, galleries, scores and verdicts of what was found."""
    rows = _learner_rows(found)
    removals = removal_rows(found.retrained)
    enough = bool(found.networks) and outsiders(found.networks[0]) >= OUTSIDERS
    exposed = exposure_rows(found.exposures, enough)
    tables, plots = [pages.learner_table(rows)], []
    galleries = []
    if found.networks:
        tables += [exposure_table(exposed), pair_table(found.pairs, found.networks)]
        plots += [pages.histogram_plot(one, i) for i, one in enumerate(found.networks)]
        plots += [pages.in_out_plot(found.networks), exposure_plot(found.exposures)]
        galleries += [pages.score_gallery(one, i) for i, one in enumerate(found.networks)]
        galleries += [
            pair_gallery(pairs, one, i)
            for i, (pairs, one) in enumerate(zip(found.pairs, found.networks, strict=True))
            if len(pairs.pairs.train)
        ]
    columns = _columns(found)
    if beside := published_rows(found.settings, columns, found.published):
        tables.append(published_table(beside))
    if removals:
        tables.insert(1, removal_table(removals))
        plots += [removal_plot(found.retrained), difference_plot(removals)]
    return Findings(
        [*rows, *removals, *exposed, *beside],
        _facts(found),
        tables,
        plots,
        _verdicts(found),
        galleries,
        pages.example_scores(found.settings, columns),
    )


def _facts(found: Found) -> dict[str, str]:
    setting = found.settings[0]
    config, task = setting.config, setting.task
    kept = len(setting.ids) - -(-len(setting.ids) * left_out(config) // BLOCKS)
    facts = {
        "data": f"{config.dataset}: {len(setting.ids):,} training, {len(task.test_labels):,} test "
        "images",
        "subsets": f"{kept:,} of them for each of {config.runs} runs, in groups of {BLOCKS} that "
        f"leave every example out of {left_out(config)}; what is said of memorization is said of "
        "training sets of that size",
    }
    if found.networks:
        facts["method"] = (
            f"{config.model} {list(config.hidden_sizes)}, {config.optimizer}, learning rate "
            f"{config.learning_rate:g}, batches of {config.batch_size}, {config.epochs} epochs; "
            f"{config.retrain} further seeds for retraining"
        )
    if found.values:
        facts["Data Banzhaf values"] = f"{config.banzhaf} runs on halves of the training set"
    return facts


def _learner_rows(found: Found) -> list[Json]:
    rows = []
    for i, setting in enumerate(found.settings):
        beside = found.networks[i] if found.networks else None
        if beside:
            rows.append(pages.network_row(beside))
        if found.neighbours:
            scores = found.neighbours[i].exact
            rows.append(pages.learner_row(setting, "nearest", scores, beside))
        if found.machines:
            rows.append(pages.learner_row(setting, "kernel", found.machines[i], beside))
    return rows


def _columns(found: Found) -> list[dict[str, np.ndarray]]:
    """Returns the scores of each setting by their names."""
    columns: list[dict[str, np.ndarray]] = [{} for _ in found.settings]
    for i, own in enumerate(columns):
        if found.networks:
            one = found.networks[i]
            own |= {"mem": one.scores.value, "error": one.error}
            own |= {"in": one.scores.inside, "out": one.scores.outside}
            own["lira"] = found.exposures[i].evidence
        if found.values:
            own |= {"banzhaf": found.values[i].value, "banzhaf_error": found.values[i].error}
        if found.neighbours:
            own["mem_nearest"] = found.neighbours[i].exact
        if found.machines:
            own["mem_kernel"] = found.machines[i]
    return columns


def _verdicts(found: Found) -> list[Verdict]:
    names = [setting.name for setting in found.settings]
    neighbours = list(zip(names, found.neighbours, strict=False))
    return [
        verdicts.corrupted_is_memorized(found.networks),
        verdicts.removal_costs(found.networks, found.retrained),
        verdicts.removal_helps(found.networks, found.retrained),
        verdicts.pairs_are_confirmed(found.networks, found.pairs),
        verdicts.noisy_pairs_are_confirmed(found.networks, found.pairs),
        verdicts.rises_with_noise(found.networks),
        verdicts.has_a_tail(found.networks),
        verdicts.membership_is_exposed(found.exposures),
        verdicts.nothing_in_permuted(found.exposures),
        verdicts.estimate_is_exact(neighbours),
    ]
