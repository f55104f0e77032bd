"""Shares of a sweep: how it is cut, what is refused, and that all of them are the whole sweep."""

import json
import shutil
from itertools import accumulate, pairwise
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from conftest import Command
from helpers import commands
from helpers.config_files import load
from hypothesis import given, settings
from hypothesis import strategies as st

from rethinking_jax.analysis import packed, results, unfinished
from rethinking_jax.analysis import shares as shares_of_sweep
from rethinking_jax.analysis.findings import TheoryResults
from rethinking_jax.analysis.results import Results
from rethinking_jax.config import base_config, members, runs
from rethinking_jax.report import __main__ as report_command
from rethinking_jax.report.section import Section, section
from rethinking_jax.sweep import shares
from rethinking_jax.sweep.groups import group_key
from rethinking_jax.sweep.shares import Share, cuts, places, share_of
from rethinking_jax.workdir.difference import differences

# Two programs, whose runs stand in turn. Those of the second make no use of label_noise, which is
# no mistake in a share of them alone.
SWEEP = [
    {"name": f"{labels},{width}", "hidden_sizes": [width], "corruption": labels}
    for labels, width in (
        ("true_labels", 6),
        ("true_labels", 5),
        ("partially_corrupted_labels", 6),
        ("random_labels", 5),
    )
]
SMALL = (
    "--config=configs/course_network_size.py:epochs=2,train_examples=90",
    f"--config.sweep={json.dumps(SWEEP)}",
    "--config.label_noise=0.3",
    "--config.batch_size=30",
    # The name of no lesson, which would have slides in the place of figures.
    "--config.experiment=shared",
)


@settings(deadline=None, max_examples=200)
@given(st.lists(st.integers(1, 9), min_size=1, max_size=9), st.data())
def test_a_row_of_groups_is_cut_near_its_equal_parts_and_where_groups_end(
    sizes: list[int], data: st.DataObject
) -> None:
    count = sum(sizes)
    tasks = data.draw(st.integers(1, count))
    found, ends = cuts(sizes, tasks), [0, *accumulate(sizes)]
    assert (found[0], found[-1], len(found)) == (0, count, tasks + 1)
    assert all(first < end for first, end in pairwise(found))  # none is empty, all are disjoint
    each = count / tasks
    for task, cut in enumerate(found):
        near = [end for end in ends if abs(end - task * each) <= each / 4]
        assert cut in near if near and each >= 2 else cut == count * task // tasks


def test_shares_are_disjoint_complete_and_keep_programs_together() -> None:
    config = base_config()
    config.model, config.sweep = "mlp", runs(SWEEP)
    whole = members(config)
    for tasks in range(1, 5):
        found = [places(whole, Share(task, tasks)) for task in range(1, tasks + 1)]
        assert sorted(place for own in found for place in own) == [0, 1, 2, 3]
        assert all(own == sorted(own) for own in found)
    found = [places(whole, Share(task, 2)) for task in (1, 2)]
    assert [len({group_key(whole[i].config) for i in own}) for own in found] == [1, 1]
    assert found == [[0, 2], [1, 3]]
    part = shares.part(config, whole, Share(2, 2))
    assert json.loads(part.sweep) == [SWEEP[1], SWEEP[3]]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2", "--runs=2: expected TASK/TASKS, such as --runs=1/4"),
        ("-1/2", "expected TASK/TASKS"),
        ("0/2", "tasks are counted from 1 to 2"),
        ("3/2", "tasks are counted from 1 to 2"),
        ("1/0", "tasks are counted from 1 to 0"),
        ("1/5", "--runs=1/5: there are 4 runs, and so at most 4 tasks"),
    ],
)
def test_a_share_that_is_none_is_one_line(
    text: str, said: str, answer: Command, tmp_path: Path
) -> None:
    done = answer(*SMALL, f"--runs={text}", f"--workdir={tmp_path / 'run'}")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert said in done.stderr
    assert not (tmp_path / "run").exists()


def test_runs_that_belong_together_are_not_parted(answer: Command, tmp_path: Path) -> None:
    theory = answer("--config=configs/kernel.py", "--runs=1/2", f"--workdir={tmp_path / 'run'}")
    assert (theory.returncode, theory.stderr.count("\n")) == (2, 1)
    assert "config.kind=kernel, which is measured as a whole" in theory.stderr
    config = load(Path("configs/course_train_validation_test.py"))
    with pytest.raises(shares.UserError, match="validation_examples=500 chooses among all runs"):
        share_of("1/2", config)


