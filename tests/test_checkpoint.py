import hashlib
import json
import re
import shutil
from pathlib import Path

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from rethinking_jax.workdir import checkpoint

WHOSE = checkpoint.Whose(("a",), "12345678")


def tree(step: int) -> dict:
    values = np.random.default_rng(step).normal(size=(200, 50)).astype(np.float32)
    return {"params": {"kernel": jnp.asarray(values)}, "step": jnp.int32(step)}


def template() -> dict:
    return jax.tree.map(jnp.zeros_like, tree(0))


def save_all(folder: Path, scores: dict[int, float], latest: int = 2) -> None:
    manager = checkpoint.open_manager(folder, latest, scores.get)
    for step in scores:
        checkpoint.save(manager, step, tree(step), WHOSE)
    manager.close()


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("checkpoints")
    save_all(folder, {10: 0.1, 20: 0.9, 30: 0.2, 40: 0.3, 50: 0.2})
    return folder


def test_keeps_the_last_few_and_the_best(saved: Path) -> None:
    assert checkpoint.saved_steps(saved) == [20, 40, 50]


def test_restores_the_newest_exactly(saved: Path) -> None:
    said: list[str] = []
    restored = checkpoint.restore_latest(saved, template(), WHOSE, said.append)
    assert restored is not None
    assert restored[0] == 50
    chex.assert_trees_all_equal(restored[1], tree(50))
    assert said == []


def test_nothing_saved_is_none(tmp_path: Path) -> None:
    assert checkpoint.restore_latest(tmp_path / "none", template(), WHOSE, print) is None


def test_keeps_the_best_over_a_restart(tmp_path: Path) -> None:
    save_all(tmp_path, {1: 0.9, 2: 0.1})
    # Steps that are there already are not written again.
    save_all(tmp_path, {1: 0.9, 2: 0.1, 3: 0.2, 4: 0.3, 5: 0.1})
    assert checkpoint.saved_steps(tmp_path) == [1, 4, 5]


def files_of(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file() and path.stat().st_size)


def test_one_flipped_bit_anywhere_is_never_restored_as_if_whole(
    saved: Path, tmp_path: Path
) -> None:
    """Whichever file it hits: what comes back is some checkpoint exactly as saved."""
    rng = np.random.default_rng(0)
    fell_back = 0
    for original in files_of(saved / "50"):
        folder = tmp_path / "copy"
        shutil.copytree(saved, folder)
        file = folder / original.relative_to(saved)
        content = bytearray(file.read_bytes())
        content[rng.integers(len(content))] ^= 1 << int(rng.integers(8))
        file.write_bytes(content)
        said: list[str] = []
        restored = checkpoint.restore_latest(folder, template(), WHOSE, said.append)
        assert restored is not None
        step, values = restored
        chex.assert_trees_all_equal(values, tree(step))
        assert (step == 50 and not said) or (step == 40 and len(said) == 1)
        if said:
            fell_back += 1
            assert str(folder / "50") in said[0]
            # Out of the way: or orbax would skip saving this step again.
            assert checkpoint.saved_steps(folder) == [20, 40]
        shutil.rmtree(folder)
    assert fell_back >= 3


def largest(folder: Path) -> Path:
    return max(files_of(folder), key=lambda path: path.stat().st_size)


