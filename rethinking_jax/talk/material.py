"""What the work directories that a talk is made of hold, found by what a slide needs.

Where several hold what a slide shows, the one that is given first is taken.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from rethinking_jax.analysis import figure1, findings, paper, results
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.regularizers import batch_norm_pair
from rethinking_jax.analysis.results import Family, Group, Results, Series, families, tested_series
from rethinking_jax.course.double_descent import errors
from rethinking_jax.workdir.metrics import Json
from rethinking_jax.workdir.storage import AnyPath

Found: TypeAlias = "Results | TheoryResults"
KIND = "talk"  # the kind of theory experiment whose workdir holds those of its parts
SETTINGS = 4  # so many settings are the randomization tests


class Runs(NamedTuple):
    """Trained runs of one workdir: what it holds, and those that a slide is about."""

    results: Results
    series: Sequence[Series]

    @property
    def families(self) -> list[Family]:
        """The same runs, those that differ in regularizers together."""
        return families(self.series)


class Material(NamedTuple):
    """What a talk is made of.

    Attributes:
      found: what each workdir holds, in the order in which they are given.
      picture: draws training images and their labels for the workdir of some results; None where
        the data are not at hand.
    """

    found: Mapping[AnyPath, Found]
    picture: Callable[[AnyPath], bytes | None]

    @property
    def trained(self) -> list[Results]:
        """The trained runs."""
        return [one for one in self.found.values() if isinstance(one, Results)]

    def theory(self, kind: str) -> TheoryResults | None:
        """Returns the first experiment of a kind of theory."""
        own = (one for one in self.found.values() if isinstance(one, TheoryResults))
        return next((one for one in own if one.summary["kind"] == kind), None)

    def first(self, chosen: Callable[[Results], Sequence[Series]]) -> Runs | None:
        """Returns the first trained runs among which something is chosen."""
        pairs = ((one, chosen(one)) for one in self.trained)
        return next((Runs(one, own) for one, own in pairs if own), None)

    def place(self, one: Found) -> AnyPath:
        """Returns the workdir that holds some results."""
        return next(place for place, own in self.found.items() if own is one)


def read(workdir: AnyPath) -> dict[AnyPath, Found]:
    """Reads a finished workdir; the one of a talk is read as those of its parts.

    Raises:
      UserError: it is not finished, or a file in it cannot be understood.
    """
    if not results.is_theory(workdir):
        return {workdir: results.read(workdir)}
    return parts(workdir, findings.read(workdir)) or {workdir: findings.read(workdir)}


def parts(workdir: AnyPath, found: Found) -> dict[AnyPath, Found]:
    """Reads the parts of the workdir of a talk; {} where it is that of another experiment.

    Raises:
      UserError: a part is not finished, or a file in it cannot be understood.
    """
    if not isinstance(found, TheoryResults) or found.summary["kind"] != KIND:
        return {}
    folders = [workdir / member["folder"] for member in found.summary["members"]]
    return {place: one for folder in folders for place, one in read(folder).items()}


def language_of(found: Mapping[AnyPath, Found]) -> str:
    """Returns the language of the config of the first workdir that has one."""
    own = (one.config.get("language") for one in found.values())
    return str(next(filter(None, own), "en"))


def twice(found: Mapping[AnyPath, Found]) -> dict[AnyPath, AnyPath]:
    """Returns workdirs whose experiment another one holds that is given before, with that one."""
    first: dict[tuple[str, str], AnyPath] = {}
    result = {}
    for place, one in found.items():
        key = str(one.summary["experiment"]), str(one.summary.get("kind", ""))
        if key in first:
            result[place] = first[key]
        first.setdefault(key, place)
    return result


# What slides need ---------------------------------------------------------------------------


def settings(found: Results) -> list[Series]:
    """Returns the first series with the randomization tests, several settings of one network."""
    several = [one for one in tested_series(found) if len(_settings(one)) >= SETTINGS]
    return [one for one in several if one.of("true_labels") and one.of("random_labels")][:1]


def _settings(one: Series) -> set[str]:
    return {group.setting for group in one.groups}


def noise_levels(found: Results) -> list[Series]:
    """Returns the series with several levels of label noise."""
    return figure1.swept(found)


def networks(found: Results) -> list[Series]:
    """Returns one series for each network on true labels without a regularizer, of several."""
    own = [
        one
        for one in tested_series(found)
        if (group := one.of("true_labels")) and not group.regularizers
    ]
    by_model = {one.model: one for one in reversed(own)}
    several = [one for one in own if by_model[one.model] is one]
    known = {one.model for one in several} & set(paper.MODELS)
    return several if len(several) > 1 and len(known) > 1 and not _widths(found) else []


def regularized(found: Results) -> list[Series]:
    """Returns the series of the first family that trained true labels with regularizers."""
    return next(
        (
            list(family.series)
            for family in families(tested_series(found))
            if len(by_regularizers(family, "true_labels")) > 1
        ),
        [],
    )


def noise_regularized(found: Results) -> list[Series]:
    """Returns the series of families that trained random labels with a regularizer."""
    return [
        one
        for family in families(tested_series(found))
        if any(kinds for kinds in by_regularizers(family, "random_labels"))
        for one in family.series
    ]


def by_regularizers(family: Family, setting: str) -> dict[tuple[str, ...], Group]:
    """Returns the groups of a setting by the regularizers that are on, none first."""
    found: dict[tuple[str, ...], Group] = {}
    for group in family.groups(setting):
        if group.of_the_paper:
            found.setdefault(group.regularizers, group)
    return dict(sorted(found.items(), key=lambda pair: len(pair[0])))


def imagenet(found: Results) -> list[Series]:
    """Returns the series on ImageNet."""
    return [one for one in tested_series(found) if one.dataset == paper.IMAGENET]


def batch_norm(found: Results) -> list[Series]:
    """Returns the series of the small Inception with and without batch norm."""
    pair = batch_norm_pair(families(tested_series(found)))
    return [family.first for family, _ in pair]


def widths(found: Results) -> list[Series]:
    """Returns the series of networks of many widths, for double descent."""
    return tested_series(found) if _widths(found) and len(errors(found)[0].widths) > 2 else []


def _widths(found: Results) -> bool:
    return str(found.summary["experiment"]).endswith(("double_descent", "double_descent_networks"))


def measurements(found: TheoryResults, **wanted: object) -> list[Json]:
    """Returns the measurements of an experiment of theory that have some values."""
    return [
        row
        for row in found.summary["members"]
        if all(key in row and row[key] == value for key, value in wanted.items())
    ]
