"""The numbers that are kept of a workdir, and the pages that are drawn from those of docs/results/.

python tests/test_measured.py    writes their parts of docs/results.md and README.md anew
"""

import itertools
import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import REPOSITORY, read_metrics
from helpers import commands, drawn, measured
from helpers.results import made, row, run
from helpers.words import assert_spanish
from hypothesis import given
from hypothesis import strategies as st

import rethinking_jax as rj
from rethinking_jax.analysis import curves, distance, figure1, findings, numbers, paper
from rethinking_jax.analysis.results import Results, series
from rethinking_jax.report import __main__ as report_command

PAGES = {"docs/results.md": drawn.section, "README.md": drawn.headlines}
WHOLE = {"dataset": "cifar10", "train_examples": 50_000}
Report = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """The command, in a folder of this test."""
    return lambda *words: commands.answer(report_command.main, words, tmp_path)


def kept(results: Results, file: Path) -> dict:
    """The numbers of results that were saved as a workdir, through its file."""
    workdir = file.with_suffix("")
    workdir.mkdir()
    for name, content in (("summary", results.summary), ("config", results.config)):
        (workdir / f"{name}.json").write_text(json.dumps(content))
    lines = [json.dumps(line) + "\n" for own in results.lines.values() for line in own]
    (workdir / "metrics.jsonl").write_text("".join(lines))
    numbers.write(workdir, file)
    return json.loads(file.read_text())


# The pages ------------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_no_number_on_the_paper_s_data_is_typed_by_hand(page: str) -> None:
    text = (REPOSITORY / page).read_text()
    right = drawn.filled(text, PAGES[page](measured.read()))
    assert text == right, "python tests/test_measured.py writes it anew"


@pytest.mark.parametrize("name", measured.read())
def test_every_file_has_a_row(name: str) -> None:
    tables, files = drawn.section(measured.read()).split(drawn.FILES)
    assert f"{name} |" in tables and f"results/{name}.json" in files


@pytest.mark.parametrize("name", measured.read())
def test_no_file_names_a_place_of_the_machine_that_made_it(name: str) -> None:
    assert not {"/work/", "/home/", "/tmp/"} & {
        place for place in ("/work/", "/home/", "/tmp/")
        if place in (measured.FOLDER / f"{name}.json").read_text()
    }  # fmt: skip


# What stands beside the paper's numbers ---------------------------------------------------


def test_a_cell_has_the_mean_the_paper_s_number_and_their_difference(tmp_path: Path) -> None:
    runs = [
        row("random", "", test, train, seed=seed)
        for seed, (test, train) in enumerate(((0.10, 0.99), (0.12, 0.995)))
    ]
    far = row("true", "", 0.55, 0.9)
    own = made(*runs, far, experiment="table1", **WHOLE)
    own.config["epochs"] = 2
    file = kept(own, tmp_path / "mine.json")
    text = drawn.section({"mine": file})
    assert "4 of our numbers on CIFAR-10" in text
    assert (
        "| MLP 1x512 | random labels | no regularizer | 0.9925 (0.9900 to 0.9950) | 0.9934 | -0.09 "
        "| 0.1100 (0.1000 to 0.1200) | 0.1061 | +0.39 | yes | 2 | 2 seeds, CPU, "
        f"{file['date']}: mine |\n"
    ) in text
    assert "| 0.9000 | 1.0000 | -10.00 | 0.5500 | 0.5051 | +4.49 | no | 2 | 1 seed" in text
    heads = drawn.headlines({"mine": file})
    assert "Table 1: MLP 1x512 |" in heads
    assert "random 0.9925, 0.1100 (" in heads and "CPU, 2 epochs) |" in heads


