"""The slides that end the talk: conclusion, what came after, critique."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.claims import NO, YES
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.results import tested_series
from rethinking_jax.analysis.verdicts import Verdict, verdicts
from rethinking_jax.course.double_descent import errors
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import material, told
from rethinking_jax.talk.material import Found, Material
from rethinking_jax.talk.slide import Chart, Grid, Line, Slide
from rethinking_jax.workdir.metrics import Json


def conclusion(found: Material, words: Translate) -> Slide:
    """Says what the paper concludes, and how many of its claims our runs confirm."""
    claims = _outcomes(found)
    no = sum(NO in outcomes for outcomes in claims.values())
    counts = {"n": len(claims), "yes": len(claims) - no, "no": no}
    theirs = paper.table_1("inception_small", "true_labels")
    points = [
        words("Networks that we use have room to memorize their whole training set."),
        words("Optimization stays easy where there is nothing to generalize from."),
        words("Explicit regularizers are neither needed for generalization nor enough to explain "
              "it."),
        words("So capacity, as we measured it, cannot be the reason."),
    ]  # fmt: skip
    parts = [
        words("To conclude: networks can memorize, and they generalize all the same. Regularizers "
              "help, and the paper's network tests at {test} without any. So the measures that we "
              "had do not explain it.", test=told.number(theirs.test_accuracy if theirs else None))
    ]  # fmt: skip
    if claims:
        points.append(
            words("Of {n} claims of the paper that we judged, {yes} came out yes and {no} no at "
                  "least once.", **counts)
        )  # fmt: skip
        parts.append(
            words("Of {n} claims of the paper that we judged on our small runs, {yes} came out yes "
                  "everywhere, and {no} no at least once. A no on small data is no refutation: it "
                  "says that there we could not see it.", **counts)
        )  # fmt: skip
    small = told.papers(words("CIFAR-10, small Inception, Table 1"), words)
    source = f"{_all_sources(found, words)} {small}".strip()
    return Slide(words("Conclusion"), points, " ".join(parts), source)


def _outcomes(found: Material) -> dict[str, set[str]]:
    """Returns how each claim of the paper came out that some workdir can judge."""
    result: dict[str, set[str]] = {}
    for own in found.found.values():
        for one in _verdicts(own):
            if one.outcome in (YES, NO):
                result.setdefault(one.claim, set()).add(one.outcome)
    return result


def _all_sources(found: Material, words: Translate) -> str:
    own = [told.data_name(str(one.summary["dataset"]), words) for one in found.found.values()]
    devices = [str(one.summary["device"]) for one in found.found.values()]
    names = [*dict.fromkeys(own), *dict.fromkeys(devices)]
    return words("Ours: {what}.", what="; ".join(names)) if names else ""


def _verdicts(found: Found) -> Sequence[Verdict]:
    """Returns the verdicts on claims of the paper."""
    if isinstance(found, TheoryResults):
        return [one for one in found.found.verdicts if one.of_paper]
    return [one for one in verdicts(tested_series(found)) if one.of_paper]


def memorization(found: Material, words: Translate) -> Slide:
    """Shows memorization scores, which came after the paper."""
    draft = Slide(
        words("What came after: which examples are memorized"),
        [
            words("Feldman and Zhang 2020: how much likelier is the right answer on an example "
                  "when the network has trained on it?"),
            words("0: learned from the others. 1: by heart."),
        ],
        words("Since then the question has become finer: not whether a network memorizes, but "
              "what. Feldman and Zhang give each example a score: how much likelier is its label "
              "when the example is in the training set? We have no scores of ours here."),
        words("The scores: Feldman and Zhang 2020. Not in the paper."),
        missing="memorization.py",
    )  # fmt: skip
    own = found.theory("memorization")
    return draft if own is None else _with_scores(draft, own, words)


def _with_scores(draft: Slide, own: TheoryResults, words: Translate) -> Slide:
    rows = [row for row in own.summary["members"] if "clean_mean" in row]
    rows = [row for row in rows if row.get("learner", "network") == "network"] or rows
    last = rows[-1]
    script = words(
        "Since then the question has become finer: not whether a network memorizes, but what. "
        "Feldman and Zhang score each example: how much likelier is its label when the example "
        "was trained on? Ours average {mean}.",
        mean=told.number(last["mean"]),
    )
    if last["corrupted_mean"] is not None:
        script += " " + words(
            "Examples with a wrong label have {corrupted}, the others {clean}.",
            corrupted=told.number(last["corrupted_mean"]),
            clean=told.number(last["clean_mean"]),
        )
    columns = [
        words("labels"),
        words("examples"),
        words("mean score"),
        words("mean, wrong labels"),
        words("mean, right labels"),
    ]
    grid = Grid(columns, [_score_row(row, words) for row in rows[:5]])
    trained = words("{n} networks", n=own.config["runs"]) if "runs" in own.config else ""
    small = told.of_theory(own, words, trained)
    return told.with_ours(draft, script, small, draft.points, grid=grid)


def _score_row(row: Json, words: Translate) -> list[str]:
    noise = str(row["name"]).removeprefix("label_noise=")
    return [
        words("label noise {noise}", noise=noise),
        f"{row['examples']:,}",
        *(told.number(row[key]) for key in ("mean", "corrupted_mean", "clean_mean")),
    ]


class Descent(NamedTuple):
    """Errors against size, of a slide on double descent.

    Attributes:
      label: what the size is.
      sizes: rising.
      test, train: the mean errors at each size.
      source: what they are of, in small print.
    """

    label: str
    sizes: Sequence[int]
    test: np.ndarray
    train: np.ndarray
    source: str


def double_descent(found: Material, words: Translate) -> Slide:
    """Shows test error that rises and falls again as networks grow, which came after the paper."""
    draft = Slide(
        words("What came after: double descent"),
        [
            words("Belkin and others 2019, Nakkiran and others 2020: beyond the size that just "
                  "fits, a larger model tests better again."),
        ],
        words("The old picture of a U is only half of it. As a model grows, test error falls, "
              "rises up to where the training set is just fitted, and falls again. Large networks "
              "live beyond that peak. We have no numbers of ours here."),
        words("Double descent: Belkin and others 2019. Not in the paper."),
        missing="course_double_descent.py",
    )  # fmt: skip
    own = _of_networks(found, words) or _of_features(found, words)
    return draft if own is None else _with_sizes(draft, own, words)


def _of_networks(found: Material, words: Translate) -> Descent | None:
    shown = found.first(material.widths)
    if shown is None:
        return None
    one = errors(shown.results)[-1]
    source = told.ours(shown.results, shown.series, words)
    label = words("width of the hidden layer")
    if one.noise:
        source += " " + words("Label noise {noise:g}.", noise=one.noise)
    return Descent(label, one.widths.tolist(), one.test.mean(0), one.train.mean(0), source)


def _of_features(found: Material, words: Translate) -> Descent | None:
    own = found.theory("double_descent")
    if own is None:
        return None
    rows = [row for row in own.summary["members"] if "test_error" in row]
    noisiest = max(str(row["name"]) for row in rows)
    rows = [row for row in rows if row["name"] == noisiest]
    key = "features" if len({row["features"] for row in rows}) > 1 else "examples"
    sizes = sorted({row[key] for row in rows})
    test, train = (
        np.array([np.mean([row[name] for row in rows if row[key] == size]) for size in sizes])
        for name in ("test_error", "train_error")
    )
    label = words("random features" if key == "features" else "training images")
    return Descent(label, sizes, test, train, told.of_theory(own, words, noisiest))


def _with_sizes(draft: Slide, own: Descent, words: Translate) -> Slide:
    peak = peak_of(own.test)
    ends = {
        "first": told.number(own.test[0]),
        "a": own.sizes[0],
        "top": told.number(own.test[peak]),
        "b": own.sizes[peak],
        "last": told.number(own.test[-1]),
        "c": own.sizes[-1],
    }
    script = words(
        "The old picture of a U is only half of it. As a model grows, test error may rise up to "
        "where the training set is just fitted, and fall again. Ours is {first} at {a:,}, {top} at "
        "{b:,} and {last} at {c:,}. Large networks live beyond the peak.",
        **ends,
    )
    ours = words("Ours: {first} at {a:,}, {top} at {b:,}, {last} at {c:,}.", **ends)
    lines = [
        Line(words("test error"), own.sizes, own.test.tolist()),
        Line(words("training error"), own.sizes, own.train.tolist()),
    ]
    chart = Chart(words("Error against size"), own.label, words("error"), lines, log=True)
    return told.with_ours(draft, script, own.source, [*draft.points, ours], charts=[chart])


def peak_of(test: np.ndarray) -> int:
    """Returns the place of the highest error after the first rise; of the highest without one."""
    rising = np.flatnonzero(np.diff(test) > 0)
    start = int(rising[0]) if len(rising) else 0
    return start + int(np.argmax(test[start:]))


def critique(found: Material, words: Translate) -> Slide:
    """Says what the paper leaves open, and what our small runs do."""
    return Slide(
        words("Critique"),
        [
            words("It shows what does not explain generalization; what does, it leaves open."),
            words("Most numbers are of one seed, without an error; batch size and “time to fit” "
                  "are not said."),
            words("Figure 1c is probably on corrupted test labels: its curve fits that."),
            words("Worst-case measures fail here; measures that look at data and weights, such as "
                  "margins and PAC-Bayes, are not ruled out."),
            words("Ours: where data are small and one seed is trained, differences of a point say "
                  "little."),
        ],
        words(
            "A fair critique. The paper shows what does not explain generalization, and leaves "
            "open what does. Its tables have one seed and no intervals. Worst-case bounds fail, "
            "but measures that look at the data, such as margins, are not ruled out. And our own "
            "runs are small: take their last digit with care. Thank you."
        ),
    )  # fmt: skip