def test_a_share_goes_on_for_more_epochs_and_with_the_same_sweep_alone() -> None:
    def held(epochs: int = 2, share: str = "1/2", **other: object) -> dict[str, object]:
        whole = [{"name": name, "epochs": epochs} for name in "abcd"]
        whole[3] |= other
        return {"share": share, "sweep": whole[:2], "whole_sweep": whole, "seed": 0}

    def named(now: dict[str, object]) -> list[str]:
        return differences(held(), now, lambda plain: dict(plain))

    assert named(held()) == named(held(3)) == []
    assert [text.partition(" ")[0] for text in named(held(1))] == ["sweep", "whole_sweep"]
    (changed,) = named(held(seed=1))
    assert changed == (
        "whole_sweep ([{'name': 'd', 'epochs': 2}] there, "
        "[{'name': 'd', 'epochs': 2, 'seed': 1}] now)"
    )
    assert named(held(3, "2/2") | {"seed": 1}) == [
        "share ('1/2' there, '2/2' now)", "seed (0 there, 1 now)",
    ]  # fmt: skip


def test_shares_make_the_very_report_of_the_whole_sweep(answer: Command, tmp_path: Path) -> None:
    whole, one, two = (tmp_path / name for name in ("whole", "1-of-2", "2-of-2"))
    for words, folder in (([], whole), (["--runs=1/2"], one), (["--runs=2/2"], two)):
        done = answer(*SMALL, *words, f"--workdir={folder}")
        assert done.returncode == 0, done.stderr
    assert "Share 2/2 of a sweep: 2 of 4 runs" in done.stdout
    (one / "summary.json").unlink()  # as where it was killed before all was written
    assert answer(*SMALL, "--runs=1/2", f"--workdir={one}").returncode == 0
    assert "Complete already" in answer(*SMALL, "--runs=1/2", f"--workdir={one}").stdout
    for words, now in ((["--runs=2/2"], "'2/2'"), (["--runs=1/3"], "'1/3'"), ([], "all runs")):
        refused = answer(*SMALL, *words, f"--workdir={one}")
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
        assert f"holds a run of another config: share ('1/2' there, {now} now). " in refused.stderr

    joined = shares_of_sweep.joined({path: results.read(path) for path in (two, one)})
    found = _same_report(joined, results.read(whole))
    assert found.verdicts and found.plots and len(found.tables[0].exact) == 4
    assert joined.config == results.read(whole).config
    assert f"--workdir={one}" not in str(joined.summary["command"])
    assert "--runs" not in str(joined.summary["command"])
    assert joined.summary["wall_seconds"] == pytest.approx(
        sum(results.read(path).summary["wall_seconds"] for path in (one, two)), abs=0.002
    )
    said = _written(tmp_path, one, two)
    assert "2 shares joined" in said
    assert {path.name for path in (tmp_path / "joined").iterdir()} == {
        "report.html", "figures", "tables",
    }  # fmt: skip
    table = "tables/results.csv"
    assert (tmp_path / "joined" / table).read_text() == (whole / table).read_text()
    for name, words in (("whole", [whole]), ("shares", [two, one])):
        done = _report(tmp_path, *words, f"--numbers={tmp_path / name}.json")
        assert done.returncode == 0, done.stderr
    of_whole, of_shares = (
        json.loads((tmp_path / f"{name}.json").read_text()) for name in ("whole", "shares")
    )
    for own in (of_whole, of_shares):
        assert own.pop("wall_seconds") > 0
        assert all(run.pop("images_per_second") > 0 for run in own["runs"])
    assert of_shares == of_whole
    done = _report(tmp_path, two, f"--numbers={tmp_path / 'share.json'}")
    assert "2-of-2, the share 2/2 of a sweep alone: " in done.stdout
    done = _report(tmp_path, two, one, f"--pack={tmp_path / 'shares.zip'}")
    assert done.returncode == 0, done.stderr
    _same_report(packed.read(tmp_path / "shares.zip"), joined)
    _refused(tmp_path, one, two, whole)
    _told_while_a_share_trains(tmp_path, one, two)


def _same_report(one: Results | TheoryResults, other: Results | TheoryResults) -> Section:
    """Two results of the same runs have the same report, but for when they ran."""
    found, wanted = section(one), section(other)
    for part in ("verdicts", "counts", "tables", "plots", "sources", "title", "heading"):
        assert getattr(found, part) == getattr(wanted, part), part
    assert found.facts | {"time": ""} == wanted.facts | {"time": ""}
    return found


def _report(folder: Path, *words: object) -> CompletedProcess[str]:
    return commands.answer(report_command.main, [*map(str, words)], folder)