def test_times_are_relative_to_label_noise_0_of_the_same_file(tmp_path: Path) -> None:
    def at(noise: float, fit: int, accuracy: float, seed: int) -> tuple:
        return run(
            "partially_corrupted_labels", fit, 0.5, noise=noise, seed=seed, running_loss=0.05,
            corrupted_test=accuracy, name=f"p={noise},{seed}", stop_when_fitted=True,
        )  # fmt: skip

    times = {0.0: (3, 5), 0.5: (6, 6), 1.0: (7, 9)}
    runs = [
        at(noise, fit, 0.5 - 0.4 * noise, seed)
        for noise, fits in times.items()
        for seed, fit in enumerate(fits)
    ]
    for override, member, lines in runs:
        member["name"] = override["name"]
        for line in lines:
            line["member"] = override["name"]
    own = made(*runs, experiment="figure1b", **WHOLE)
    own.config["epochs"] = 20
    file = kept(own, tmp_path / "noise.json")
    (last,) = [
        each for each in drawn.rows_of({"noise": file}).figure_1b if each["label_noise"] == 1
    ]
    assert last["epoch's mean loss 0.05"] == pytest.approx((2.0, 1.75, 2.25))
    assert last["train accuracy 0.9995"] == pytest.approx((2.0, 1.75, 2.25))
    assert last["corrupted"].mean == pytest.approx(0.9) and last["true"].mean == 0.5
    assert last["paper_time"] == paper.figure_1()["relative_time"]["mlp_1x512"][-1]
    assert last["cells"] == 2 and last["epochs"] == "7 to 9"
    assert last["clock"] == pytest.approx((8, 7, 9))
    heads = drawn.headlines({"noise": file})
    assert "2.00 by epoch's mean loss 0.05" in heads and "0.5000, 0.7000, 0.9000" in heads
    for each in file["runs"]:
        each["learning_rate"] = 0.02
    found = drawn.rows_of({"noise": file})
    assert found.cells == 0 and len(found.clocks) == 3 and not found.others


@pytest.mark.parametrize(
    "changes",
    [
        {"experiment": "course_network_size"},
        {"experiment": "table1", "train_examples": 5000},
        {"experiment": "table1", "dataset": "mnist5k"},
        {"experiment": "table1", "learning_rate": 0.02},
    ],
    ids=str,
)
def test_what_is_not_the_paper_s_stands_in_a_table_of_its_own(
    changes: dict, tmp_path: Path
) -> None:
    rate = changes.pop("learning_rate", 0.01)
    own = made(row("random", "", 0.1, 0.99), **{**WHOLE, **changes})
    own.config.update(epochs=2, learning_rate=rate)
    found = drawn.rows_of({"mine": kept(own, tmp_path / "mine.json")})
    assert found.cells == 0 and len(found.others) == 1


def test_a_run_that_goes_on_says_its_epoch_and_is_no_cell(tmp_path: Path) -> None:
    own = made(row("random", "", 0.1, 0.99), experiment="table1", **WHOLE)
    own.config["epochs"] = 2
    file = kept(own, tmp_path / "mine.json")
    file["runs"][0] |= {"finished": False, "epochs_in_all": 90}
    text = drawn.section({"mine": file})
    assert "0 of our numbers" in text and "| 2 of 90: not finished | 1 seed" in text
    assert "No image experiment" in drawn.headlines({"mine": file})


def test_an_experiment_of_theory_has_its_row_and_its_claims(tmp_path: Path) -> None:
    shared = {"dataset": "cifar10", "device": "CPU", "versions": {}, "wall_seconds": 1.0}
    found = findings.Findings(
        [{"dataset": "cifar10", "kernel": "gaussian", "ridge": 0.0, "corruption": "true_labels",
          "train_examples": 50_000, "train_error": 0.0, "test_error": 0.52, "norm": 100.0}],
        {}, [], [], [findings.verdict("It fits.", "section 5", True, "Error 0.", "Solved.")],
    )  # fmt: skip
    summary = {
        "experiment": "kernel", "kind": "kernel", "command": "python", "members": found.members,
        "verdicts": [one._asdict() for one in found.verdicts], **shared,
    }  # fmt: skip
    (tmp_path / "summary.json").write_text(json.dumps(summary))
    (tmp_path / "config.json").write_text("{}")
    findings.write(tmp_path, found)
    numbers.write(tmp_path, tmp_path / "solved.json")
    text = drawn.section({"solved": json.loads((tmp_path / "solved.json").read_text())})
    assert "1 of our numbers" in text and "| It fits. | yes | Error 0. | Solved. | CPU, 20" in text
    assert (
        "| CIFAR-10 | none | 50,000 | 0.0000 | 0.5200 | 0.460 | +6.00 | 100 | - | - | CPU" in text
    )


