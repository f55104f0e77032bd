"""The slides on what this means for measures of capacity: Rademacher, VC, stability, Theorem 1."""

from collections.abc import Sequence

from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.language.translate import Translate
from rethinking_jax.talk import told
from rethinking_jax.talk.material import Material, measurements
from rethinking_jax.talk.slide import Chart, Grid, Line, Slide
from rethinking_jax.workdir.metrics import Json

NO_NUMBER = "section 2.2, an argument and no number"


def rademacher(found: Material, words: Translate) -> Slide:
    """Shows that networks fit random signs, so that their Rademacher complexity is about 1."""
    draft = Slide(
        words("Rademacher complexity: the bound is empty"),
        [
            words("How well can the class fit random signs? 1 is the most there is."),
            words("The paper: about 1 for networks that fit random labels. A bound above one half "
                  "allows a coin."),
        ],
        words("Rademacher complexity asks how well a class of functions can fit coin flips. A "
              "network that fits random labels fits these, too: its complexity is about one, and "
              "the bound that follows says that the error is at most one. We knew that before."),
        told.papers(words(NO_NUMBER), words),
        missing="rademacher.py",
    )  # fmt: skip
    own = found.theory("rademacher")
    return draft if own is None else _with_signs(draft, own, words)


def _with_signs(draft: Slide, own: TheoryResults, words: Translate) -> Slide:
    rows = measurements(own, kind="network")
    most = max(rows, key=lambda row: (row["parameters"], row["points"]))
    least = min(rows, key=lambda row: (row["parameters"], -row["points"]))
    name, value, images = (
        told.network_of(most["name"], words), told.number(most["estimate"]), f"{most['points']:,}"
    )  # fmt: skip
    script = words(
        "Rademacher complexity asks how well a class of functions can fit coin flips. We trained "
        "networks on random signs. {network} reaches {value} on {n} images, where one is the most "
        "there is. So the bound says that the error is at most one. A network with {few} "
        "parameters is at {low}: a bound says something only well below one half.",
        network=name,
        value=value,
        n=images,
        few=f"{least['parameters']:,}",
        low=told.number(least["estimate"]),
    )
    ours = words("Ours: {value} for {network} on {n} images.", value=value, network=name, n=images)
    first, second = draft.points
    lines = [
        Line(
            words("{network}, {n} parameters", network=told.network_of(label, words),
                  n=f"{of_one[0]['parameters']:,}"),
            [row["points"] for row in of_one],
            [row["estimate"] for row in of_one],
        )
        for label, of_one in _by_name(rows).items()
    ]  # fmt: skip
    chart = Chart(
        words("Empirical Rademacher complexity, found by training on random signs"),
        words("images"), words("estimate (a lower bound)"), lines, log=True, top=1.2,
    )  # fmt: skip
    small = told.of_theory(own, words, words("{n} draws of signs", n=most["draws"]))
    return told.with_ours(draft, script, small, [first, ours, second], charts=[chart])


def _by_name(rows: Sequence[Json]) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return found


def shattering(found: Material, words: Translate) -> Slide:
    """Shows how many labelings of n points are fitted: the VC dimension is at least as large."""
    draft = Slide(
        words("VC dimension: larger than the training set"),
        [
            words("A class that fits every labeling of n points has VC dimension n or more."),
            words("The paper: networks that fit random labels shatter their training set, and the "
                  "bound says nothing."),
        ],
        words("The VC dimension is the largest number of points of which a class fits every "
              "labeling. A network that fits whatever labels we draw has at least as many as there "
              "are training images. The bound compares the two, and is empty again."),
        told.papers(words(NO_NUMBER), words),
        missing="shattering.py",
    )  # fmt: skip
    own = found.theory("shattering")
    return draft if own is None else _with_labelings(draft, own, words)


def _with_labelings(draft: Slide, own: TheoryResults, words: Translate) -> Slide:
    rows = [row for row in own.summary["members"] if "fraction" in row]
    capacities = [row for row in own.summary["members"] if row.get("per_weight") is not None]
    listed = ", ".join(
        words("{network}: {ratio:.2f}", network=told.network_of(row["name"], words),
              ratio=row["per_weight"])
        for row in capacities
    ) or told.DASH  # fmt: skip
    script = words(
        "The VC dimension asks for how many points every labeling can be fitted. In a small "
        "experiment the point where half of the labelings fit is, in points per weight: {list}. So "
        "capacity grows with the number of weights. The paper's networks have more of them than "
        "images, and fit random labels, too: there the bound says nothing.",
        list=listed,
    )
    ours = words("Ours, points per weight at which half of the labelings fit: {list}.", list=listed)
    first, second = draft.points
    lines = [
        Line(
            words("{network}, {n} weights", network=told.network_of(name, words),
                  n=of_one[0]["weights"]),
            [row["ratio"] for row in of_one],
            [row["fraction"] for row in of_one],
        )
        for name, of_one in _by_name(rows).items()
    ]  # fmt: skip
    chart = Chart(
        words("Share of labelings that training fits, against points per weight"),
        words("points per weight"), words("share fitted"), lines, top=1.0,
    )  # fmt: skip
    drawn = words(
        "at most {n} labelings of each set of points", n=max(row["dichotomies"] for row in rows)
    )
    small = told.of_theory(own, words, drawn)
    return told.with_ours(draft, script, small, [first, ours, second], charts=[chart])


