"""One experiment from its config to its results, as `main` and a notebook run it."""

import io
import json
import time
import zipfile
from collections.abc import Sequence
from typing import Any

import jax
import numpy as np
from clu import parameter_overview
from ml_collections import ConfigDict
from rich.console import Console

from rethinking_jax import config as configs
from rethinking_jax.analysis import tables
from rethinking_jax.analysis.results import Results, read_pictures
from rethinking_jax.data.runs import load_datasets
from rethinking_jax.errors import RunFailed, UserError
from rethinking_jax.host.environment import describe_device, versions
from rethinking_jax.host.processes import is_primary, wait_for_all
from rethinking_jax.host.signals import stop_requests
from rethinking_jax.pictures import illustrations
from rethinking_jax.report import page
from rethinking_jax.step.flops import forward_flops
from rethinking_jax.sweep import groups, profiling, selection
from rethinking_jax.sweep.build import input_shape, make_model
from rethinking_jax.sweep.groups import Chunk
from rethinking_jax.sweep.loop import Stage, is_complete, train_chunk
from rethinking_jax.sweep.progress import ProgressReport
from rethinking_jax.workdir import checkpoint, metrics, storage, tensorboard
from rethinking_jax.workdir.metrics import Line
from rethinking_jax.workdir.storage import AnyPath

Summary = dict[str, Any]

OVERVIEW_LINES = 48  # of the parameter table: the small networks whole, not Inception V3


def train_and_evaluate(
    config: ConfigDict,
    workdir: "AnyPath | str",
    *,
    command: str = "",
    console: Console | None = None,
) -> Summary:
    """Trains every run of a config, or what is left of it, and writes the results.

    Args:
      config: `rethinking_jax.config.base_config()` with changes.
      workdir: the folder for all results; the README names its files. Several processes
        share it. A path, or gs://BUCKET/FOLDER or s3://BUCKET/FOLDER.
      command: what to type to resume, for messages and the report; '' where nobody typed one.
      console: where to show progress; default: standard output.

    Returns:
      What `summary.json` holds.

    Raises:
      UserError: bad input; nothing is written.
      RunFailed: stopped by a signal, or the loss of every run stopped being a number.
    """
    started = time.monotonic()
    workdir, console = storage.open_path(workdir), console or Console()
    members = configs.members(config)
    selection.check_choice(members)
    if config.tensorboard:
        tensorboard.check_installed(workdir)
    check_workdir(config, workdir)
    summary_file = workdir / "summary.json"
    if summary_file.exists() and not _added_runs(config, workdir):
        console.print(f"Complete already: {workdir}", soft_wrap=True, highlight=False)
        return _end(console, workdir, json.loads(summary_file.read_text()))
    progress = ProgressReport(console)
    chunks = _prepare(config, members, workdir, progress)
    _show_start(console, workdir, chunks)
    lines = metrics.read_lines(workdir / "metrics.jsonl")
    before = max((line["elapsed_seconds"] for line in lines), default=0.0)

    def elapsed() -> float:
        return before + time.monotonic() - started

    profile_folder = workdir / "profile" if config.profile and is_primary() else None
    with (
        stop_requests() as stop_requested,
        tensorboard.writer(config, workdir) as write_scalars,
        profiling.step_profile(profile_folder, progress.message) as profile,
    ):
        stage = Stage(
            workdir=workdir,
            command=command or "the same command",
            progress=progress,
            stop_requested=stop_requested,
            elapsed=elapsed,
            write_scalars=write_scalars,
            profile=profile,
        )
        _train(chunks, stage)
        tested = _tested(members, chunks, stage) if config.validation_examples else {}
    summary = _write_results(config, workdir, chunks, members, tested, elapsed(), command)
    return _end(console, workdir, summary)


def _prepare(
    config: ConfigDict,
    members: Sequence[configs.Member],
    workdir: AnyPath,
    progress: ProgressReport,
) -> list[Chunk]:
    """Reads the data, groups the runs, and opens the workdir for them."""
    datasets = load_datasets(members, progress.message)
    stored = _stored_chunks(workdir)
    chunks = groups.make_chunks(
        members, datasets, jax.default_backend(), jax.devices(), stored, progress.message
    )
    wait_for_all("all is read")
    if is_primary():
        _open_workdir(config, workdir, chunks)
    wait_for_all("the workdir is open")
    return chunks


def _train(chunks: Sequence[Chunk], stage: Stage) -> None:
    """Trains what is not complete, chunk by chunk."""
    lines = metrics.by_member(metrics.read_lines(stage.metrics_file))
    for i, chunk in enumerate(chunks, start=1):
        if not is_complete(chunk, stage, lines):
            place = f"{i}/{len(chunks)} " if len(chunks) > 1 else ""
            train_chunk(chunk, stage._replace(place=place))
    wait_for_all("all is trained")