def test_kernels_on_noisy_labels_stand_beside_their_paper_s_tables() -> None:
    """In its order, and without what it does not have."""
    files = measured.read()
    rows = drawn.rows_of(files).kernel_noise
    assert [row["learner"] for row in rows if row["table"] == "Table 6"][:3] == ["gaussian"] * 3
    (name, numbers), *_ = [(n, f) for n, f in files.items() if f.get("kind") == "kernel_noise"]
    others = [{**row, "noise": 0.3} for row in numbers["members"]]
    assert not drawn.rows_of({name: {**numbers, "members": others}}).kernel_noise


# The file --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def trained(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = rj.base_config()
    config.data_dir, config.experiment = str(data_dir), "mine"
    config.model, config.hidden_sizes = "mlp", (4,)
    config.train_examples, config.batch_size, config.epochs = 100, 50, 3
    config.sweep = rj.runs([{"name": "a", "corruption": "random_labels"}, {"name": "b", "seed": 1}])
    workdir = tmp_path_factory.mktemp("trained") / "run"
    rj.run(config, workdir, report=False)
    return workdir


def test_the_file_has_what_the_run_came_to(trained: Path, report: Report, tmp_path: Path) -> None:
    before = sorted(trained.rglob("*"))
    result = report(str(trained), "--numbers=mine.json")
    assert result.returncode == 0, result.stderr
    assert sorted(trained.rglob("*")) == before
    text = (tmp_path / "mine.json").read_text()
    found = json.loads(text)
    assert str(trained.parent) not in text
    assert found["finished"] and found["runs_to_come"] == 0 and found["train_examples"] == 100
    summary = json.loads((trained / "summary.json").read_text())
    assert (found["device"], found["versions"]) == (summary["device"], summary["versions"])
    data = json.loads((trained / "data.json").read_text())
    assert found["data"] == [data[0]["digests"]]
    assert [each["name"] for each in found["runs"]] == ["a", "b"]
    for each, member in zip(found["runs"], summary["members"], strict=True):
        lines = [line for line in read_metrics(trained) if line["member"] == each["name"]]
        assert each["epochs"] == each["epochs_in_all"] == 3 and each["finished"]
        for key in ("train_accuracy", "train_loss", "test_accuracy", "test_loss"):
            assert each[key] == pytest.approx(lines[-1][key], rel=1e-6)
        assert each["best_test_accuracy"] == max(line["test_accuracy"] for line in lines)
        assert each["flipped_fraction"] == pytest.approx(member["flipped_fraction"])
        assert each["steps_to"]["train_accuracy"]["1"] == member["steps_to_fit"]


def test_a_command_is_kept_without_the_places_of_its_machine(tmp_path: Path) -> None:
    typed = "python -m x --config=c.py:a --workdir=/b --config.data_dir /c --config.epochs=2"
    own = made(row("random", "", 0.1, 0.99), command=typed)
    own.config["epochs"] = 2
    assert (
        kept(own, tmp_path / "a.json")["command"] == "python -m x --config=c.py:a --config.epochs=2"
    )


