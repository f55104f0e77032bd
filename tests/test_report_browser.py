"""The page in a real browser, where the machine has Chromium: switching, values, width."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from helpers.results import made, noise_sweep, row, run

from rethinking_jax.analysis.curves import Plot, marks
from rethinking_jax.analysis.findings import Findings, TheoryResults
from rethinking_jax.report import page

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
BROWSER = next((found for name in NAMES if (found := shutil.which(name))), None)
pytestmark = pytest.mark.skipif(BROWSER is None, reason=f"no browser: none of {', '.join(NAMES)}")

PHONE = 375
SWITCHES = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--dump-dom",
]

# The page in a frame as wide as a phone, and a script beside it that does what a reader does.
WRAPPER = """<!doctype html><iframe width="%d" height="900" srcdoc="%s"></iframe><pre></pre>
<script>
document.querySelector("iframe").addEventListener("load", event => {
  const view = event.target.contentWindow, inside = view.document, said = {};
  const get = id => inside.getElementById(id);
  const switchOf = (chart, curve) =>
    inside.querySelector(`button[data-chart="${chart}"][data-curve="${curve}"]`);
  const state = (chart, curve) => [
    switchOf(chart, curve).getAttribute("aria-pressed"),
    view.getComputedStyle(get(`${chart}-curve-${curve}`)).display !== "none",
    view.getComputedStyle(get(`${chart}-band-${curve}`) ?? inside.body).display !== "none",
  ];
  const root = inside.documentElement;
  said.width = [view.innerWidth, root.scrollWidth - root.clientWidth];
  said.ours = [state("s0f1", 0)];
  said.neighbour = [state("s0f1", 1)];
  switchOf("s0f1", 0).click();
  said.ours.push(state("s0f1", 0));
  said.neighbour.push(state("s0f1", 1));
  switchOf("s0f1", 0).click();
  said.ours.push(state("s0f1", 0));
  said.papers = [state("s0f1", 2)];
  switchOf("s0f1", 2).click();
  said.papers.push(state("s0f1", 2));
  const figure = get("s0f2"), frame = figure.getBoundingClientRect();
  figure.dispatchEvent(new view.PointerEvent("pointermove", {clientX: frame.right, clientY: frame.top}));
  said.pointed = get("s0f2-value").textContent;
  figure.dispatchEvent(new view.KeyboardEvent("keydown", {key: "ArrowLeft", cancelable: true}));
  said.arrow = get("s0f2-value").textContent;
  said.focusable = [figure.tabIndex, switchOf("s0f2", 0).tabIndex];
  document.querySelector("pre").textContent = JSON.stringify(said);
});
</script>"""  # noqa: E501


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict:
    """What the script saw."""
    folder = tmp_path_factory.mktemp("browser")
    file = folder / "wrapper.html"
    file.write_text(WRAPPER % (PHONE, html.escape(page.page([noise_sweep()]))))
    dom = _dom(SWITCHES, folder, file)
    found = re.search(r"<pre>(.+?)</pre>", dom)
    assert found, dom[-2000:]
    return json.loads(html.unescape(found[1]))


def _dom(switches: list[str], folder: Path, file: Path) -> str:
    words = [str(BROWSER), *switches, f"--user-data-dir={folder}/profile", file.as_uri()]
    # The script has run when the page and its frame have loaded.
    words.insert(1, "--virtual-time-budget=5000")
    return subprocess.run(words, capture_output=True, text=True, timeout=120).stdout


def test_a_button_hides_its_curve_and_its_band_and_no_other(said: dict) -> None:
    on, off = ["true", True, True], ["false", False, False]
    assert said["ours"] == [on, off, on]
    assert said["neighbour"] == [on, on]


def test_the_papers_curve_starts_hidden_and_can_be_shown(said: dict) -> None:
    assert [state[:2] for state in said["papers"]] == [["false", False], ["true", True]]


def test_pointing_and_arrow_keys_tell_the_value(said: dict) -> None:
    assert said["pointed"] == "mlp_1x512, corrupted test labels: label noise 1, test error 0.9"
    assert said["arrow"] == "mlp_1x512, corrupted test labels: label noise 0.5, test error 0.5"
    assert said["focusable"] == [0, 0]


def test_a_button_hides_the_area_of_early_stopping_too(tmp_path: Path) -> None:
    script = """<script>addEventListener("load", () => {
      const area = document.getElementById("s0f1-area-0"), said = [];
      const shown = () => said.push(getComputedStyle(area).display !== "none");
      const button = document.querySelector('button[data-chart="s0f1"][data-curve="0"]');
      shown(); button.click(); shown(); button.click(); shown();
      document.getElementById("s0f1").dispatchEvent(
        new KeyboardEvent("keydown", {key: "ArrowRight", cancelable: true}));
      said.push(document.getElementById("s0f1-value").textContent);
      document.body.innerHTML = `<pre>${JSON.stringify(said)}</pre>`;
    })</script>"""
    runs = [row("true", "", [0.3, 0.6, 0.5]), row("true", "decay", [0.3, 0.4, 0.5])]
    file = tmp_path / "page.html"
    file.write_text(page.page([made(*runs)]) + script)
    found = re.search(r"<pre>(\[.+?)</pre>", _dom(SWITCHES, tmp_path, file))
    assert found
    *shown, value = json.loads(html.unescape(found[1]))
    assert shown == [True, False, True]
    assert value == "test, no regularizer: thousand steps 0.02, accuracy 0.6, best so far 0.6"


def test_a_phone_needs_no_sideways_scroll(said: dict) -> None:
    assert said["width"] == [PHONE, 0]


def test_a_point_of_a_scatter_tells_its_name_and_can_be_hidden(tmp_path: Path) -> None:
    script = """<script>addEventListener("load", () => {
      const said = [], figure = document.getElementById("s0f0");
      const value = () => said.push(document.getElementById("s0f0-value").textContent);
      const box = figure.getBoundingClientRect(), corner = {clientX: box.right, clientY: box.top};
      figure.dispatchEvent(new PointerEvent("pointermove", corner)); value();
      figure.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowLeft", cancelable: true})); value();
      const group = document.getElementById("s0f0-curve-0");
      const seen = () => said.push(group.getBoundingClientRect().width > 0);
      seen(); document.querySelector("button[data-curve='0']").click(); seen();
      document.body.innerHTML = `<pre>${JSON.stringify(said)}</pre>`;
    })</script>"""  # noqa: E501
    count = 50  # enough for one path of many marks
    share = [i / (count - 1) for i in range(count)]
    cloud = marks("examples", share, share, [f"example {i}" for i in range(count)])
    plot = Plot("map", "Map", "", "confidence", "variability", [cloud])
    summary = {"experiment": "e", "dataset": "d", "device": "cpu", "wall_seconds": 1.0,
               "versions": {}, "command": "c"}  # fmt: skip
    found = TheoryResults({}, summary, Findings([], {}, [], [plot], []))
    file = tmp_path / "page.html"
    file.write_text(page.page([found]) + script)
    said = re.search(r"<pre>(\[.+?)</pre>", _dom(SWITCHES, tmp_path, file))
    assert said
    assert json.loads(html.unescape(said[1])) == [
        "examples, example 49: confidence 1, variability 1",
        "examples, example 48: confidence 0.9796, variability 0.9796",
        True,
        False,
    ]


def test_tables_are_sorted_and_filtered_and_data_copied(tmp_path: Path) -> None:
    script = """<script>addEventListener("load", () => {
      const said = {}, get = id => document.getElementById(id);
      const rows = () => [...get("s0t0").rows].filter(row => !row.hidden).map(row => row.cells[0].textContent);
      const header = get("s0t0").closest("table").querySelector("th");
      said.sorted = [1, 2, 3].map(() => {
        header.querySelector("button").click();
        return [header.getAttribute("aria-sort"), rows().slice(0, 2)];
      });
      const box = document.querySelector("input[data-filters=s0t0]");
      box.value = " RATE 0.0";
      box.dispatchEvent(new Event("input"));
      said.filtered = [box.closest(".filter").hidden, box.closest(".filter").querySelector("output").textContent, rows()];
      const last = document.querySelector("button[data-chart=s0f0][data-curve='29']");
      said.drawn = [Boolean(get("s0f0-curve-29"))];
      last.click();
      said.drawn.push(get("s0f0-curve-29").getBoundingClientRect().width > 100);
      last.click();
      said.drawn.push(get("s0f0-curve-29").getBoundingClientRect().width > 0);
      const lines = csvOf(rowsOfChart("s0f0", wordsOf(get("s0f0")))).trim().split("\\r\\n");
      said.csv = [lines.length, lines[0], lines[1], lines.at(-1)];
      const picture = new DOMParser().parseFromString(
        new XMLSerializer().serializeToString(pictureOfChart("s0f0")), "image/svg+xml");
      said.svg = [picture.documentElement.nodeName, picture.querySelectorAll("[id*='-curve-']").length];
      document.body.innerHTML = `<pre>${JSON.stringify(said)}</pre>`;
    })</script>"""  # noqa: E501
    runs = [run("random_labels", None, name=f"rate {rate:g}, \"{i}\"", learning_rate=rate,
                each={"train_loss": [1 / 3, float(i)]})
            for i, rate in enumerate([0.1, 0.02, *[0.2 + i for i in range(28)]])]  # fmt: skip
    for override, member, lines in runs:
        member["name"] = override["name"]
        for one in lines:
            one["member"] = override["name"]
    file = tmp_path / "page.html"
    file.write_text(page.page([made(*runs)]) + script)
    found = re.search(r"<pre>(\{.+?)</pre>", _dom(SWITCHES, tmp_path, file))
    assert found
    said = json.loads(html.unescape(found[1]))
    # By the numbers within names; the third click is the order of the config.
    first, second, last = 'rate 0.02, "1"', 'rate 0.1, "0"', 'rate 27.2, "29"'
    assert said["sorted"] == [
        ["ascending", [first, second]],
        ["descending", [last, 'rate 26.2, "28"']],
        ["none", [second, first]],
    ]
    assert said["filtered"] == [False, "1 of 30 runs", [first]]
    assert said["drawn"] == [False, True, False]
    assert said["csv"][:2] == [61, "curve,thousand steps,training loss"]
    assert said["csv"][2].endswith(",0.01,0.3333333333333333") and said["csv"][3].endswith(",29")
    assert said["svg"] == ["svg", 3]  # those that are switched on
