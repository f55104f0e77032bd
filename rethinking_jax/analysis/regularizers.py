"""The paper's claims about explicit and implicit regularization, as functions of families.

Sections 2, 3 and 5 of the paper: Tables 1, 2 and 4, Figure 2. As in `claims`, each gives an
outcome and a sentence with our numbers; a difference that its interval does not tell from
zero is not measured.
"""

from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis import paper
from rethinking_jax.analysis.chance import (
    after_noise,
    best_by_noise,
    chance,
    is_chance,
    well_above,
    wobble,
)
from rethinking_jax.analysis.claims import (
    NO,
    NOT_MEASURED,
    YES,
    Judged,
    missing,
    outcome,
    over_seeds,
)
from rethinking_jax.analysis.intervals import Difference, difference
from rethinking_jax.analysis.results import Family, Group
from rethinking_jax.workdir.metrics import text_of

# The train accuracy on random labels from which ImageNet counts as fitted: the paper's three rows
# have 0.878 to 0.952.
IMAGENET_FITTED = 0.9
# The share of what a network fits without regularizers that it must fit with them: the rows of
# Table 2 keep 0.92 and 0.96.
KEPT = 0.9
# The gain from which early stopping wins: the best of many epochs is never below the last, so that
# less than a point counts as nothing.
POINT = 0.01
# The gain up to which batch norm helps "a little": it wins 3.75 points in Table 1.
LITTLE = 0.1


def listed(names: Sequence[str]) -> str:
    """Returns the names of regularizers as a reader is shown them."""
    return " + ".join(name.replace("_", " ") for name in names) or "no regularizer"


def points(value: float) -> str:
    """Returns a share as percentage points."""
    return f"{100 * value:.2f} points"


def _three_way(found: Difference) -> str:
    if found.low > 0:
        return YES
    return NO if found.high <= 0 else NOT_MEASURED


def _told(found: Difference) -> str:
    text = f"a difference of {points(found.value)}"
    if not found.of:
        return f"{text}, one seed each and no interval"
    low, high = f"{100 * found.low:.2f}", f"{100 * found.high:.2f}"
    text += f" (95 % interval {low} to {high}, over {found.of})"
    return text if found.low > 0 or found.high <= 0 else f"{text}: too little to tell from zero"


def _test(group: Group) -> str:
    return f"{listed(group.regularizers)} {over_seeds(group.test_accuracy())}"


# Random labels --------------------------------------------------------------------------


def imagenet_random(family: Family) -> Judged:
    """Judges whether random labels are fitted on all of ImageNet (Table 2)."""
    group, one = family.of("random_labels"), family.first
    if one.dataset != paper.IMAGENET or group is None:
        return missing("random labels on ImageNet (imagenet2012) without regularizers")
    whole = paper.TRAIN_EXAMPLES[paper.IMAGENET]
    if one.train_examples != whole:
        return missing(f"all {whole:,} training images of ImageNet: here {one.train_examples}")
    top1, top5 = group.values("train_accuracy"), group.values("train_top5_accuracy")
    text = f"Train accuracy top-1 {over_seeds(top1)}"
    text += "" if None in top5 else f", top-5 {over_seeds(top5)}"
    text += f"; at least {IMAGENET_FITTED:g} in top-1 counts as fitted"
    return Judged(outcome(float(np.mean(top1)) >= IMAGENET_FITTED), text)


def top5_is_chance(family: Family) -> Judged:
    """Judges whether random labels test at 1/k in top-1 and 5/k in top-5 (Table 2)."""
    one, five = chance(family.first), chance(family.first, guesses=5)
    groups = [g for g in family.groups("random_labels") if None not in g.values(TEST_TOP5)]
    if not groups or one is None or five is None:
        return missing("random labels and top-5 accuracy (data sets of 100 classes or more)")
    told, within = [], True
    for group in groups:
        parts = []
        top5 = [[line[TEST_TOP5] for line in own] for own in group.lines]
        for name, values, by_chance in (
            ("top-1", group.test_accuracy(), after_noise(one, group.test_accuracies())),
            ("top-5", group.values(TEST_TOP5), after_noise(five, top5)),
        ):
            within &= is_chance(values, by_chance)
            parts.append(f"{name} {over_seeds(values)} (chance {by_chance.told()})")
        told.append(f"{listed(group.regularizers)}: {', '.join(parts)}")
    return Judged(outcome(within), f"Test accuracy with {'; '.join(told)}")