def _tested(
    members: Sequence[configs.Member], chunks: Sequence[Chunk], stage: Stage
) -> dict[str, Line]:
    """Test metrics of the runs that validation chooses, by name."""
    lines = metrics.by_member(metrics.read_lines(stage.metrics_file))
    chosen = selection.chosen_runs(members, lines)
    if chosen:
        stage.progress.message(
            f"chosen by validation: {', '.join(chosen)}; one look at the test set"
        )
    return selection.look_at_test(chunks, chosen, stage)


def _write_results(
    config: ConfigDict,
    workdir: AnyPath,
    chunks: Sequence[Chunk],
    members: Sequence[configs.Member],
    tested: dict[str, Line],
    seconds: float,
    command: str,
) -> Summary:
    """Writes report and summary from the lines of all members; returns the summary.

    `tested` has the test metrics of members whose lines have none.
    """
    lines = metrics.by_member(metrics.read_lines(workdir / "metrics.jsonl"))
    summary = _summary(config, chunks, members, lines, seconds) | {"command": command}
    for member in summary["members"]:
        member |= tested.get(member["name"], {})
    if tested:
        summary["chosen"] = list(tested)
    illustrations.draw(workdir, chunks, config.language)
    if is_primary():
        plain = configs.to_json(config)
        page.write_report(workdir, Results(summary, lines, plain, read_pictures(workdir)))
        # Last: where there is a summary, everything is there.
        storage.write_atomically(workdir / "summary.json", json.dumps(summary, indent=2) + "\n")
    wait_for_all("all is written")
    return summary


def check_workdir(config: ConfigDict, workdir: AnyPath) -> None:
    """Refuses a workdir that cannot be written or that belongs to another config.

    Raises:
      UserError: with the keys that differ, and their values there and here.
    """
    try:
        storage.check_writable(workdir)
    except UserError as error:
        raise UserError(f"--workdir={workdir}: {error}") from None
    if not (workdir / "config.json").exists():
        return
    there = configs.identity(json.loads((workdir / "config.json").read_text()))
    here = configs.identity(configs.to_json(config))
    if there.get("sweep") and all(run in here["sweep"] for run in there["sweep"]):
        there["sweep"] = here["sweep"]  # runs may be added
    differing = [key for key in {**there, **here} if there.get(key) != here.get(key)]
    if differing:
        changes = ", ".join(f"{k} ({there.get(k)!r} there, {here.get(k)!r} now)" for k in differing)
        raise UserError(
            f"--workdir={workdir} holds a run of another config: {changes}. "
            "Take another --workdir, or the values there to resume it"
        )


def _added_runs(config: ConfigDict, workdir: AnyPath) -> bool:
    """Whether a workdir's sweep lacks runs of the config's (see `check_workdir`)."""
    there = json.loads((workdir / "config.json").read_text())
    return bool(there["sweep"] != configs.to_json(config)["sweep"])


def _stored_chunks(workdir: AnyPath) -> list[list[str]]:
    """The names of the runs of each chunk of earlier sessions."""
    file = workdir / "chunks.json"
    if not file.exists() or not (workdir / "config.json").exists():
        return []
    return list(json.loads(file.read_text()))


def _open_workdir(config: ConfigDict, workdir: AnyPath, chunks: Sequence[Chunk]) -> None:
    """Writes config, chunks and labels; labels that are there must be today's."""
    arrays: dict[str, Any] = {run.name: run.train_labels for chunk in chunks for run in chunk.runs}
    if (workdir / "config.json").exists() and (workdir / "labels.npz").exists():
        _check_labels(workdir, arrays)
    try:
        storage.make_folder(workdir)
        labels = io.BytesIO()
        np.savez_compressed(labels, **arrays)
        storage.write_atomically(workdir / "labels.npz", labels.getvalue())
        names = [[run.name for run in chunk.runs] for chunk in chunks]
        storage.write_atomically(workdir / "chunks.json", json.dumps(names, indent=2) + "\n")
        # A summary without the runs that are added now would look complete; the config goes
        # last, so that a crash in here leaves them "added" for the next start.
        if (workdir / "config.json").exists() and _added_runs(config, workdir):
            (workdir / "summary.json").unlink(missing_ok=True)
        plain = json.dumps(configs.to_json(config), indent=2) + "\n"
        storage.write_atomically(workdir / "config.json", plain)
    except OSError as error:
        raise UserError(
            f"--workdir={workdir} cannot be written to: {error.strerror or error}"
        ) from None


def _check_labels(workdir: AnyPath, arrays: dict[str, np.ndarray]) -> None:
    """Refuses to go on training on other labels than those of the workdir."""
    labels_file = workdir / "labels.npz"
    try:
        with np.load(io.BytesIO(labels_file.read_bytes())) as stored:
            changed = [
                name
                for name in stored.files
                if name in arrays and not np.array_equal(stored[name], arrays[name])
            ]
    except (ValueError, OSError, zipfile.BadZipFile) as error:
        raise UserError(f"{labels_file} cannot be read ({error}): take another --workdir") from None
    if changed:
        raise UserError(
            f"--workdir={workdir} was trained on other labels for {', '.join(changed)}: the "
            "data set has changed since. Bring it back to resume, or take another --workdir"
        )


