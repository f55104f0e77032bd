"""From the name of a tfds set to a builder whose data is prepared.

Preparing may need TensorFlow, and a network or archives that the user has. What is missing
is found out before tfds is asked, because it would try the network for minutes.
"""

import contextlib
import difflib
import importlib.util
import io
import os
import re
import socket
import threading
import urllib.request
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from rethinking_jax.data.dataset import one_line
from rethinking_jax.data.lock import one_at_a_time
from rethinking_jax.data.origin import Request
from rethinking_jax.data.tfds import Builder
from rethinking_jax.data.tfds.archives import check_archives
from rethinking_jax.errors import UserError
from rethinking_jax.host.packages import install
from rethinking_jax.workdir.storage import check_readable, is_remote, open_path

EMBEDDED = "mnist5k"
PROBE_SECONDS = 1.5
RETRIES = 5
TENSORFLOW = f"TensorFlow ({install('tensorflow')})"


def is_known(name: str, data_dir: str) -> bool:
    """Returns whether tfds knows a set of this name, or `data_dir` holds one."""
    import tensorflow_datasets as tfds

    try:
        _builder(name, data_dir)
    except tfds.core.DatasetNotFoundError:
        return False
    except Exception:
        return True
    return True


def prepared_builder(
    name: str, data_dir: str, manual_dir: str, say: Callable[[str], None]
) -> Builder:
    """Returns the tfds builder of a set whose data is prepared as array_record, now or before.

    Args:
      name: the name as `tfds.builder` takes it.
      data_dir: see `load_dataset`.
      manual_dir: see `load_dataset`.
      say: is given lines of progress.

    Raises:
      UserError: the set is unknown, or is not prepared and cannot be.
    """
    builder = open_builder(name, data_dir)
    if not is_prepared(builder):
        _prepare(name, builder, data_dir, manual_dir, say)
        builder = open_builder(name, data_dir)
    formats = {file_format.value for file_format in builder.info.available_file_formats()}
    if "array_record" not in formats:
        raise UserError(
            f"dataset={name!r} is prepared in {builder.data_dir} as {', '.join(sorted(formats))}; "
            "only array_record is read here: give another data_dir, or delete that folder and "
            "run again to prepare it anew."
        )
    return builder


def _builder(name: str, data_dir: str) -> Builder:
    import tensorflow_datasets as tfds

    from rethinking_jax.data.tfds.mnist5k import mnist5k_dataset_builder  # noqa: F401  (registers it)

    return tfds.builder(name, data_dir=os.path.expanduser(data_dir) or None)


def open_builder(name: str, data_dir: str) -> Builder:
    """Returns the tfds builder of `name`, prepared or not.

    Raises:
      UserError: the set is unknown, or nothing can be read from `data_dir`.
    """
    _check_root(data_dir)
    import tensorflow_datasets as tfds

    try:
        return _builder(name, data_dir)
    except tfds.core.DatasetNotFoundError as error:
        raise UserError(_unknown(name)) from error
    except Exception as error:
        if "Parsing builder name string" in str(error):
            raise UserError(_unknown(name)) from error
        # tfds puts a representation of all arguments in front.
        reason = re.sub(r"^Failed to construct dataset .*?\}\": ", "", one_line(error))
        if "BuilderConfig" in reason:
            configs = list(tfds.builder_cls(_base(name)).builder_configs)
            reason = f"its configurations are {_listed(configs, 'none')}."
        if "No module named 'tensorflow'" in reason:
            reason = f"its builder needs {TENSORFLOW}."
        raise UserError(f"dataset={name!r} cannot be opened: {reason}") from error


def _check_root(data_dir: str) -> None:
    """Refuses a folder or a bucket that array_record, which reads gs:// by itself, cannot read."""
    root = data_dir or os.environ.get("TFDS_DATA_DIR") or "~/tensorflow_datasets"
    if not is_remote(root):
        open_path(root)
        return
    if root.startswith("s3://"):
        raise UserError(
            f"data_dir={root!r}: array_record reads local files and gs://, not s3://: mount the "
            "bucket (Mountpoint for Amazon S3, SkyPilot's file_mounts) or copy the set, and give "
            "that folder"
        )
    check_readable(open_path(root))


