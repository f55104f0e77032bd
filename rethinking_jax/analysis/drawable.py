"""What of a figure can be drawn: not all points of a large scatter, and no 0 on a logarithmic axis.

Nothing is left out without a sentence in the caption.
"""

import math
from collections.abc import Sequence

import numpy as np

from rethinking_jax.analysis.curves import Curve, Plot

# More points of a scatter than this make a page of several maps larger than a megabyte.
MOST_MARKS = 5000


def drawable(plot: Plot) -> Plot:
    """Returns a figure without what cannot be drawn, and says in its caption what that is."""
    for part in (known, positive, thinned):
        plot = part(plot)
    return plot


def known(plot: Plot) -> Plot:
    """Leaves out the points of scatters that have no number."""
    curves = [_known(one) if one.marks else one for one in plot.curves]
    lost = sum(len(one.x) for one in plot.curves) - sum(len(one.x) for one in curves)
    return _less(plot, curves, f"{_points(lost)} not drawn: there is no number." if lost else "")


def positive(plot: Plot) -> Plot:
    """Leaves out the points at 0 or below of a logarithmic axis, which has no place for them."""
    curves = [_positive(one, plot.log) for one in plot.curves]
    lost = sum(map(_count, plot.curves)) - sum(map(_count, curves))
    why = "not drawn: a logarithmic axis has no place for 0 and below."
    return _less(plot, curves, f"{_points(lost)} {why}" if lost else "")


def thinned(plot: Plot, most: int = MOST_MARKS) -> Plot:
    """Leaves marks out, evenly along each scatter, where a figure has more than `most`."""
    total = sum(len(one.x) for one in plot.curves if one.marks)
    if total <= most:
        return plot
    curves = [_every(one, len(one.x) * most // total) if one.marks else one for one in plot.curves]
    left = sum(len(one.x) for one in curves if one.marks)
    said = (
        f"{left:,} of {total:,} points are drawn and can be copied, evenly chosen along the "
        "horizontal axis."
    )
    return _less(plot, curves, said)


def _less(plot: Plot, curves: list[Curve], said: str) -> Plot:
    """Returns a figure with other curves and a further sentence below it, if there is one."""
    if not said:
        return plot
    return plot._replace(curves=curves, caption=f"{plot.caption} {said}".strip())


def _points(count: int) -> str:
    return "1 point is" if count == 1 else f"{count:,} points are"


def _known(curve: Curve) -> Curve:
    """Returns a scatter without the points that have no number."""
    places = enumerate(zip(curve.x, curve.y, strict=True))
    return _at(curve, [i for i, place in places if all(map(math.isfinite, place))])


def _count(curve: Curve) -> int:
    """Returns the number of points that have a value."""
    return sum(not math.isnan(value) for value in curve.y)


def _every(curve: Curve, count: int) -> Curve:
    """Returns so many points of a curve, evenly chosen, and at least one where it has any."""
    chosen = np.linspace(0, len(curve.x) - 1, max(count, 1)).round().astype(int).tolist()
    return _at(curve, chosen) if curve.x else curve


def _at(curve: Curve, chosen: Sequence[int]) -> Curve:
    """Returns a curve with these points alone."""
    x, y, low, high = (
        [values[i] for i in chosen] for values in (curve.x, curve.y, curve.low, curve.high)
    )
    best = [curve.best[i] for i in chosen] if curve.best else ()
    names = [curve.names[i] for i in chosen] if curve.names else ()
    return curve._replace(x=x, y=y, low=low, high=high, best=best, names=names)


def _positive(curve: Curve, log: str) -> Curve:
    """Returns a curve without the x, and with nan for the values, that are 0 or below.

    The ends of an interval stay: one at 0 is drawn as far as the axis goes.
    """
    if "x" in log:
        chosen = [i for i, value in enumerate(curve.x) if value > 0]
        curve = curve if len(chosen) == len(curve.x) else _at(curve, chosen)
    if "y" in log:
        curve = curve._replace(y=[value if value > 0 else math.nan for value in curve.y])
    return curve