def _show_start(console: Console, workdir: AnyPath, chunks: Sequence[Chunk]) -> None:
    """What will be trained, on what, and with which labels."""
    shown = set()
    for chunk in chunks:
        if id(chunk.program) not in shown:
            shown.add(id(chunk.program))
            params = _parameters(chunk)
            overview = parameter_overview.get_parameter_overview(
                params, include_stats=False, max_lines=OVERVIEW_LINES
            )
            console.print(
                f"{chunk.runs[0].config.model}\n{overview}", highlight=False, markup=False
            )
        size = len(chunk.dataset.train.labels)
        dropped = size % chunk.runs[0].config.batch_size
        if dropped and chunk.runs[0].config.last_batch == "drop":
            console.print(f"Every epoch drops the last {dropped} of {size:,} examples of its order")
        for run in chunk.runs:
            console.print(
                f"{run.name}: p = {run.label_noise:g}, really flipped {run.flipped_fraction:.4f}, "
                f"labels SHA-256 {run.labels_sha256}",
                soft_wrap=True,
                highlight=False,
                markup=False,
            )
    console.print(
        f"On {describe_device()}; results go to {workdir}", soft_wrap=True, highlight=False
    )


def _parameters(chunk: Chunk) -> Any:
    """The shapes of one member's parameters."""
    state = jax.eval_shape(chunk.program.init, groups.hyper(chunk.runs[:1]))
    return jax.tree.map(lambda leaf: jax.ShapeDtypeStruct(leaf.shape[1:], leaf.dtype), state.params)


def _summary(
    config: ConfigDict,
    chunks: Sequence[Chunk],
    members: Sequence[configs.Member],
    lines: dict[str, list[Line]],
    seconds: float,
) -> Summary:
    described = {}
    for chunk in chunks:
        parameters = sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(_parameters(chunk)))
        first = chunk.runs[0].config
        model = make_model(first, chunk.dataset.num_classes)
        flops = forward_flops(model, input_shape(first, chunk.dataset))
        for run in chunk.runs:
            described[run.name] = {
                "name": run.name,
                "model": run.config.model,
                "corruption": run.config.corruption,
                "seed": run.config.seed,
                "label_noise": run.label_noise,
                "flipped_fraction": run.flipped_fraction,
                "labels_sha256": run.labels_sha256,
                "parameters": parameters,
                "flops_per_image": flops,
                "checkpoints": f"checkpoints/{chunk.name}",
                **metrics.outcome(lines[run.name], run.config.fit_threshold),
            }
    return {
        "experiment": config.experiment,
        "dataset": ", ".join(dict.fromkeys(member.config.dataset for member in members)),
        "train_examples": len(chunks[0].dataset.train.labels),
        "test_examples": len(chunks[0].dataset.test.labels),
        **{
            f"{split}_examples": len(part.labels)
            for split, part in chunks[0].dataset.further.items()
        },
        "num_classes": chunks[0].dataset.num_classes,
        "device": describe_device(),
        "versions": versions(),
        "wall_seconds": round(seconds, 3),
        "members": [described[member.name] for member in members],
    }


def _end(console: Console, workdir: AnyPath, summary: Summary) -> Summary:
    """Shows the results and says where they lie; a run without any good end has failed."""
    console.print(tables.screen_table(summary))
    curves = workdir / "figures" / "learning_curves.png"
    if curves.exists():  # a lesson of the course has slides in its place
        console.print(f"Learning curves: {curves}", soft_wrap=True)
    else:
        console.print(f"Slides:          {curves.parent}", soft_wrap=True)
    console.print(f"Report:          {workdir / 'report.html'}", soft_wrap=True)
    console.print(f"All results:     {workdir}", soft_wrap=True)
    failures = [_failure(workdir, member) for member in summary["members"] if member["diverged"]]
    if len(failures) == len(summary["members"]):
        raise RunFailed("; ".join(failures))
    for failure in failures:
        console.print(failure, soft_wrap=True, highlight=False, markup=False)
    return summary


def _failure(workdir: AnyPath, member: dict[str, Any]) -> str:
    rate = member["learning_rate"]
    folder = workdir / member["checkpoints"]
    steps = checkpoint.saved_steps(folder)
    saved = (
        f"the last good checkpoint is {folder / str(steps[-1])}" if steps else "nothing was saved"
    )
    return (
        f"{member['name']}: the loss stopped being a number in epoch {member['epochs']} "
        f"at learning rate {rate:g}; {saved}. Try a smaller one: "
        f"--config.learning_rate={rate / 10:g}"
    )
