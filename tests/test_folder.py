"""Whose a workdir is, and whether it is complete."""

from pathlib import Path

import numpy as np
import pytest
from ml_collections import ConfigDict

from rethinking_jax import config as configs
from rethinking_jax.errors import UserError
from rethinking_jax.workdir.folder import Folder, TrainingSet

LABELS = {"a": np.arange(5, dtype=np.int32)}


def sweep_of(*runs: dict, **changes: object) -> ConfigDict:
    config = configs.base_config()
    config.update(changes)
    config.sweep = configs.runs(runs)
    return config


def folder_of(path: Path, config: ConfigDict) -> Folder:
    return Folder(path, configs.to_json(config), configs.identity_of)


@pytest.fixture
def complete(tmp_path: Path) -> Path:
    """The folder of a run that is through."""
    path = tmp_path / "run"
    folder = folder_of(path, sweep_of({"name": "a", "checkpoint_every": 2}))
    folder.begin(LABELS, [["a"]])
    assert not folder.is_complete()
    folder.finish({"members": []})
    return path


@pytest.mark.parametrize(
    "changes",
    [
        {"max_members": 3},
        {"vectorize": "loop"},
        {"epoch_loop": "step"},
        {"checkpoint_every": 9, "checkpoint_every_steps": 4, "checkpoints_to_keep": 1},
        {"data_dir": "/elsewhere", "input": "stream", "data_devices": 1},
    ],
)
def test_resources_and_places_are_no_part_of_what_a_folder_holds(
    changes: dict, complete: Path
) -> None:
    folder = folder_of(complete, sweep_of({"name": "a", "checkpoint_every": 5}, **changes))
    folder.check()
    assert folder.is_complete()
    assert folder.summary() == {"members": []}
    assert folder.chunks() == [["a"]]


def test_another_config_is_refused_with_both_values(complete: Path) -> None:
    folder = folder_of(complete, sweep_of({"name": "a"}, epochs=7, max_members=3))
    with pytest.raises(UserError, match=r"another config: epochs \(100 there, 7 now\)\. Take"):
        folder.check()


A, B, LONG = {"name": "a"}, {"name": "b", "seed": 1}, {"name": "a", "epochs": 150}


@pytest.mark.parametrize(
    ("there", "now", "epochs", "wrong"),
    [
        ([A], [A], 120, ""),
        ([A, B], [B, A], 120, ""),
        ([A, B], [B, LONG], 120, ""),
        ([LONG], [A], 200, ""),
        ([LONG], [A], 120, "sweep ([{'name': 'a', 'epochs': 150}] there, [{'name': 'a'}] now). "),
        ([A, B], [A, {**B, "epochs": 9}], 100, "[{'name': 'b', 'seed': 1, 'epochs': 9}] now). "),
        ([A], [A], 99, "epochs (100 there, 99 now). "),
        ([A], [{**LONG, "momentum": 0.5}], 120, "sweep"),
        # A run without a name is named by all that it sets: with other epochs it is another run.
        ([{"seed": 5}], [{"seed": 5}], 120, ""),
        ([{"epochs": 5}], [{"epochs": 6}], 120, "sweep"),
    ],
)
def test_each_run_may_have_more_epochs_and_none_fewer(
    there: list[dict], now: list[dict], epochs: int, wrong: str, tmp_path: Path
) -> None:
    folder_of(tmp_path, sweep_of(*there)).claim()
    folder_of(tmp_path, sweep_of(*there)).finish({"members": []})
    longer = folder_of(tmp_path, sweep_of(*now, epochs=epochs))
    if not wrong:
        longer.check()
        assert not longer.is_complete()
        return
    with pytest.raises(UserError) as error:
        longer.check()
    assert wrong in str(error.value)
    assert str(error.value).endswith("resume it; epochs may become more, not fewer")


def test_what_theory_says_is_said_of_just_so_many_epochs(tmp_path: Path) -> None:
    plain = {"kind": "stability", "epochs": 5, "sweep": []}
    Folder(tmp_path, plain, dict).claim()
    with pytest.raises(UserError, match=r"epochs \(5 there, 6 now\)"):
        Folder(tmp_path, {**plain, "epochs": 6}, dict).check()


def test_runs_may_be_added_and_not_taken_away(complete: Path) -> None:
    more = folder_of(complete, sweep_of({"name": "a"}, {"name": "b", "seed": 1}))
    more.check()
    assert not more.is_complete()
    more.begin({**LABELS, "b": np.ones(5, np.int32)}, [["a"], ["b"]])
    assert not (complete / "summary.json").exists()
    more.finish({"members": []})
    assert more.is_complete()
    with pytest.raises(UserError, match="sweep"):
        folder_of(complete, sweep_of({"name": "a"})).check()


def test_a_key_that_an_earlier_version_did_not_have_is_at_its_default(complete: Path) -> None:
    file = complete / "config.json"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(line for line in lines if '"sam_radius"' not in line))
    folder = folder_of(complete, sweep_of({"name": "a"}))
    folder.check()
    assert folder.is_complete()
    with pytest.raises(UserError, match=r"sam_radius \(its default there, 0.1 now\)"):
        folder_of(complete, sweep_of({"name": "a"}, sam_radius=0.1)).check()


def test_labels_stand_beside_the_ids_of_their_examples(tmp_path: Path) -> None:
    """For whoever is given labels.npz alone; a run may be called as they are."""
    numbers = np.array([7, 3, 9], np.uint32)
    one = TrainingSet(("a",), numbers, 2, (1, 1, 1), "uint8", [0.0], [1.0], {}, None)
    for runs, sets, files in (
        (["a"], [one], {"ids": numbers}),
        (["a"], [one, one._replace(ids=numbers[::-1])], {"ids 0": numbers, "ids 1": numbers[::-1]}),
        (["ids"], [one], {}),
    ):
        labels = {name: np.array([0, 1, 1], np.int32) for name in runs}
        path = tmp_path / str(len(sets)) / runs[0]
        folder = folder_of(path, sweep_of(*({"name": name} for name in runs)))
        folder.begin(labels, [runs], sets)
        with np.load(path / "labels.npz") as stored:
            assert {name: stored[name].tolist() for name in stored.files} == {
                name: array.tolist() for name, array in {**labels, **files}.items()
            }
        assert folder.labels().keys() == labels.keys()
        folder.begin(labels, [runs], sets)  # as on resume


def test_commands_are_told_once_each_however_often_they_go_on(complete: Path) -> None:
    folder = folder_of(complete, sweep_of({"name": "a"}))
    assert folder.commands() == []  # as a version wrote it that kept none
    first, second = (
        {"command": "x", "device": device, "versions": {"jax": "1"}} for device in ("CPU", "GPU")
    )
    for command in (first, first, second, first):
        folder.begin(LABELS, [["a"]], command=command)
    assert folder.commands() == [first, second, first]
    (complete / "commands.json").write_text('{"command"')
    with pytest.raises(UserError, match=r"commands.json is damaged"):
        folder.commands()
    folder.begin(LABELS, [["a"]], command=second)
    assert folder.commands() == [second]


def test_other_labels_are_refused(complete: Path) -> None:
    folder = folder_of(complete, sweep_of({"name": "a"}))
    with pytest.raises(UserError, match="other labels for a"):
        folder.begin({"a": np.zeros(5, np.int32)}, [["a"]])