TEST_TOP5 = "test_top5_accuracy"


def noise_despite_regularizers(family: Family) -> Judged:
    """Judges whether random labels are fitted with any regularizer (Tables 2 and 4)."""
    groups = [g for g in family.groups("random_labels") if g.regularizers and g.of_the_paper]
    return _still_fitted(family, groups, "random labels with a regularizer")


def noise_despite_decay(family: Family) -> Judged:
    """Judges whether random labels are fitted with weight decay alone (Tables 2 and 4)."""
    groups = [g for g in family.groups("random_labels") if g.regularizers == paper.DECAY]
    return _still_fitted(family, groups, "random labels with weight decay alone")


def fitted_share(group: Group) -> list[float] | None:
    """Returns train accuracies as Table 4 has them: running means where epochs have new images."""
    key = "running_accuracy" if "augmentation" in group.regularizers else "train_accuracy"
    values = group.values(key)
    return None if None in values else values


def _still_fitted(family: Family, groups: Sequence[Group], wanted: str) -> Judged:
    shares = [(group, share) for group in groups if (share := fitted_share(group)) is not None]
    if not shares:
        return missing(wanted)
    plain = family.of("random_labels")
    base = float(np.mean(plain.values("train_accuracy"))) if plain else 1.0
    held = all(float(np.mean(share)) >= KEPT * base for _, share in shares)
    told = [f"{listed(group.regularizers)} {over_seeds(share)}" for group, share in shares]
    against = (
        f"{text_of(base)}, which is fitted without any" if plain else "1.0, for none ran without"
    )
    text = (
        f"Train accuracy on random labels: {'; '.join(told)}. "
        f"Fitted means at least {KEPT:g} times {against}"
    )
    return Judged(outcome(held), text)


# True labels ----------------------------------------------------------------------------


def generalizes_without(family: Family) -> Judged:
    """Judges whether the network generalizes with all regularizers off (Tables 1 and 2)."""
    plain, by_chance = family.of("true_labels"), chance(family.first)
    others = [group for group in family.groups("true_labels") if group.regularizers]
    if plain is None or not others or by_chance is None:
        return missing("true labels with a regularizer and without any")
    bound = well_above(by_chance)
    text = (
        f"Test accuracy: {'; '.join(map(_test, [plain, *others]))}; chance is "
        f"{by_chance.mean:.4f}, at least {bound:.4f} counts as well above it"
    )
    return Judged(outcome(float(np.mean(plain.test_accuracy())) >= bound), text)


def early_stopping(family: Family) -> Judged:
    """Judges whether the best moment of training beats its end (Table 2 and Figure 2a)."""
    groups = [
        group
        for group in family.groups("true_labels")
        if "augmentation" not in group.regularizers and min(map(len, group.lines)) > 1
    ]
    if not groups:
        return missing("true labels, several epochs, without augmentation")
    told, won = [], True
    for group in groups:
        best, last = group.best_test_accuracy(), group.test_accuracy()
        gains = [high - end for high, end in zip(best, last, strict=True)]
        examples = family.first.test_examples or 1
        noise = max(best_by_noise(own, examples) for own in group.test_accuracies())
        won &= min(gains) >= max(POINT, noise)
        told.append(
            f"{points(float(np.mean(gains)))} with {listed(group.regularizers)} (best "
            f"{over_seeds(best)}, end {over_seeds(last)}; noise alone up to {points(noise)})"
        )
    text = (
        f"It would have won {'; '.join(told)}; {points(POINT)} with every seed count, and more "
        "than noise"
    )
    if family.first.dataset != paper.IMAGENET:
        text = f"The paper says so of ImageNet and not of CIFAR-10. {text}"
        return Judged(NOT_MEASURED, text)
    return Judged(outcome(won), text)


def augmentation_over_decay(family: Family) -> Judged:
    """Judges whether augmentation wins more in test than weight decay (Tables 1 and 2)."""
    augmented = family.of("true_labels", "augmentation")
    decayed = family.of("true_labels", "weight_decay")
    if augmented is None or decayed is None:
        return missing("true labels with augmentation alone and with weight decay alone")
    accuracies = augmented.test_accuracy(), decayed.test_accuracy()
    found = difference(*accuracies, family.first.test_examples)
    text = f"Test accuracy: {_test(augmented)}; {_test(decayed)}; {_told(found)}"
    return Judged(_three_way(found), text)


