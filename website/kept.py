"""What docs/results keeps of each experiment, for the pages of the site.

NAME.zip has all that a report is drawn from, NAME.json the numbers alone. Where there is no zip
file, because the experiment's pictures or its size keep it out, its verdicts are in the numbers.
"""

import json
import tomllib
from pathlib import Path
from typing import NamedTuple

from rethinking_jax.analysis import packed
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.lesson import groups_of
from rethinking_jax.analysis.results import Results, count_seeds
from rethinking_jax.analysis.verdicts import ALL_MODELS, Verdict
from rethinking_jax.report.section import verdicts_of
from rethinking_jax.workdir.metrics import Json

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "docs" / "results"
LIST = Path(__file__).parent / "experiments.toml"
LESSONS = Path(__file__).parent / "lessons"


class Kept(NamedTuple):
    """What is kept of an experiment.

    Attributes:
      name: the name of its files in docs/results.
      title: what it is called.
      of: of an experiment of theory, what was trained or solved and how often; else "".
      discussion: the page of docs/ that discusses it, with an anchor, or "".
      note: what else is to be known of its numbers, or "".
      found: all that its report is drawn from, or None.
      summary: which data, device and verdicts it has.
    """

    name: str
    title: str
    of: str
    discussion: str
    note: str
    found: Results | TheoryResults | None
    summary: Json

    @property
    def report(self) -> str:
        """The address of its report, or "" where there is none."""
        return f"reports/{self.name}.html" if self.found is not None else ""

    def sample(self, verdict: Verdict | None = None) -> str:
        """Says what its numbers are of, or those of one verdict: data, networks, seeds, device."""
        parts = [self.summary["dataset"], self.of, self.summary["device"]]
        if isinstance(self.found, Results):
            series = verdict.series if verdict else ALL_MODELS
            named = ", ".join(self.found.models) if series == ALL_MODELS else series
            parts[1] = f"{named}, {count_seeds(groups_of(self.found))}"
        return ", ".join(parts)


def experiments() -> list[Kept]:
    """Reads what is kept of all experiments: those of the list, then the lessons.

    Raises:
      UserError: a file is damaged.
    """
    listed = tomllib.loads(LIST.read_text(encoding="utf-8"))
    found = [_kept(name, own) for name, own in listed.items()]
    for file in sorted(LESSONS.glob("*.toml")):
        words = tomllib.loads(file.read_text(encoding="utf-8"))
        title, note = f"Lesson: {words['en']['title']}", words["en"].get("note", "")
        own = {"title": title, "discussion": f"lessons/{file.stem}.md", "note": note}
        found.append(_kept(words["results"], own))
    return [one for one in found if one.summary]


def verdicts(kept: Kept) -> list[Verdict]:
    """Returns the verdicts of an experiment, as its report has them."""
    if kept.found is None:
        # Runs that are not finished have none yet.
        return [Verdict(**one) for one in kept.summary.get("verdicts", [])]
    if isinstance(kept.found, TheoryResults):
        return kept.found.found.verdicts
    return verdicts_of(kept.found)


def _kept(name: str, own: Json) -> Kept:
    pack, numbers = RESULTS / f"{name}.zip", RESULTS / f"{name}.json"
    found = packed.read(pack) if pack.exists() else None
    summary = json.loads(numbers.read_text(encoding="utf-8")) if numbers.exists() else {}
    summary = found.summary if found is not None else summary
    of, discussion, note = (own.get(key, "") for key in ("of", "discussion", "note"))
    return Kept(name, own["title"], of, discussion, note, found, summary)
