"""A look at ImageNet's archives before the hour that preparing them takes."""

import re
import shutil
import tarfile
from collections.abc import Callable, Collection
from pathlib import Path

from rethinking_jax.data.dataset import one_line
from rethinking_jax.errors import UserError

TRAIN, VALIDATION = "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar"
CLASSES, VALIDATION_IMAGES = 1000, 50_000


def check_archives(
    folder: Path, data_dir: Path, synsets: Collection[str], say: Callable[[str], None]
) -> None:
    """Checks that both archives are whole, hold what they should, and fit onto the disk.

    Args:
      folder: the folder that holds them.
      data_dir: the folder where they will be prepared; it need not exist.
      synsets: the names of the classes, such as n01440764.
      say: is given a line where there are fewer classes or images than in the original.

    Raises:
      UserError: an archive is missing, not whole or another one, or the disk lacks room.
    """
    for name, count, what in (
        (TRAIN, CLASSES, "classes (n01440764.tar and so on)"),
        (VALIDATION, VALIDATION_IMAGES, "images (ILSVRC2012_val_00000001.JPEG and so on)"),
    ):
        members = _members(folder / name)
        for member in members:
            stem = Path(member).stem
            right = (
                member == f"{stem}.tar" and stem in synsets
                if name == TRAIN
                else re.fullmatch(r"ILSVRC2012_val_\d{8}\.JPEG", member)
            )
            if not right:
                raise UserError(
                    f"{folder / name} is not ImageNet's archive of that name: it holds "
                    f"{member!r}, and should hold {count:,} {what}."
                )
        if len(members) != count:
            say(f"{folder / name} holds {len(members):,} {what}, not {count:,}")
    _check_disk([(folder / name).stat().st_size for name in (TRAIN, VALIDATION)], data_dir)


def _check_disk(sizes: list[int], data_dir: Path) -> None:
    """Refuses to prepare archives of these sizes, in bytes, where the disk lacks room."""
    # tfds shuffles through the disk: for a while a split is there twice.
    needed = sum(sizes) + max(sizes)
    existing = next(parent for parent in (data_dir, *data_dir.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if needed > free:
        raise UserError(
            f"preparing imagenet2012 takes {needed / 1e9:,.0f} GB in {data_dir} while it lasts "
            f"({sum(sizes) / 1e9:,.0f} GB afterwards), and its disk has {free / 1e9:,.0f} GB free: "
            "make room or give another data_dir."
        )


def _members(path: Path) -> list[str]:
    """Returns the names in an archive, of which the headers alone are read."""
    if not path.is_file():
        raise UserError(
            f"{path} is missing: imagenet2012 is prepared from {TRAIN} and {VALIDATION} in "
            "manual_dir (image-net.org gives them to those who register)."
        )
    names = []
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                names.append(member.name)
            # A copy that broke off between two members leaves no other trace.
            with open(path, "rb") as file:
                file.seek(archive.offset)
                if not file.read(1):
                    raise tarfile.ReadError("it ends too early")
    except (tarfile.TarError, OSError) as error:
        size = path.stat().st_size
        raise UserError(
            f"{path} ({size:,} bytes) is not a whole tar archive ({one_line(error)}): copy or "
            "download it again."
        ) from error
    if not names:
        raise UserError(f"{path} is an empty archive: copy or download it again.")
    return names
