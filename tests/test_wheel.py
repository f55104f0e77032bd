"""The package as it is installed: a wheel, in an environment that knows no checkout."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest
from conftest import QUICKLY, REPOSITORY
from test_catalog import NAMES, parts

pytestmark = pytest.mark.slow

# Loads what it is given by name, and says where the package and the first config lie.
LOAD = """
import sys, rethinking_jax as rj
from rethinking_jax import catalog
for name in sys.argv[1:]:
    assert rj.load_config(name).experiment, name
print(rj.__file__, *catalog.shipped().values(), sep="\\n")
"""


def python(program: Path, *words: str, cwd: Path) -> str:
    """Runs Python outside of the checkout; returns what it prints."""
    kept = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    result = subprocess.run(
        [program, *words], cwd=cwd, capture_output=True, text=True,
        env=kept | {"XLA_FLAGS": QUICKLY, "JAX_PLATFORMS": "cpu"},
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout; hatchling, which builds it, is installed already."""
    folder = tmp_path_factory.mktemp("wheel")
    words = ["wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", folder]
    subprocess.run([sys.executable, "-m", "pip", *words, REPOSITORY], check=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of an environment that has the wheel, and what it depends on from this one."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    program = folder / "bin" / "python"
    words = ["install", "--quiet", "--no-deps", "--no-index", wheel]
    subprocess.run([sys.executable, "-m", "pip", "--python", program, *words], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "dependencies.pth").write_text(f"{sysconfig.get_path('purelib')}\n")
    return program


def test_the_wheel_has_every_file_of_the_package(wheel: Path) -> None:
    here = [
        *(file.relative_to(REPOSITORY) for file in (REPOSITORY / "rethinking_jax").rglob("*")),
        *(Path("rethinking_jax/configs", f"{name}.py") for name in NAMES),
    ]
    wanted = {path.as_posix() for path in here if path.suffix not in ("", ".pyc")}
    packed = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    assert packed == wanted and any(name.endswith(".html.j2") for name in packed)


def test_what_is_installed_runs_the_quickstart(installed: Path, tmp_path: Path) -> None:
    small = ("--config.train_examples=200", "--config.epochs=1", "--workdir=run")
    shown = python(installed, "-m", "rethinking_jax.main", *small, cwd=tmp_path)
    assert "random_labels" in shown and (tmp_path / "run" / "summary.json").exists()
    assert "<svg" in (tmp_path / "run" / "report.html").read_text()


def test_what_is_installed_has_every_config_by_name(installed: Path, tmp_path: Path) -> None:
    given = [*NAMES, *(f"{name}:{part}" for name in NAMES for part in parts(name))]
    assert len(given) > 40 and "figure1:b" in given
    for line in python(installed, "-c", LOAD, *given, cwd=tmp_path).splitlines():
        assert Path(line).is_relative_to(installed.parents[1])
    shown = python(installed, "-m", "rethinking_jax.main", "--list", cwd=tmp_path)
    assert all(name in shown for name in NAMES)
    words = ("-m", "rethinking_jax.main", "--config=figure1:b", "--help")
    assert "Figure 1 of the paper" in python(installed, *words, cwd=tmp_path)
