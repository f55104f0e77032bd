"""What least squares on random features says of double descent; see `double_descent`."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.analysis.findings import verdict
from rethinking_jax.analysis.intervals import Difference, holm, p_above_0, paired
from rethinking_jax.analysis.verdicts import Verdict
from rethinking_jax.workdir.metrics import Json

NEAR = 0.1  # a peak is at the threshold if it is off by at most this share of it
HARMLESS = 0.01  # what a tuned ridge may leave of a peak, in test error
SIGNIFICANT = 0.05  # the level of families of tests
RIDGE_SHOWN = "test, tuned ridge"  # what a curve with the ridge is called
BELKIN = "Belkin et al. (2019), Figure 2"
SIGNS = "A figure without numbers: the signs alone can be compared."


class Axis(NamedTuple):
    """What grows, and where it reaches the interpolation threshold.

    Attributes:
      key: "features" or "examples", the key of its value in a row.
      threshold: the number of the other one.
    """

    key: str
    threshold: int

    @property
    def mark(self) -> str:
        """What the threshold is called in a figure."""
        return "N = n" if self.key == "features" else "n = N"

    @property
    def label(self) -> str:
        """The name of the axis."""
        return "features N" if self.key == "features" else "training examples n"

    @property
    def title(self) -> str:
        """What grows against what, in words."""
        if self.key == "features":
            return f"Growing numbers of features N, {self.threshold:,} training examples"
        return f"Growing numbers of training examples n, {self.threshold:,} features"


class Measured(NamedTuple):
    """The numbers of one run.

    Attributes:
      name: the name of the run.
      noise: the probability with which its labels are redrawn.
      places: the sizes that grow, [p], rising.
      values: by their key in a row, float64 [draws, p].
    """

    name: str
    noise: float
    places: np.ndarray
    values: dict[str, np.ndarray]

    def at(self, key: str, place: int) -> list[float]:
        """Returns the value of each draw at the place of an index."""
        found: list[float] = self.values[key][:, place].tolist()
        return found

    def peaks(self, key: str) -> np.ndarray:
        """Returns the size at which the value of each draw is largest, [draws]."""
        found: np.ndarray = self.places[self.values[key].argmax(1)]
        return found


def measured_of(measured: Sequence[Json], axis: Axis) -> list[Measured]:
    """Orders the rows of each run by draw and size, and the runs by their label noise."""
    found = []
    for name in dict.fromkeys(row["name"] for row in measured):
        own = [row for row in measured if row["name"] == name]
        places = sorted({row[axis.key] for row in own})
        own.sort(key=lambda row: (row["draw"], row[axis.key]))
        keys = [key for key, value in own[0].items() if isinstance(value, float)]
        values = {
            key: np.array([row[key] for row in own], float).reshape(-1, len(places)) for key in keys
        }
        found.append(Measured(name, own[0]["label_noise"], np.array(places), values))
    return sorted(found, key=lambda own: own.noise)


def verdicts(measured: Sequence[Json], axis: Axis) -> list[Verdict]:
    """Judges the claims on growing features, or those on growing numbers of examples."""
    found = measured_of(measured, axis)
    at = int(np.abs(found[0].places - axis.threshold).argmin())
    close = abs(int(found[0].places[at]) - axis.threshold) <= NEAR * axis.threshold
    inside = close and 0 < at < len(found[0].places) - 1
    if axis.key == "examples":
        return [_peak_place(found, axis, inside), _more_hurts(found, at if inside else 0)]
    return [
        _peak_place(found, axis, inside),
        _norm_peaks_too(found, axis, inside),
        _rises_and_falls(found, at, inside),
        _beats_the_classical(found, at, inside),
        _noise_heightens(found, at, inside),
        _ridge_removes(found, at, inside),
    ]


def _claim(claim: str, true: bool | None, ours: str, place: str = BELKIN) -> Verdict:
    return verdict(claim, place, true, ours, SIGNS, of_paper=False)


def _told(found: Difference) -> str:
    return f"{found.value:.4f} ({found.low:.4f} to {found.high:.4f})"


def _all_above(differences: Sequence[Difference]) -> bool | None:
    """Says whether all differences are above 0; None where intervals do not tell."""
    if all(found.low > 0 for found in differences):
        return True
    return False if any(found.high <= 0 for found in differences) else None


def _sampled(found: Sequence[Measured]) -> str:
    return f"95 % intervals, paired over {len(found[0].values['test_error'])} draws"


def _needs(axis: Axis) -> str:
    return f"Needs sizes within 10 % of {axis.threshold:,}, and on both sides of it."


def _near(peaks: np.ndarray, where: np.ndarray | int) -> bool:
    return bool((np.abs(peaks - where) <= NEAR * np.asarray(where)).all())


def _peak_place(found: Sequence[Measured], axis: Axis, inside: bool) -> Verdict:
    claim = "In every draw the test error is highest where there are as many features as examples."
    if not inside:
        return _claim(claim, None, _needs(axis))
    true = all(_near(own.peaks("test_error"), axis.threshold) for own in found)
    return _claim(claim, true, f"It is highest at {axis.label}: {_peaks(found, 'test_error')}.")


def _peaks(found: Sequence[Measured], key: str) -> str:
    return "; ".join(
        f"{own.name}: {', '.join(f'{place:,}' for place in own.peaks(key))}" for own in found
    )


def _norm_peaks_too(found: Sequence[Measured], axis: Axis, inside: bool) -> Verdict:
    claim = "In every draw the norm of the coefficients peaks where the test error does."
    if not inside:
        return _claim(claim, None, _needs(axis))
    true = all(_near(own.peaks("norm"), own.peaks("test_error")) for own in found)
    return _claim(claim, true, f"The norm is largest at {axis.label}: {_peaks(found, 'norm')}.")


def _valley(own: Measured, at: int) -> int | None:
    """Returns the best place below the threshold, chosen by held-out examples, if there are any."""
    if "held_out_error" not in own.values or not at:
        return None
    return int(own.values["held_out_error"][:, :at].mean(0).argmin())


def _rises_and_falls(found: Sequence[Measured], at: int, inside: bool) -> Verdict:
    claim = "Test error rises from the classical optimum to the threshold, and falls beyond."
    valleys = [_valley(own, at) for own in found]
    if not inside or None in valleys:
        return _claim(claim, None, "Needs sizes on both sides of the threshold, and held_out.")
    differences, texts = [], []
    for own, valley in zip(found, valleys, strict=True):
        assert valley is not None
        peak = own.at("test_error", at)
        rise = paired(peak, own.at("test_error", valley))
        fall = paired(peak, own.at("test_error", -1))
        differences += [rise, fall]
        texts.append(
            f"{own.name}: up by {_told(rise)} from N = {own.places[valley]:,}, down by "
            f"{_told(fall)} to N = {own.places[-1]:,}"
        )
    return _claim(claim, _all_above(differences), f"{'; '.join(texts)}; {_sampled(found)}.")


def _beats_the_classical(found: Sequence[Measured], at: int, inside: bool) -> Verdict:
    claim = "With true labels the most features test better than any number below the threshold."
    clean = [own for own in found if own.noise == 0]
    valley = _valley(clean[0], at) if clean else None
    if not inside or valley is None:
        return _claim(claim, None, "Needs true labels, sizes beyond the threshold, and held_out.")
    own = clean[0]
    gain = paired(own.at("test_error", valley), own.at("test_error", -1))
    text = (
        f"Test error {np.mean(own.at('test_error', valley)):.4f} at N = {own.places[valley]:,}, "
        f"the best below by held-out examples, {np.mean(own.at('test_error', -1)):.4f} at N = "
        f"{own.places[-1]:,}: a gain of {_told(gain)}; {_sampled(found)}."
    )
    return _claim(claim, _all_above([gain]), text)


def _noise_heightens(found: Sequence[Measured], at: int, inside: bool) -> Verdict:
    claim = "Label noise makes the peak higher."
    place = "Nakkiran et al. (2020)"
    if not inside or found[0].noise == found[-1].noise:
        needs = "Needs runs with and without noise, and sizes on both sides of the threshold."
        return _claim(claim, None, needs, place)
    low, high = found[0], found[-1]
    more = paired(high.at("test_error", at), low.at("test_error", at))
    above = [
        np.mean(own.at("test_error", at)) - np.mean(own.at("test_error", -1)) for own in (high, low)
    ]
    text = (
        f"At the threshold the test error is {np.mean(high.at('test_error', at)):.4f} "
        f"({high.name}) and {np.mean(low.at('test_error', at)):.4f} ({low.name}), a difference of "
        f"{_told(more)}; {_sampled(found)}. Above that with the most features it is by "
        f"{above[0]:.4f} and {above[1]:.4f}."
    )
    return _claim(claim, _all_above([more]), text, place)


def _ridge_removes(found: Sequence[Measured], at: int, inside: bool) -> Verdict:
    claim = "A ridge that is chosen on held-out examples removes the peak."
    place = "Nakkiran et al. (2021)"
    valleys = [_valley(own, at) for own in found]
    if not inside or None in valleys:
        needs = "Needs sizes on both sides of the threshold, and held_out."
        return _claim(claim, None, needs, place)
    left, peaks, texts = [], [], []
    for own, valley in zip(found, valleys, strict=True):
        assert valley is not None
        peaks.append(paired(own.at("test_error", at), own.at("test_error", valley)))
        left.append(paired(own.at("ridge_error", at), own.at("ridge_error", valley)))
        texts.append(
            f"{own.name}, against N = {own.places[valley]:,}: {_told(left[-1])} with the ridge, "
            f"{_told(peaks[-1])} without"
        )
    text = (
        "Test error at the threshold, less that at the classical optimum: "
        f"{'; '.join(texts)}; {_sampled(found)}."
    )
    if not all(one.low > 0 for one in peaks):
        return _claim(claim, None, f"There is no peak to remove. {text}", place)
    true = _all_above([Difference(0, HARMLESS - one.high, HARMLESS - one.low, "") for one in left])
    return _claim(claim, true, f"{text} At most {HARMLESS:g} counts as removed.", place)


def _more_hurts(found: Sequence[Measured], at: int) -> Verdict:
    claim = "More training examples hurt somewhere: with as many as features, more than with fewer."
    place = "Nakkiran et al. (2020)"
    if not at:
        return _claim(claim, None, "Needs numbers of examples up to that of features.", place)
    pairs = [(own, i) for own in found for i in range(at)]
    more = [paired(own.at("test_error", at), own.at("test_error", i)) for own, i in pairs]
    adjusted = holm(
        [
            p_above_0(np.subtract(own.at("test_error", at), own.at("test_error", i)).tolist())
            for own, i in pairs
        ]
    )
    best = int(np.argmin(adjusted))
    own, i = pairs[best]
    text = (
        f"{own.name}: from {own.places[i]:,} to {own.places[at]:,} examples the test error rises "
        f"by {_told(more[best])}; {_sampled(found)}; p = {adjusted[best]:.1e} by Holm, of "
        f"{len(pairs)} pairs."
    )
    return _claim(claim, adjusted[best] <= SIGNIFICANT, text, place)
