"""Small archives in the form of ImageNet's, and the set that the real tfds builder makes of them.

Twelve of the thousand classes, photographs of many sizes with texture at every scale, and
the odd ones of the original: JPEGs in CMYK, a PNG that is named .JPEG, and those of
`odd_photographs`.
"""

import functools
import importlib.util
import io
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from conftest import REPOSITORY
from PIL import Image, ImageCms

PER_CLASS = 6
VALIDATION = 24
TRAIN = 84  # images in all
TURNED = 6  # EXIF's word for a picture that is to be turned clockwise by a quarter
# In the order of tfds's labels.txt, the first of it and those with odd images.
CMYK_NAME, PNG_NAME = "n01739381_1309.JPEG", "n02105855_2933.JPEG"
SYNSETS = (
    "n01440764", "n01443537", "n01484850", "n01491361", "n01494475", "n01496331",
    "n01498041", "n01514668", "n01739381", "n02105855", "n13133613", "n15075141",
)  # fmt: skip


class Archives(NamedTuple):
    """The folder with the two archives, and what they hold by file name."""

    folder: Path
    train: dict[str, bytes]
    validation: dict[str, bytes]


def texture(height: int, width: int, seed: int) -> np.ndarray:
    """uint8 [h, w, 3] with the falling spectrum that photographs have."""
    rng = np.random.default_rng(seed)
    rows, columns = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
    amplitude = 1 / np.maximum(np.hypot(rows, columns), 1 / max(height, width)) ** 1.1
    planes = []
    for _ in range(3):
        phases = rng.standard_normal((2, height, width // 2 + 1))
        plane = np.fft.irfft2(amplitude * (phases[0] + 1j * phases[1]), s=(height, width))
        planes.append(plane / plane.std())
    image = 0.85 * planes[0][..., None] + 0.3 * np.stack(planes, -1)
    return (image * 50 + 120).clip(0, 255).astype(np.uint8)


def encode(image: np.ndarray, kind: str = "JPEG", mode: str = "RGB", **more: object) -> bytes:
    """The image as a file."""
    content = io.BytesIO()
    options = {"quality": 90} if kind == "JPEG" else {}
    Image.fromarray(image).convert(mode).save(content, kind, **options, **more)
    return content.getvalue()


def photograph(number: int) -> bytes:
    """A JPEG of one of many sizes; every seventh is gray, as some of ImageNet's are."""
    height, width = 60 + 7 * (number % 11), 60 + 13 * (number % 7)
    return encode(texture(height, width, number), mode="L" if number % 7 == 3 else "RGB")


def odd_photographs() -> dict[str, bytes]:
    """Kinds of JPEG that are rare in ImageNet, by file name."""

    def exif(orientation: int) -> bytes:
        found = Image.Exif()
        found[0x0112] = orientation
        return found.tobytes()

    large = np.tile(texture(300, 400, 5), (4, 4, 1))  # as a camera of 2 megapixels makes them
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    kinds = (
        encode(large),
        encode(large, mode="L"),
        encode(texture(24, 31, 6)),  # smaller than what it is scaled to
        encode(texture(70, 90, 7), exif=exif(1)),
        encode(texture(70, 90, 8), mode="L", exif=exif(1), icc_profile=profile),
        encode(texture(70, 90, 9), exif=exif(TURNED)),
        encode(texture(70, 90, 10), icc_profile=profile, subsampling=0),
        encode(texture(70, 90, 11), progressive=True, subsampling=1),
    )
    return {f"{SYNSETS[-1]}_{9001 + k}.JPEG": content for k, content in enumerate(kinds)}


def write_tar(path: Path, members: dict[str, bytes]) -> None:
    """An archive of these files."""
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))


def write_archives(folder: Path) -> Archives:
    """Writes ILSVRC2012_img_train.tar and ILSVRC2012_img_val.tar."""
    train: dict[str, bytes] = {}
    classes: dict[str, bytes] = {}
    for k, synset in enumerate(SYNSETS):
        # The numbers repeat from class to class.
        images = {f"{synset}_{10 * i + 26}.JPEG": photograph(9 * k + i) for i in range(PER_CLASS)}
        if synset == CMYK_NAME[:9]:
            images[CMYK_NAME] = encode(texture(90, 70, 1), mode="CMYK")
            # One that the builder does not know and leaves as it is.
            images[f"{synset}_99.JPEG"] = encode(texture(70, 90, 2), mode="CMYK")
        if synset == PNG_NAME[:9]:
            images[PNG_NAME] = encode(texture(80, 75, 3), "PNG")
            images[f"{synset}_99.JPEG"] = encode(texture(75, 80, 4), "PNG")
        if synset == SYNSETS[-1]:
            images |= odd_photographs()
        inner = folder / f"{synset}.tar"
        write_tar(inner, images)
        classes[inner.name] = inner.read_bytes()
        inner.unlink()
        train |= images
    validation = {
        f"ILSVRC2012_val_{i + 1:08d}.JPEG": photograph(500 + i) for i in range(VALIDATION)
    }
    write_tar(folder / "ILSVRC2012_img_train.tar", classes)
    write_tar(folder / "ILSVRC2012_img_val.tar", validation)
    return Archives(folder, train, validation)


@functools.cache
def has_tensorflow() -> bool:
    """Whether TensorFlow, which the real builder needs, is installed."""
    return importlib.util.find_spec("tensorflow") is not None


@pytest.fixture(scope="session")
def imagenet_tars(tmp_path_factory: pytest.TempPathFactory) -> Archives:
    """The archives of a small ImageNet."""
    return write_archives(tmp_path_factory.mktemp("imagenet_tars"))


@pytest.fixture(scope="session")
def imagenet_data_dir(imagenet_tars: Archives, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data_dir with imagenet2012, as the command prepares it; tests must not write to it."""
    if not has_tensorflow():
        pytest.skip("TensorFlow, which prepares imagenet2012, is not installed")
    data_dir = tmp_path_factory.mktemp("imagenet")
    # In a process of its own: TensorFlow stays out of this one.
    done = subprocess.run(
        [sys.executable, "-m", "rethinking_jax.prepare", "imagenet2012", f"--data_dir={data_dir}",
         f"--manual_dir={imagenet_tars.folder}"],
        cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return data_dir
