"""The pictures of a run: its images augmented and corrupted, and its answers over the plane.

Other figures are drawn from numbers; these need the data, and checkpoints.
"""

import json
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import jax

from rethinking_jax import config as configs
from rethinking_jax.data.fingerprint import check_same
from rethinking_jax.data.runs import load_datasets, training_sets
from rethinking_jax.host import flags
from rethinking_jax.host.environment import check_devices
from rethinking_jax.host.processes import is_primary
from rethinking_jax.language.translate import translator
from rethinking_jax.pictures import decision_map, gallery
from rethinking_jax.sweep import groups
from rethinking_jax.sweep.engine import Chunk
from rethinking_jax.workdir.folder import Folder
from rethinking_jax.workdir.storage import AnyPath


def draw(workdir: AnyPath, chunks: Sequence[Chunk], language: str) -> None:
    """Writes the pictures that runs have into figures/.

    Args:
      workdir: the folder of trained chunks; every process comes here, for they read checkpoints
        together.
      chunks: the chunks of the workdir.
      language: the language of the words, see `rethinking_jax.language.translate`.
    """
    maps = decision_map.of_runs(chunks, workdir)
    if not is_primary():
        return
    translate, folder = translator(language), workdir / "figures"
    runs = [(run, chunk.dataset) for chunk in chunks for run in chunk.runs]
    if rows := gallery.augmented((run.config, dataset) for run, dataset in runs):
        first = next(run.config for run, _ in runs if run.config.augmentation)
        words = "Training images of {dataset}, augmented (seed {seed})"
        title = translate(words, dataset=first.dataset, seed=first.seed)
        gallery.write_augmented(rows, title, translate, folder / "augmentations.png")
    if samples := gallery.corrupted(runs, translate):
        words = "Images of {dataset} and the labels they are trained with"
        title = translate(words, dataset=runs[0][0].config.dataset)
        gallery.write_corrupted(samples, title, folder / "corruptions.png")
    if maps:
        decision_map.write(maps, translate, folder / "decision_map.gif")


@flags.settled()
def redraw(workdir: AnyPath, language: str, show: Callable[[str], None]) -> None:
    """Writes the pictures of a finished workdir again, in another language.

    Args:
      workdir: the folder with its config.json and, for answers over the plane, its checkpoints.
      language: the language of the words.
      show: shows a line of progress.

    Raises:
      UserError: the data set is not at hand or is another one now, or the devices are not.
    """
    draw(workdir, _chunks(workdir, show), language)


@flags.settled()
def corruptions(workdir: AnyPath, language: str, show: Callable[[str], None]) -> bytes | None:
    """Returns training images and their labels in each setting of a finished workdir, as a PNG.

    It is for a slide, which has a title of its own. Nothing is written there. None where its runs
    have one setting, or several data sets.

    Args:
      workdir, language, show: as in `redraw`.

    Raises:
      UserError: the data set is not at hand or is another one now, or the devices are not.
    """
    chunks, translate = _chunks(workdir, show), translator(language)
    samples = gallery.corrupted(
        [(run, chunk.dataset) for chunk in chunks for run in chunk.runs], translate
    )
    if not samples:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "corruptions.png"
        gallery.write_wide(samples, path)
        return path.read_bytes()


def _chunks(workdir: AnyPath, show: Callable[[str], None]) -> list[Chunk]:
    """Reads the data of a finished workdir again, as its runs had them."""
    check_devices()
    plain = json.loads((workdir / "config.json").read_text())
    folder, config = Folder(workdir, plain, configs.identity_of), configs.from_json(plain)
    members = configs.named_as_begun(config, configs.members(config, check=None), folder.names)
    datasets = load_datasets(members, show)
    now = [one.fingerprint for one in training_sets(members, datasets)]
    check_same(folder.fingerprints(), now, workdir)
    return groups.make_chunks(
        members, datasets, jax.default_backend(), jax.devices(), folder.chunks(), show
    )
