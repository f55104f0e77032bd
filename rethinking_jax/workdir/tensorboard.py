"""Event files for TensorBoard by clu, which needs TensorFlow: imported only when asked for."""

import contextlib
import importlib.util
from collections.abc import Callable, Iterator

from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import install
from rethinking_jax.host.processes import is_primary
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath, short_name


def check_installed(workdir: AnyPath) -> None:
    """Refuses to start where event files cannot be written.

    Raises:
      UserError: a package is missing, or it cannot write to a place like this.
    """
    if str(workdir).startswith("s3://"):
        raise UserError(
            "config.tensorboard=True: TensorFlow writes event files to folders and gs://, not to "
            f"--workdir={workdir}: leave it False (metrics.jsonl has all)"
        )
    missing = [name for name in ("tensorflow", "tensorboard") if not _installed(name)]
    if missing:
        raise UserError(
            f"config.tensorboard=True needs {' and '.join(missing)}: "
            f"{install('tensorflow')}, or leave it False (metrics.jsonl has all)"
        )


def _installed(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ValueError:  # a module that was blocked or half loaded
        return False


@contextlib.contextmanager
def writer(wanted: bool, workdir: AnyPath) -> Iterator[Callable[[Line], None]]:
    """Yields a function that writes a metrics line, one TensorBoard run per member, if wanted."""
    if not wanted or not is_primary():
        yield lambda line: None
        return
    from clu import metric_writers

    writers: dict[str, metric_writers.SummaryWriter] = {}

    def write(line: Line) -> None:
        name = line["member"]
        if name not in writers:
            folder = workdir / "tensorboard" / short_name(name)
            writers[name] = metric_writers.SummaryWriter(str(folder))
        scalars = {
            key: value
            for key, value in line.items()
            if isinstance(value, float | int) and key not in ("step", "elapsed_seconds")
        }
        writers[name].write_scalars(line["step"], scalars)

    try:
        yield write
    finally:
        for each in writers.values():
            each.close()
