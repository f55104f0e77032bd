"""Eight fake CPU devices for sharding, and a data folder that is not the user's."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).parents[1]
# Compiling takes most of the time of the tests: without LLVM's passes it takes two thirds, and
# without MLIR for fused loops and in one part a third of that. Commands in processes of their own
# are compiled so too, and find what was compiled here; but not those of the golden test and the
# quickstart, whose numbers are those that users see.
QUICKLY = (
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true "
    "--xla_cpu_use_fusion_emitters=false --xla_cpu_parallel_codegen_split_count=1"
)
# Before JAX is imported anywhere.
os.environ["XLA_FLAGS"] = f"--xla_force_host_platform_device_count=8 {QUICKLY}"

import pytest  # noqa: E402

# In the background of a shell SIGINT is ignored, and so it would be by commands under test.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, signal.default_int_handler)

# The fixtures with a small ImageNet.
pytest_plugins = ["imagenet_fixture"]

# The files that take longest come first: at the end one worker would be busy and the others idle.
FIRST = (
    "test_slurm.py", "test_imagenet.py", "test_parallel.py", "test_golden.py", "test_models.py",
    "test_imagenet_models.py", "test_resume.py", "test_regularizers.py", "test_train.py",
    "test_quickstart.py", "test_models_course.py", "test_augment.py", "test_sweep.py",
    "test_launch.py", "test_face.py", "test_main.py", "test_theory_theorem1.py",
)  # fmt: skip
NOT_SLOW = "not slow and not compile"  # as pyproject.toml has it for `python -m pytest`


def pytest_configure(config: pytest.Config) -> None:
    """Programs are compiled once for all workers, commands and later sessions.

    `python -m pytest --cache-clear` compiles them anew.
    """
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", str(config.cache.mkdir("compiled")))
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says which tests were left out."""
    if terminalreporter.config.option.markexpr == NOT_SLOW:
        terminalreporter.write_line("slow tests are left out: python -m pytest -m slow runs them")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    place = {name: i for i, name in enumerate(FIRST)}
    items.sort(key=lambda item: place.get(item.path.name, len(FIRST)))


Command = Callable[..., subprocess.CompletedProcess[str]]


def real_data_folder() -> Path:
    """A tfds data folder with real sets, where the machine has one; else a folder without."""
    given = os.environ.get("RETHINKING_JAX_TEST_TFDS")
    beside = REPOSITORY / "../shared/tfds"
    if given or beside.is_dir():
        return Path(given or beside).expanduser().resolve()
    return Path("~/tensorflow_datasets").expanduser()


def needs_real(name: str) -> pytest.MarkDecorator:
    """Skips a test where a set of tfds is not prepared."""
    return pytest.mark.skipif(
        not (real_data_folder() / name).is_dir(),
        reason=f"no prepared {name}: RETHINKING_JAX_TEST_TFDS names a tfds folder that has it",
    )


@pytest.fixture(scope="session")
def real_data(request: pytest.FixtureRequest) -> dict[str, str]:
    """Where real data are read, and where they are kept decoded: for this and later sessions."""
    cache = request.config.cache.mkdir("decoded")
    return {"data_dir": str(real_data_folder()), "cache_dir": str(cache)}


@pytest.fixture(scope="module")
def one_device() -> Iterator[None]:
    """For the tests of a module in which several members share a device."""
    import jax

    with pytest.MonkeyPatch.context() as patch:
        first = jax.devices()[:1]
        patch.setattr(jax, "devices", lambda: first)
        yield


@pytest.fixture(scope="module")
def one_engine() -> Iterator[None]:
    """For the tests of a module that train a recipe often: it is traced and compiled once.

    Tracing takes longer than small networks take to train. A stream, whose engine reads, has one
    of its own each time.
    """
    from rethinking_jax.sweep import groups
    from rethinking_jax.sweep.build import static_part

    build, made = groups.build_engine, {}

    def kept(config: Any, dataset: Any, *rest: object) -> object:
        shape = dataset.image_shape, dataset.num_classes, len(dataset.train), dataset.moments
        recipe = str((static_part(config), shape, rest))
        if dataset.streamed or recipe not in made:
            made[recipe] = build(config, dataset, *rest)
        return made[recipe]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(groups, "build_engine", kept)
        yield


@pytest.fixture(scope="module")
def no_report() -> Iterator[None]:
    """For the tests of a module that look at no report: to draw one takes longer than to train."""
    from rethinking_jax.report import page

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(page, "write_report", lambda workdir, found: None)
        yield


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tfds data folder for these tests alone."""
    return tmp_path_factory.mktemp("tfds")


@pytest.fixture(scope="session")
def environment(data_dir: Path) -> dict[str, str]:
    """Of a command that is compiled quickly: one device, data in the tests' folder."""
    return {
        **os.environ,
        "XLA_FLAGS": QUICKLY,
        "PYTHONPATH": str(REPOSITORY),
        "TFDS_DATA_DIR": str(data_dir),
        "JAX_PLATFORMS": "cpu",
    }


@pytest.fixture(scope="session")
def as_users(environment: dict[str, str]) -> dict[str, str]:
    """Of a command that is compiled as users compile it."""
    return {key: value for key, value in environment.items() if key != "XLA_FLAGS"}


@pytest.fixture(scope="session")
def command(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs `python -m rethinking_jax.main` with arguments, in a folder of its own.

    For what takes a process: signals, flags of JAX, other devices, numbers that another process
    must come to. For the rest there is `answer`, which takes a third of the time.
    """
    folder = tmp_path_factory.mktemp("cwd")

    def run(*arguments: str, **options: object) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "rethinking_jax.main", *arguments]
        settings: dict = {"cwd": folder, "env": environment, "timeout": 600, **options}
        return subprocess.run(words, capture_output=True, text=True, check=False, **settings)

    return run


@pytest.fixture(scope="session")
def answer(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Command:
    """Runs the same command in this process, with the same data."""
    from helpers import commands  # imports JAX

    from rethinking_jax import main

    folder, data = tmp_path_factory.mktemp("cwd"), f"--config.data_dir={data_dir}"

    def run(
        *arguments: str, cwd: Path = folder, devices: int = 1
    ) -> subprocess.CompletedProcess[str]:
        return commands.answer(main.main, ["rethinking_jax.main", data, *arguments], cwd, devices)

    return run


def read_metrics(workdir: Path) -> list[dict]:
    """The lines of metrics.jsonl without what tells the time."""
    lines = [json.loads(text) for text in (workdir / "metrics.jsonl").read_text().splitlines()]
    for line in lines:
        for key in ("images_per_second", "elapsed_seconds", "waiting_for_input"):
            line.pop(key, None)
    return lines


def read_summary(workdir: Path) -> dict:
    """summary.json without the times and the command, which names the workdir."""
    summary = json.loads((workdir / "summary.json").read_text())
    del summary["wall_seconds"], summary["command"]
    for member in summary["members"]:
        for key in ("images_per_second", "waiting_for_input"):
            member.pop(key, None)
    return summary
