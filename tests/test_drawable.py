"""Scatters, histograms and logarithmic axes: what is drawn, and what the caption says is not."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest

from rethinking_jax.analysis import drawing
from rethinking_jax.analysis.curves import Curve, Plot, marks
from rethinking_jax.analysis.drawable import MOST_MARKS, drawable, positive
from rethinking_jax.language.translate import translator
from rethinking_jax.report import charts

RNG = np.random.default_rng(0)


def plot(*curves: Curve, log: str = "") -> Plot:
    return Plot("map", "Map", "Caption.", "x", "y", list(curves), log=log)  # type: ignore[arg-type]


def cloud(count: int, label: str = "a") -> Curve:
    names = [f"example {i}" for i in range(count)]
    return marks(label, RNG.random(count).tolist(), RNG.random(count).tolist(), names)


def test_marks_go_from_left_to_right_with_their_names() -> None:
    made = marks("a", [3.0, 1.0, 2.0], [0.3, 0.1, 0.2], ["c", "a", "b"])
    assert (made.x, made.y, list(made.names)) == ([1, 2, 3], [0.1, 0.2, 0.3], ["a", "b", "c"])
    assert made.marks and made.low == made.high == made.y


def test_every_mark_of_a_figure_is_in_its_page_and_none_is_a_line() -> None:
    one = plot(cloud(3000), cloud(200, "b"))
    chart = charts.chart(drawable(one), "ours", "s0f0", translator("en"))
    assert chart.plot.caption == "Caption." and [key.kind for key in chart.legend] == ["Points"] * 2
    assert [len(points["y"]) for points in chart.data["curves"]] == [3000, 200]
    corners = [
        len(found.split()) for found in re.findall(r'<path d="M([^"]*)" fill="none"', chart.svg)
    ]
    assert corners == [3000, 200]
    assert len(set(re.findall(r'<marker id="s0f0-(\w+)-mark"', chart.svg))) == 2
    for index in range(2):
        group = chart.svg.split(f'id="s0f0-curve-{index}"')[1].split("</g>")[0]
        outlines = re.findall(r'<path id="([\w-]+)"', group)
        used = re.findall(r'<use xlink:href="#([\w-]+)"', group)
        assert set(outlines) == set(used)
        assert " L " not in re.sub(r"<defs>.*?</defs>", "", group, flags=re.DOTALL)
    # The marks stand where the numbers are.
    left, right, top, bottom = chart.data["axes"]
    places = re.findall(r'<path d="M([^"]*)" fill="none"', chart.svg)[0].split()
    x, y = np.array([place.split(",") for place in places], float).T
    (x0, x1), (y0, y1) = chart.data["x"], chart.data["y"]
    curve = one.curves[0]
    shown_x = left + (np.array(curve.x) - x0) / (x1 - x0) * (right - left)
    shown_y = bottom - (np.array(curve.y) - y0) / (y1 - y0) * (bottom - top)
    assert np.abs(shown_x - x).max() < 0.1 and np.abs(shown_y - y).max() < 0.1
    assert len(chart.svg) + len(json.dumps(chart.data)) < 250_000


@pytest.mark.parametrize("counts", [(6000, 600), (60_000, 12, 0), (MOST_MARKS + 1,)])
def test_a_large_scatter_is_thinned_and_the_caption_says_so(counts: tuple[int, ...]) -> None:
    whole = plot(*[cloud(count) for count in counts])
    made = drawable(whole)
    left = sum(len(one.x) for one in made.curves)
    assert 0.99 * MOST_MARKS < left <= MOST_MARKS + len(counts)
    said = f"{left:,} of {sum(counts):,} points are drawn and can be copied"
    assert made.caption.startswith(f"Caption. {said}")
    for before, after in zip(whole.curves, made.curves, strict=True):
        points = dict(zip(before.names, zip(before.x, before.y, strict=True), strict=True))
        kept = zip(after.names, zip(after.x, after.y, strict=True), strict=True)
        assert all(points[name] == place for name, place in kept)
        assert len(set(after.names)) == len(after.names) == len(after.low) == len(after.high)
        assert (len(after.x) > 0) == (len(before.x) > 0)
        if len(after.x) > 100:  # the ends are there, and the middle is where it was
            assert (after.x[0], after.x[-1]) == (before.x[0], before.x[-1])
            assert np.median(after.x) == pytest.approx(np.median(before.x), abs=0.01)


def test_zeros_of_a_logarithmic_axis_are_told() -> None:
    roc = Curve("a", [0.0, 0.0, 0.1, 1.0], [0.0, 0.1, 0.5, 1.0], [0, 0, 0.4, 1], [0, 0.2, 0.6, 1])
    made = positive(plot(roc, log="x"))
    assert (made.curves[0].x, made.curves[0].y) == ([0.1, 1.0], [0.5, 1.0])
    assert made.caption == (
        "Caption. 2 points are not drawn: a logarithmic axis has no place for 0 and below."
    )
    counts = Curve("b", [0.0, 1.0, 2.0], [5.0, 0.0, 2.0], [4, 0, -1], [6, 1, 3], bars=True)
    made = positive(plot(counts, log="y"))
    assert math.isnan(made.curves[0].y[1]) and made.curves[0].low == [4, 0, -1]
    assert "1 point is not drawn" in made.caption
    assert positive(plot(roc)) == plot(roc)
    above = plot(Curve("c", [1.0], [1.0], [1.0], [1.0]), log="xy")
    assert drawable(above) == above


def test_a_point_without_a_number_is_told() -> None:
    one = plot(marks("a", [0.1, math.nan, 0.3, 0.2], [1.0, 1.0, math.inf, 0.5]))
    made = drawable(one)
    assert (made.curves[0].x, made.curves[0].y) == ([0.1, 0.2], [1.0, 0.5])
    assert "2 points are not drawn: there is no number." in made.caption


@pytest.mark.parametrize("log", ["", "y"])
@pytest.mark.parametrize("count", [1, 2, 7])
def test_bars_touch_and_have_their_errors(count: int, log: str, tmp_path: Path) -> None:
    x = [0.5 + i for i in range(count)]
    y = [float(i + 1) for i in range(count)]
    low, high = [value - 0.5 for value in y], [value + 0.5 for value in y]
    made = plot(Curve("a", x, y, low, high, "95 % intervals", bars=True), log=log)
    chart = charts.chart(made, "ours", "s0f0", translator("en"))
    assert chart.legend[0].kind == "Bars" and chart.notes == ["Bars: 95 % intervals."]
    outline = chart.svg.split('id="s0f0-curve-0"')[1].split(' d="')[1].split('"')[0]
    across = np.array(re.findall(r"[ML] ([\d.]+) ", outline), float)
    left, right, *_ = chart.data["axes"]
    low_x, high_x = chart.data["x"]
    values = low_x + (across - left) / (right - left) * (high_x - low_x)
    assert (values.min(), values.max()) == pytest.approx((0.0, count), abs=0.02)
    errors = chart.svg.split('id="s0f0-band-0"')[1].split("</g>")[0]
    assert errors.count("<path") + errors.count("<use") >= count
    drawing.write(made, "ours", tmp_path)
    assert (tmp_path / "map.png").exists() and (tmp_path / "map.svg").exists()


def test_values_below_zero_are_within_the_axes() -> None:
    chart = charts.chart(
        plot(marks("a", [0.0, 1.0], [-0.25, 1.0])), "ours", "s0f0", translator("en")
    )
    assert chart.data["y"][0] < -0.25
    chart = charts.chart(
        plot(marks("a", [0.0, 1.0], [0.25, 1.0])), "ours", "s0f0", translator("en")
    )
    assert chart.data["y"][0] == 0.0