def _base(name: str) -> str:
    return re.split("[/:]", name)[0]


def _unknown(name: str) -> str:
    import tensorflow_datasets as tfds

    # With the community's sets it would import TensorFlow and take 12 seconds.
    available = tfds.list_builders(with_community_datasets=False)
    base = _base(name).lower().replace("-", "_")
    close = difflib.get_close_matches(base, available, n=1)
    guess = f": did you mean {close[0]!r}?" if close else "."
    return (
        f"dataset={name!r} is not known{guess} It can be {EMBEDDED}, any image classification "
        "set of tfds, a folder of images per class (./DIR) or an .npz file."
    )


def is_prepared(builder: Builder) -> bool:
    """Returns whether the data of a builder is there."""
    return bool((builder.data_path / "dataset_info.json").exists())


def prepared_files(request: Request) -> list[Path]:
    """Returns the files of a prepared set; [] where it is not prepared, or in a bucket.

    Raises:
      UserError: the set is unknown.
    """
    builder = open_builder(request.name, request.data_dir)
    folder = builder.data_path
    if is_remote(folder) or not is_prepared(builder):
        return []
    return sorted(Path(folder).iterdir())


def _prepare(
    name: str, builder: Builder, data_dir: str, manual_dir: str, say: Callable[[str], None]
) -> None:
    root = os.fspath(builder.data_dir_root)
    if is_remote(root):
        raise UserError(
            f"dataset={name!r} is not prepared in data_dir={root!r}, and array_record writes only "
            f"to a local disk: python -m rethinking_jax.prepare {name} --data_dir=DIR, then copy "
            f"DIR/{builder.name} to {root}"
        )
    if builder.data_path.exists() and not is_prepared(builder):
        raise UserError(
            f"dataset={name!r}: {builder.data_dir} exists but holds no prepared set: delete that "
            "folder and run again."
        )
    online = True
    if builder.name != EMBEDDED:
        online = _check_means(name, builder, manual_dir)
    if builder.name == "imagenet2012":
        synsets = builder.info.features["label"].names
        root = Path(os.fspath(builder.data_dir_root))
        check_archives(_manual(builder, manual_dir), root, synsets, say)
    try:
        lock = f"{os.fspath(builder.data_dir_root)}/.{builder.name}.lock"
        with one_at_a_time(lock, f"is preparing {builder.name}", say):
            # Another process may have been faster.
            if not is_prepared(builder):
                _remove_leftovers(builder)
                say(f"preparing {name} in {builder.data_dir} (once)")
                _download_and_prepare(builder, manual_dir, online)
    except Exception as error:
        # Where locks do not work, both prepare and one of them comes second.
        if not is_prepared(_builder(name, data_dir)):
            raise UserError(_failure(name, builder, manual_dir, online, error)) from error


def _remove_leftovers(builder: Builder) -> None:
    """Removes what a process left that was killed while it prepared this set."""
    if builder.name != EMBEDDED:  # which is prepared without a lock too, at the same time
        for folder in builder.data_path.parent.glob(f"incomplete.*_{builder.data_path.name}"):
            folder.rmtree()


def _download_and_prepare(builder: Builder, manual_dir: str, online: bool) -> None:
    import tensorflow_datasets as tfds
    from tensorflow_datasets.core.download import downloader

    config = tfds.download.DownloadConfig(
        manual_dir=os.path.expanduser(manual_dir) or None, try_download_gcs=False
    )
    # With its 10 retries tfds tries for 3.5 minutes, and its threads outlive an error.
    downloader.MAX_RETRIES = RETRIES if online else 0
    quiet = contextlib.ExitStack()
    if builder.name == EMBEDDED:  # takes a second, which needs no progress bars
        quiet.enter_context(contextlib.redirect_stdout(io.StringIO()))
        quiet.enter_context(contextlib.redirect_stderr(io.StringIO()))
    with quiet:
        builder.download_and_prepare(download_config=config, file_format="array_record")