def _written(folder: Path, one: Path, two: Path) -> str:
    """What a report of the shares says; a page of them has one section."""
    page = folder / "page.html"
    assert _report(folder, two, one, f"--output={page}").returncode == 0
    assert page.read_text().count("<h1") == 1
    assert "share 1/2 of a sweep" in (one / "report.html").read_text()
    assert "share 1/2 of a sweep" not in page.read_text()
    done = _report(folder, two, one, f"--joined={folder / 'joined'}")
    assert done.returncode == 0, done.stderr
    return done.stdout


def _told_while_a_share_trains(folder: Path, one: Path, two: Path) -> None:
    """A sweep of which a share is through and the other was stopped in its second run."""
    begun = Path(shutil.copytree(two, folder / "stopped"))
    (begun / "summary.json").unlink()
    lines = (begun / "metrics.jsonl").read_text().splitlines(keepends=True)
    names = list(dict.fromkeys(json.loads(line)["member"] for line in lines))
    (begun / "metrics.jsonl").write_text(
        "".join(line for line in lines if json.loads(line)["member"] == names[0])
    )
    done = _report(folder, one, begun, f"--joined={folder / 'so_far'}")
    assert done.returncode == 0, done.stderr
    assert "2 shares joined, stopped, 3 of 4 runs through" in done.stdout
    assert [path.name for path in (folder / "so_far").iterdir()] == ["report.html"]
    text = (folder / "so_far" / "report.html").read_text()
    assert "3 of 4 runs through" in text and "share 1/2" not in text
    found = shares_of_sweep.joined(
        {begun: unfinished.read(begun), one: results.read(one)},
    )
    assert isinstance(found, unfinished.Unfinished)
    table = section(found).tables[0]
    assert [row[:2] for row in table.texts] == [
        [str(run["name"]), "waiting" if run["name"] == names[1] else "finished"] for run in SWEEP
    ]
    numbers = folder / "so_far.json"
    done = _report(folder, one, begun, f"--numbers={numbers}")
    assert done.returncode == 0, done.stderr
    kept = json.loads(numbers.read_text())
    assert (len(kept["runs"]), kept["runs_to_come"]) == (3, 1)
    assert "--runs" not in kept["command"] and kept["device"]
    refused = _report(folder, one, begun, f"--pack={folder / 'so_far.zip'}")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "is of finished runs: the shares are stopped, 3 of 4 runs through" in refused.stderr


def _refused(folder: Path, one: Path, two: Path, whole: Path) -> None:
    """Shares that are not one sweep, each a line, and nothing is written."""

    def changed(name: str, old: str, new: str, *files: str) -> Path:
        copied = shutil.copytree(two, folder / name)
        for file in files:
            text = (copied / file).read_text()
            assert old in text
            (copied / file).write_text(text.replace(old, new))
        return Path(copied)

    of_four = changed("four", '"2/2"', '"2/4"', "config.json")
    other = changed("other", '"momentum": 0.9', '"momentum": 0.8', "config.json", "summary.json")
    labels = json.loads((two / "data.json").read_text())[0]["digests"]["train"]["labels"]
    data = changed("data", labels, "0" * 16, "data.json")
    output, join = f"--output={folder / 'other.html'}", f"--joined={folder / 'again'}"
    for words, said in (
        ([one, output], "1 of 2 shares of a sweep are given: give the workdirs of 2/2, too"),
        ([one, join], "1 of 2 shares of a sweep are given"),
        ([one, two, one / ".." / one.name, join], "are both the share 1/2 of a sweep"),
        ([one, of_four, output], f"{one} is one of 2 shares, {of_four} one of 4"),
        ([one, other, join], f"{one} and {other} are shares of different ones"),
        ([one, data, join], "read other train examples of mnist5k"),
        ([one, two, whole, join], f"is of shares of a sweep (--runs), and {whole} is none"),
        ([one, whole, f"--numbers={folder / 'n.json'}"], f"(--runs), and {whole} is none"),
        ([one, two, f"--joined={whole}"], "is a workdir: take a folder of its own"),
        ([one, two, f"--joined={one / 'ids.npz'}"], "ids.npz is a file: take a folder of its own"),
        ([one / "ids.npz"], "ids.npz is a file, not a workdir"),
        ([one, two, join, output], "leave --output, --pictures out"),
    ):
        refused = _report(folder, *words)
        assert (refused.returncode, refused.stderr.count("\n")) == (2, 1), refused.stderr
        assert said in refused.stderr
    assert not (folder / "again").exists() and not (folder / "other.html").exists()