def test_a_workdir_that_goes_on_has_numbers_too(
    trained: Path, report: Report, tmp_path: Path
) -> None:
    """The first run is in its second epoch, and the second one is not begun."""
    workdir = tmp_path / "going"
    workdir.mkdir()
    for name in ("config.json", "data.json", "ids.npz"):
        (workdir / name).write_bytes((trained / name).read_bytes())
    result = report("going", "--numbers=mine.json")
    assert result.returncode == 2 and "no epoch" in result.stderr
    lines = (trained / "metrics.jsonl").read_text().splitlines(keepends=True)
    own = [line for line in lines if json.loads(line)["member"] == "a"]
    (workdir / "metrics.jsonl").write_text("".join(own[:2]))
    result = report("going", "--numbers=mine.json")
    assert result.returncode == 0, result.stderr
    found = json.loads((tmp_path / "mine.json").read_text())
    assert not found["finished"] and found["runs_to_come"] == 1 and found["device"] is None
    (first,) = found["runs"]
    assert (first["name"], first["epochs"], first["epochs_in_all"]) == ("a", 2, 3)
    assert not first["finished"] and first["label_noise"] == 1.0
    assert first["train_accuracy"] == json.loads(own[1])["train_accuracy"]
    assert "2 of 3: not finished" in drawn.section({"mine": found})
    known = {"command": "python -m x --workdir=/a --config=b.py", "versions": {"jax": "1"}}
    commands = [known | {"device": device} for device in ("CPU", "GPU", "CPU")]
    (workdir / "commands.json").write_text(json.dumps(commands))
    assert report("going", "--numbers=mine.json").returncode == 0
    found = json.loads((tmp_path / "mine.json").read_text())
    assert (found["command"], found["device"]) == ("python -m x --config=b.py", "CPU; GPU")
    (workdir / "commands.json").write_text("[1]")
    result = report("going", "--numbers=mine.json")
    assert result.returncode == 2 and "commands.json is damaged" in result.stderr
    (workdir / "commands.json").unlink()
    (workdir / "config.json").write_text("{")
    result = report("going", "--numbers=other.json")
    assert result.returncode == 2 and "config.json is damaged" in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none", "--numbers=x.json"], ["none", "no such folder"]),
        (["RUN", "--numbers=no/x.json"], ["--numbers=no/x.json", "no folder"]),
        (["RUN", "--numbers=."], ["--numbers=.", "is a folder"]),
        (["RUN", "RUN", "--numbers=x.json"], ["--numbers=x.json of several", "is none"]),
        (["RUN", "--numbers=x.json", "--pictures"], ["--numbers", "--pictures"]),
    ],
)
def test_a_wrong_command_writes_nothing(
    words: list[str], said: list[str], trained: Path, report: Report, tmp_path: Path
) -> None:
    result = report(*(str(trained) if word == "RUN" else word for word in words))
    assert result.returncode == 2 and result.stderr.count("\n") == 1, result.stderr
    assert all(word in result.stderr for word in said), result.stderr
    assert not list(tmp_path.iterdir())


# The distance from Figure 1a ---------------------------------------------------------------


@pytest.mark.parametrize("setting", paper.figure_1()["training_loss"])
@pytest.mark.parametrize("factor", [0.7, 1.0, 1.4, 2.0])
def test_a_curve_that_takes_longer_is_as_far_as_it_takes_longer(
    setting: str, factor: float
) -> None:
    figure = paper.figure_1()
    steps = [1000 * factor * x for x in figure["thousand_steps"]]
    found = distance.between(steps, figure["training_loss"][setting], setting)
    assert found is not None and found.losses >= 5
    assert found.fitted == pytest.approx(factor)
    assert found.factor == pytest.approx(max(factor, 1 / factor))
    assert found.agrees == (factor < distance.FACTOR)


def curve(setting: str, epochs: int, factor: float = 1.0, **override: object) -> tuple:
    """A run of the small Inception whose loss is the paper's, an epoch taking `factor` steps."""
    losses = paper.figure_1()["training_loss"][setting][:epochs]
    # A mean of two ends of the paper's curve is that of what lies between them, near enough.
    of_batches = [(a + b) / 2 for a, b in itertools.pairwise([2 * losses[0] - losses[1], *losses])]
    each = {"train_loss": losses, "running_loss": of_batches}
    made_run = run(setting, None, each=each, model="inception_small", **override)
    for epoch, line in enumerate(made_run[2], start=1):
        line["step"] = round(391 * factor) * epoch
    made_run[1]["parameters"] = distance.PARAMETERS
    return made_run