def _failure(name: str, builder: Builder, manual_dir: str, online: bool, error: Exception) -> str:
    reason = one_line(error)
    missing = _archives(builder, manual_dir)[1]
    if not online and missing and "Max retries exceeded" in str(error):
        reason = f"there is no network, and without it this is missing: {_listed(missing)}."
    root = os.fspath(builder.data_dir_root)
    return f"dataset={name!r} cannot be prepared in data_dir={root!r}: {reason}"


def _check_means(name: str, builder: Builder, manual_dir: str) -> bool:
    """Checks that all is there that preparing needs, and says whether there is a network.

    Raises:
      UserError: something is missing.
    """
    if is_remote(manual_dir):
        raise UserError(f"manual_dir={manual_dir!r}: archives are read from a local folder only.")
    if manual_dir and not os.path.isdir(os.path.expanduser(manual_dir)):
        raise UserError(f"manual_dir={manual_dir!r}: there is no such folder.")
    online = _network_answers(list(builder.url_infos or {}))
    by_hand = builder.MANUAL_DOWNLOAD_INSTRUCTIONS or ""
    present, missing = _archives(builder, manual_dir)
    folder = f"manual_dir={manual_dir!r}" if manual_dir else "a folder and pass it as manual_dir"
    lacking = []
    if not _has_tensorflow():
        lacking.append(TENSORFLOW)
    if by_hand:
        named = [archive for archive in missing if archive in by_hand]
        if not present and (named or not manual_dir):
            hint = "" if named else f": {one_line(by_hand)}"
            lacking.append(f"archives only you can get (put {_listed(named)} into {folder}{hint})")
    elif not online and not present and missing:
        lacking.append(f"a network (connect, or put {_listed(missing)} into {folder})")
    if lacking:
        root = os.fspath(builder.data_dir_root)
        exists = "" if os.path.isdir(root) else ", which does not exist"
        raise UserError(
            f"dataset={name!r} is not prepared in data_dir={root!r}{exists}, and preparing it here "
            f"lacks {' and '.join(lacking)}. Or point data_dir at a prepared copy, "
            f"or use dataset={EMBEDDED!r}, which needs nothing."
        )
    return online


def _has_tensorflow() -> bool:
    """Returns whether TensorFlow is installed, without importing it for seconds."""
    try:
        return importlib.util.find_spec("tensorflow") is not None
    except (ImportError, ValueError):  # something keeps it from being imported
        return False


def _manual(builder: Builder, manual_dir: str) -> Path:
    """Returns the folder with archives that were downloaded by hand, as tfds chooses it."""
    if manual_dir:
        return Path(manual_dir).expanduser()
    return Path(builder.data_dir_root / "downloads" / "manual")


def _archives(builder: Builder, manual_dir: str) -> tuple[list[str], list[str]]:
    """Returns the original names of the files to download: those at hand, and the missing ones."""
    from tensorflow_datasets.core.download import resource

    downloads = builder.data_dir_root / "downloads"
    manual = _manual(builder, manual_dir)
    present: list[str] = []
    missing: list[str] = []
    for url, info in (builder.url_infos or {}).items():
        original = info.filename or os.path.basename(urlsplit(url).path)
        cached = resource.get_dl_fname(url, info.checksum)
        at_hand = (manual / original).exists() or any(
            resource.is_locally_cached(folder / cached)
            for folder in (downloads / builder.name, downloads)
        )
        (present if at_hand else missing).append(original)
    return present, missing


def _listed(names: list[str], none: str = "the archives") -> str:
    if not names:
        return none
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")


def _network_answers(urls: list[str]) -> bool:
    """Returns whether the first url's host, or the proxy in front of it, takes a connection."""
    url = urlsplit(
        next((u for u in urls if u.startswith("http")), "https://storage.googleapis.com")
    )
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if proxy and not urllib.request.proxy_bypass(url.hostname or ""):
        url = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
    port = url.port or (443 if url.scheme == "https" else 80)
    answered = threading.Event()

    def probe() -> None:
        with contextlib.suppress(OSError):
            socket.create_connection((url.hostname or "", port), PROBE_SECONDS).close()
            answered.set()

    # It runs in a thread, because looking up a name has no time limit of its own.
    thread = threading.Thread(target=probe, daemon=True)
    thread.start()
    thread.join(PROBE_SECONDS)
    return answered.is_set()