# Across architectures -------------------------------------------------------------------


def architecture_over_regularizers(families: Sequence[Family]) -> Judged:
    """Judges whether the best architecture beats all regularized others (section 5, Table 1)."""
    plain = [(f, group) for f in families if (group := f.of("true_labels")) is not None]
    needs = missing("true labels of two models without regularizers, the weaker one with one too")
    if not plain or len({family.first.dataset for family, _ in plain}) > 1:
        return needs
    best_family, best = max(plain, key=lambda pair: float(np.mean(pair[1].test_accuracy())))
    rivals = [
        (family, group)
        for family, _ in plain
        if family.first.model != best_family.first.model
        for group in family.groups("true_labels")
        if group.regularizers and group.of_the_paper
    ]
    if not rivals:
        return needs
    n = best_family.first.test_examples
    found = [
        (difference(best.test_accuracy(), group.test_accuracy(), n), family, group)
        for family, group in rivals
    ]
    closest, family, group = min(found, key=lambda triple: triple[0].value)
    text = (
        f"Test accuracy: {best_family.name} with {_test(best)}; nearest to it of "
        f"{len(rivals)} regularized others: {family.name} with {_test(group)}; {_told(closest)}"
    )
    return Judged(_three_way(closest), text)


def batch_norm_pair(families: Sequence[Family]) -> list[tuple[Family, Group]]:
    """Returns the small Inception with and without batch norm, trained on true labels with no
    regularizer; [] where one of them is missing."""
    wanted = ("inception_small", "inception_small_no_bn")
    found = []
    for model in wanted:
        of_model = [(f, f.of("true_labels")) for f in families if f.first.model == model]
        found += [(f, group) for f, group in of_model if group is not None][:1]
    same = len({family.first.dataset for family, _ in found}) == 1
    return found if len(found) == len(wanted) and same else []


BATCH_NORM = "true labels, no regularizer, inception_small and inception_small_no_bn"


def _rates(pair: Sequence[tuple[Family, Group]]) -> str:
    """Says at which rates the two learn where these differ: that is part of any difference."""
    rates = [group.config.get("learning_rate") for _, group in pair]
    return "" if rates[0] == rates[1] else f"; learning rates {rates[0]} and {rates[1]}"


def batch_norm_smooths(families: Sequence[Family]) -> Judged:
    """Judges whether the test accuracy runs more smoothly with batch norm (Figure 2b)."""
    pair = batch_norm_pair(families)
    epochs = min((len(lines) for _, group in pair for lines in group.lines), default=0)
    if epochs < 5:
        return missing(f"{BATCH_NORM}, five epochs of each")
    having, lacking = (
        [roughness(group, i, epochs) for i in range(group.seeds)] for _, group in pair
    )
    found = difference(lacking, having)
    interval = (
        f"95 % interval of the difference {found.low:.5f} to {found.high:.5f}, over {found.of}"
        if found.of
        else "one seed each and no interval"
    )
    text = (
        f"Mean second difference of test accuracy over {epochs} epochs: {np.mean(having):.5f} with "
        f"and {np.mean(lacking):.5f} without batch norm ({interval}){_rates(pair)}"
    )
    return Judged(_three_way(found), text)


def roughness(group: Group, index: int, epochs: int) -> float:
    """Returns the mean absolute second difference of a run's test accuracy over its first epochs.

    A straight rise has none, whatever its slope: only the wobble counts.
    """
    return wobble([line["test_accuracy"] for line in group.lines[index][:epochs]])


def batch_norm_helps_a_little(families: Sequence[Family]) -> Judged:
    """Judges whether batch norm wins a few points of test accuracy (Figure 2b and Table 1)."""
    pair = batch_norm_pair(families)
    if not pair:
        return missing(BATCH_NORM)
    (family, having), (_, lacking) = pair
    found = difference(having.test_accuracy(), lacking.test_accuracy(), family.first.test_examples)
    text = (
        f"Test accuracy {over_seeds(having.test_accuracy())} with and "
        f"{over_seeds(lacking.test_accuracy())} without batch norm; {_told(found)}; "
        f"more than {points(LITTLE)} would be a lot{_rates(pair)}"
    )
    helps = _three_way(found)
    return Judged(NO if helps == YES and found.value > LITTLE else helps, text)