def test_bits_flipped_in_the_arrays_are_noticed(saved: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    for i in range(8):
        folder = tmp_path / str(i)
        shutil.copytree(saved, folder)
        file = largest(folder / "50")
        content = bytearray(file.read_bytes())
        content[rng.integers(len(content) // 4, len(content) // 2)] ^= 1
        file.write_bytes(content)
        restored = checkpoint.restore_latest(folder, template(), WHOSE, lambda text: None)
        assert restored is not None
        assert restored[0] == 40


def test_truncated_and_missing_files_fall_back_step_by_step(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    for step in ("50", "40"):
        file = largest(folder / step)
        file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    said: list[str] = []
    restored = checkpoint.restore_latest(folder, template(), WHOSE, said.append)
    assert restored is not None
    assert restored[0] == 20
    chex.assert_trees_all_equal(restored[1], tree(20))
    assert [Path(text.split()[1]).name for text in said] == ["50", "40"]
    for path in files_of(folder / "20"):
        path.write_bytes(b"")
    assert checkpoint.restore_latest(folder, template(), WHOSE, said.append) is None


def test_digest_sees_values_names_shapes_and_types() -> None:
    base = {"a": jnp.arange(6, dtype=jnp.float32), "b": jnp.float32(1)}
    others = [
        {"a": base["a"].at[3].set(3.0000002), "b": base["b"]},
        {"a": base["a"].reshape(2, 3), "b": base["b"]},
        {"a": base["a"].astype(jnp.int32), "b": base["b"]},
        {"a": base["a"], "c": base["b"]},
    ]
    digests = [checkpoint.tree_digest(other) for other in others]
    assert len({checkpoint.tree_digest(base), *digests}) == 5
    assert checkpoint.tree_digest(jax.tree.map(np.asarray, base)) == checkpoint.tree_digest(base)


def stored_digest(folder: Path) -> dict:
    return json.loads((folder / "digest" / "metadata").read_text())


def test_the_digest_is_stored_beside_the_state(saved: Path) -> None:
    stored = stored_digest(saved / "50")
    digest = stored.pop("sha256")
    assert stored == {"step": 50, "members": ["a"], "config": "12345678"}
    text = json.dumps([50, ["a"], "12345678", checkpoint.tree_digest(tree(50))])
    assert digest == hashlib.sha256(text.encode()).hexdigest()
    assert checkpoint.members_of(saved) == ["a"] and checkpoint.members_of(saved / "50") is None


@pytest.mark.parametrize(
    ("whose", "message"),
    [
        (WHOSE._replace(members=("b",)), r"it is of other runs \(a\)"),
        (WHOSE._replace(members=("a", "b")), r"it is of other runs \(a\)"),
        (WHOSE._replace(config="87654321"), "it is of runs with another config"),
    ],
)
def test_what_others_saved_is_left_out_and_kept(
    whose: checkpoint.Whose, message: str, saved: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    said: list[str] = []
    assert checkpoint.restore_latest(folder, template(), whose, said.append) is None
    assert len(said) == 3 and all(re.search(message, text) for text in said)
    assert checkpoint.restore(saved, 50, template(), whose) is None
    assert checkpoint.saved_steps(folder) == [] and len(list(folder.iterdir())) == 3
    # Nothing is in the way of what these runs save themselves.
    manager = checkpoint.open_manager(folder, 2, lambda step: None)
    checkpoint.save(manager, 50, tree(50), whose)
    manager.close()
    restored = checkpoint.restore_latest(folder, template(), whose, said.append)
    assert restored is not None and restored[0] == 50 and len(said) == 3


@pytest.mark.parametrize("name", ["45", "100000", "050"])
def test_a_step_that_was_renamed_is_left_out(name: str, saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    (folder / "50").rename(folder / name)
    said: list[str] = []
    restored = checkpoint.restore_latest(folder, template(), WHOSE, said.append)
    assert restored is not None and restored[0] == 40
    chex.assert_trees_all_equal(restored[1], tree(40))
    # A name that orbax would not give is no step.
    expected = [] if name == "050" else [f"{folder / name} is left out: it is that of step 50"]
    assert [text.removeprefix("checkpoint ") for text in said] == expected


@pytest.mark.parametrize("change", ["shape", "type", "less", "more"])
def test_arrays_of_another_shape_are_left_out(change: str, saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    kernel = {"shape": jnp.zeros((200, 49)), "type": jnp.zeros((200, 50), jnp.int32)}
    params = {"kernel": kernel.get(change, jnp.zeros((200, 50)))}
    wanted = {"params": {**params, **({"bias": jnp.zeros(3)} if change == "more" else {})}}
    if change != "less":
        wanted["step"] = jnp.int32(0)
    said: list[str] = []
    assert checkpoint.restore_latest(folder, wanted, WHOSE, said.append) is None
    assert len(said) == 3 and checkpoint.saved_steps(folder) == []


def test_an_objection_leaves_a_whole_one_out(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    said: list[str] = []

    def objection(step: int, found: dict) -> str | None:
        chex.assert_trees_all_equal(found, tree(step))
        return "no line" if step > 20 else None

    restored = checkpoint.restore_latest(folder, template(), WHOSE, said.append, objection)
    assert restored is not None and restored[0] == 20 and len(said) == 2
    assert said[0] == f"checkpoint {folder / '50'} is left out: no line"


def test_a_file_with_the_name_of_a_step_is_in_nobodys_way(saved: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(saved, folder)
    (folder / "60").write_text("stray")
    said: list[str] = []
    restored = checkpoint.restore_latest(folder, template(), WHOSE, said.append)
    assert restored is not None and restored[0] == 50 and len(said) == 1
    assert not (folder / "60").exists()