def stability(found: Material, words: Translate) -> Slide:
    """Shows how far twins move apart that differ in one training example."""
    draft = Slide(
        words("Uniform stability: blind to the labels"),
        [
            words("A stable method hardly changes when one training example does."),
            words("Uniform stability would need a change of about 1/n for every example. It does "
                  "not look at labels."),
        ],
        words("Stability is about the algorithm: does its answer change when one example does? "
              "Uniform stability takes the worst case over all data, so it is the same for true "
              "and for random labels. It cannot tell why one generalizes and the other does not."),
        told.papers(words(NO_NUMBER), words),
        missing="stability.py",
    )  # fmt: skip
    own = found.theory("stability")
    return draft if own is None else _with_twins(draft, own, words)


def _with_twins(draft: Slide, own: TheoryResults, words: Translate) -> Slide:
    members = own.summary["members"]
    rows = [_twins_row(of_one, words) for of_one in _by_name(members).values()]
    last = rows[-1]
    script = words(
        "Stability is about the algorithm: does its answer change when one example does? We "
        "trained twins that differ in one example. With {labels} the loss of some test image "
        "changes by {most}, where uniform stability would need about {bound}. And the definition "
        "takes the worst case over all labels: it cannot tell true ones from random ones.",
        labels=last[0],
        most=last[3],
        bound=last[4],
    )
    columns = [
        words("twins trained on"),
        words("distance of the weights"),
        words("change of loss, mean"),
        words("change of loss, most"),
        "1/n",
    ]
    size = words("{n} training images", n=f"{members[0]['examples']:,}")
    small = told.of_theory(own, words, size, told.seeds_of(members, words))
    return told.with_ours(draft, script, small, draft.points, grid=Grid(columns, rows))


def _twins_row(of_one: Sequence[Json], words: Translate) -> list[str]:
    return [
        words(str(of_one[0]["corruption"]).replace("_", " ")),
        told.mean(row["distance"] for row in of_one),
        told.mean(row["test_mean"] for row in of_one),
        told.mean(row["test_most"] for row in of_one),
        f"{1 / of_one[0]['examples']:.3g}",
    ]


def theorem1(found: Material, words: Translate) -> Slide:
    """Shows Theorem 1: a network of 2n + d weights takes any labels of n points."""
    draft = Slide(
        words("Theorem 1: small networks can memorize, too"),
        [
            words("For any n points in d dimensions and any labels there is a network with two "
                  "layers and 2n + d weights that takes them."),
        ],
        words("And it takes no giant. The paper proves that a ReLU network with two layers and two "
              "n plus d weights can take any labels of n points. Not even a large network is "
              "needed to learn by heart."),
        told.papers(words("Theorem 1, section 4"), words),
        missing="theorem1.py",
    )  # fmt: skip
    own = found.theory("theorem1")
    return draft if own is None else _with_built(draft, own, words)


def _with_built(draft: Slide, own: TheoryResults, words: Translate) -> Slide:
    rows = [row for row in own.summary["members"] if "exact_float64" in row]
    noise = [row for row in rows if row["corruption"] == "random_labels"] or rows
    shown = sorted(noise, key=lambda row: row["points"])[-6:]
    last = shown[-1]
    script = words(
        "And it takes no giant. The paper proves that two layers and two n plus d weights are "
        "enough for any labels of n points. We built that network: for {n} images with {weights} "
        "weights it takes {share} of the labels in double precision, in single precision {single}.",
        n=f"{last['points']:,}",
        weights=f"{last['weights']:,}",
        share=told.number(last["exact_float64"]),
        single=told.number(last.get("exact_float32")),
    )
    labels = words(str(last["corruption"]).replace("_", " "))
    ours = words("Ours: that network, built for {labels}.", labels=labels)
    columns = [
        words("points n"),
        words("weights"),
        "2n + d",
        words("labels taken, double precision"),
        words("labels taken, single precision"),
    ]
    grid = Grid(columns, [_built_row(row) for row in shown])
    small = told.of_theory(own, words, told.seeds_of(noise, words))
    return told.with_ours(draft, script, small, [*draft.points, ours], grid=grid)


def _built_row(row: Json) -> list[str]:
    return [
        f"{row['points']:,}",
        f"{row['weights']:,}",
        f"{row['weights_of_theorem']:,}",
        told.number(row["exact_float64"]),
        told.number(row.get("exact_float32")),
    ]