@pytest.mark.parametrize(
    ("runs", "changes", "outcome", "words"),
    [
        ([("true_labels", 69), ("gaussian", 69, 1.3)], WHOLE, "yes", "gaussian: 1.30 times"),
        ([("true_labels", 69), ("gaussian", 69, 1.7)], WHOLE, "no", "factor of 1.70"),
        ([("random_labels", 30)], WHOLE, "not measured", "not there yet"),
        ([("gaussian", 69)], {"train_examples": 50_000}, "yes", "1.00 times"),
        ([("gaussian", 69)], {}, "not measured", "Needs"),
        ([("true_labels", 69)], {"train_examples": 50_000}, "not measured", "Needs"),
    ],
)
def test_the_verdict_on_learning_curves(
    runs: list, changes: dict, outcome: str, words: str
) -> None:
    results = made(*(curve(*each) for each in runs), **changes)
    (one,) = series(results)
    found = distance.judge(one)
    assert found.outcome == outcome and words in found.text, found.text
    (plot,) = figure1.losses(results)
    papers = [each for each in plot.curves if each.paper]
    assert len(papers) == (0 if words == "Needs" else len(runs))


def test_running_averages_that_lag_move_the_fixed_network_s_factor_alone() -> None:
    late = curve("true_labels", 69)
    for line in late[2]:
        line["train_loss"] *= 2.5
    (one,) = series(made(late, **WHOLE))
    found = distance.judge(one)
    assert found.outcome == "yes"
    factor, fixed = (
        float(found.text.split(words)[1].split()[0].rstrip(")."))
        for words in ("a mean factor of ", "fixed network ")
    )
    assert factor < 1.1 and fixed > 1.3
    (plot,) = figure1.losses(made(late, **WHOLE))
    (drawn_one,) = (each for each in plot.curves if each.label.endswith("in training"))
    assert drawn_one.remark in plot.caption
    assert_spanish(plot.caption, drawn_one.label, drawn_one.remark, found.text)
    assert drawn_one.x[:2] == pytest.approx([0.1955, 0.5865])


@given(st.lists(st.integers(1, 500), min_size=1, max_size=8))
def test_a_mean_over_an_epoch_stands_at_the_middle_of_its_steps(epochs: list[int]) -> None:
    ends = list(itertools.accumulate(epochs, initial=0))
    losses = [float(i) for i in range(len(epochs))]
    at, *rest = curves.middles((list(map(float, ends[1:])), losses, losses, losses))
    assert at == [(a + b) / 2 for a, b in itertools.pairwise(ends)] and rest == [losses] * 3


def test_a_kept_curve_is_as_far_from_the_paper_s(tmp_path: Path) -> None:
    own = made(curve("random_pixels", 69, 1.2), experiment="figure1a", **WHOLE)
    own.config["epochs"] = 69
    (found,) = [
        each
        for each in drawn.rows_of({"mine": kept(own, tmp_path / "mine.json")}).figure_1a
        if each["setting"] == "random pixels"
    ]
    assert found["fitted"].mean == pytest.approx(1.2, rel=5e-3) and found["cells"] == 1


def test_two_processes_come_to_what_one_does() -> None:
    """The numbers of docs/scale.md: 33 MLPs on two processes of four devices, and on one device."""
    folder = REPOSITORY / "docs" / "bench" / "processes"
    one, two = (
        json.loads((folder / f"{name}.json").read_text())
        for name in ("one_process", "two_processes")
    )
    assert two["device"].startswith("8 x") and one["command"] == two["command"]
    assert len(one["runs"]) == 33
    for alone, spread in zip(one["runs"], two["runs"], strict=True):
        for key in ("train_accuracy", "test_accuracy"):
            assert alone[key] == spread[key]
        for key in ("train_loss", "test_loss"):
            assert abs(alone[key] - spread[key]) <= 3e-6 * alone[key]


if __name__ == "__main__":
    for name, draw in PAGES.items():
        page = REPOSITORY / name
        page.write_text(drawn.filled(page.read_text(), draw(measured.read())))
