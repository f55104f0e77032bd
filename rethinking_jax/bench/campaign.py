"""Everything that the documentation states of an accelerator, measured in a given time.

Each part is another command of this package in a process of its own: what it held of the device is
free for the next one, and one that hangs or fails takes nothing else with it. The time is divided
among the parts that fit into it, and divided again when one has ended early. An experiment that its
time was too short for goes on with what is left in the end, and with the same command later.

    python -m rethinking_jax.bench.campaign

prints, as one line of JSON, what the device is, and frees it.
"""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from rethinking_jax.analysis import distance
from rethinking_jax.bench import leash, parts, results
from rethinking_jax.bench.parts import Part
from rethinking_jax.bench.results import Record, new_record
from rethinking_jax.bench.timing import Progress
from rethinking_jax.errors import RunFailed, UserError, nearest

NAME = "campaign"
DONE, LATE, FAILED, SKIPPED = "done", "out of time", "failed", "skipped"
ASKING = 120.0  # seconds that the device has to say what it is
READING = 20.0  # seconds, at most a quarter of its time, to read what an experiment came to
MARGIN = 10.0  # seconds for the start of this command, and its end
LEAST = 60  # seconds that an experiment which goes on has to have


class Settings(NamedTuple):
    """What is measured, and where to.

    Attributes:
      seconds: how long all of it may take.
      names: the parts.
      data_dir: folder of tfds; "" for its own.
      output: the JSON file; what belongs to its results lies beside it, in a folder of its name.
    """

    seconds: float
    names: tuple[str, ...]
    data_dir: str
    output: Path

    @property
    def folder(self) -> Path:
        """The folder for the logs, the work directories and the results of the parts."""
        return self.output.with_name(f"{self.output.stem}_parts")


def resolve(minutes: int, names: str, data_dir: str, output: str) -> Settings:
    """Checks what an option's type cannot.

    Raises:
      UserError: a part is not known, or there is no output.
    """
    if not output:
        raise UserError(f"bench {NAME} needs --output=FILE.json, from which it goes on")
    chosen = tuple(names.split(",")) if names else tuple(parts.PARTS)
    for name in chosen:
        if name not in parts.PARTS:
            raise UserError(
                f"--parts={names}: {name!r} is not known{nearest(name, parts.PARTS)} "
                f"(known: {', '.join(parts.PARTS)})"
            )
    return Settings(60.0 * minutes - MARGIN, chosen, data_dir, Path(output))


def found_in(output: Path) -> list[Record]:
    """Returns the records of parts that a file holds; [] where there is none.

    Raises:
      UserError: it cannot be read, or holds something else.
    """
    return [record for record in results.read(output) if record["bench"] == NAME]


def bench_campaign(settings: Settings, say: Progress) -> Iterator[Record]:
    """Carries out the parts that the output does not have yet, as far as the time goes.

    Yields:
      A record for each part as soon as it has ended: `results.new_record` with state, "done", "out
      of time", "failed" or "skipped"; reason, why it is not done; seconds, how long it took; and
      records of a benchmark, or numbers of an experiment as far as it came
      (`rethinking_jax.analysis.numbers`), {} where no epoch is through, with `distances`.

    Raises:
      UserError: the output is of another device.
      RunFailed: there is no device.
    """
    end = time.monotonic() + settings.seconds
    settings.folder.mkdir(exist_ok=True)
    machine = _machine(settings, say)
    known = _found_before(settings, machine)
    chosen = [part for part in parts.parts_on(machine["backend"]) if part.name in settings.names]
    done = [record["settings"] for record in known if record["state"] == DONE]
    told = {record["settings"]["part"]: record["state"] for record in known}
    waiting = [_rest(part, told.get(part.name)) for part in chosen if _named(part) not in done]
    _show_plan(chosen, waiting, end, say)
    while part := _next(waiting, shares := _shares(waiting, end)):
        waiting.remove(part)
        say(f"{part.name}: at most {clock(shares[part.name])} of the {_left(end)} that are left")
        record = machine | _carried_out(part, shares[part.name], settings, say)
        told[part.name] = record["state"]
        yield record
        if record["state"] == LATE and part.is_experiment:
            waiting.append(_rest(part, LATE))
    for part in waiting:
        if part.name not in told:
            reason = f"it takes about {clock(part.seconds)}, and {_left(end)} were left"
            yield machine | _record(part, SKIPPED, reason, 0.0)


def _found_before(settings: Settings, machine: Record) -> list[Record]:
    """Returns the records that the output has already, which are to be of this device."""
    known = found_in(settings.output)
    for record in known:
        if record["device"] != machine["device"]:
            raise UserError(
                f"--output={settings.output} has results of {record['device']}, and this is "
                f"{machine['device']}: give another file"
            )
    return known


def _rest(part: Part, state: str | None) -> Part:
    """Returns what is left of a part: less of an experiment that has begun."""
    begun = part.is_experiment and state == LATE
    return part._replace(seconds=min(LEAST, part.seconds)) if begun else part


def _next(waiting: Sequence[Part], shares: Mapping[str, float]) -> Part | None:
    return next((part for part in waiting if shares[part.name]), None)


def _shares(waiting: Sequence[Part], end: float) -> dict[str, float]:
    return parts.plan({part.name: part.seconds for part in waiting}, end - time.monotonic())


def _show_plan(chosen: Sequence[Part], waiting: Sequence[Part], end: float, say: Progress) -> None:
    shares = _shares(waiting, end)
    for part in chosen:
        share = shares.get(part.name)
        fits = clock(share) if share else "done" if share is None else "does not fit yet"
        say(f"{fits:>16}  {part.name}: {part.about}")


def _machine(settings: Settings, say: Progress) -> Record:
    """Asks another process what the device is: this one would hold its memory."""
    log = settings.folder / "device.log"
    ended = leash.run(["rethinking_jax.bench.campaign"], log, min(ASKING, settings.seconds), say)
    if ended.code != 0:
        raise RunFailed(f"the device cannot be asked: {ended.said}")
    found: Record = json.loads(ended.said)
    return found


def _carried_out(part: Part, seconds: float, settings: Settings, say: Progress) -> Record:
    """Runs a part and returns its record, but for what the device is."""
    door, *words = part.words.split()
    log, file = (settings.folder / f"{part.name}.{kind}" for kind in ("log", "json"))
    workdir = settings.folder / part.name
    file.unlink(missing_ok=True)  # of an attempt that was ended
    if part.is_experiment:
        words.append(f"--workdir={workdir}")
        words += [f"--config.data_dir={settings.data_dir}"] if settings.data_dir else []
    else:
        words.append(f"--output={file}")
    reading = min(READING, seconds / 4) if part.is_experiment else 0.0
    ended = leash.run(
        [f"rethinking_jax.{door}", *words],
        log,
        seconds - reading,
        lambda line: say(f"{part.name}: {line}"),
    )
    record = _record(part, *_judged(ended), ended.seconds)
    if not part.is_experiment:
        return record | {"records": results.read(file)}
    numbers = _numbers(workdir, file, reading)
    return record | {"numbers": numbers, "distances": distances(numbers)}


def _numbers(workdir: Path, file: Path, seconds: float) -> Record:
    """Has the numbers of an experiment written into a file, in a process that may ask the device.

    Returns:
      What the file holds; {} where no epoch of any run is measured yet.
    """
    if not workdir.exists():
        return {}
    words = ["rethinking_jax.report", str(workdir), f"--numbers={file}"]
    leash.run(words, file.with_suffix(".numbers.log"), seconds, lambda line: None)
    found: Record = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return found


def distances(numbers: Record) -> Record:
    """Returns how far the curves among the numbers of an experiment are from the paper's Figure 1a.

    Returns:
      A `distance.Distance` of the loss in training, as a dictionary, for each run that has one, by
      its name.
    """
    result = {}
    for run in numbers.get("runs", ()):
        points = [point for point in run.get("curve_of_batches", ()) if point[1] is not None]
        if points:
            steps, losses = zip(*points, strict=True)
            if far := distance.between(steps, losses, run["setting"]):
                result[run["name"]] = far._asdict()
    return result


def _judged(ended: leash.Ended) -> tuple[str, str]:
    """Returns the state of a part that has ended, and why it is not done."""
    if ended.code == 0:
        return DONE, ""
    if ended.late:
        return LATE, f"ended after {clock(ended.seconds)}, its share of the time"
    if ended.code is None or ended.code < 0:
        return FAILED, f"ended by signal {-(ended.code or 0)} after: {ended.said}"
    return FAILED, ended.said


def _named(part: Part) -> Record:
    return {"part": part.name, "command": f"python -m rethinking_jax.{part.words}"}


def _record(part: Part, state: str, reason: str, seconds: float) -> Record:
    return {
        "bench": NAME,
        "settings": _named(part),
        "state": state,
        "reason": reason,
        "seconds": round(seconds, 1),
    }


def _left(end: float) -> str:
    return clock(end - time.monotonic())


def clock(seconds: float) -> str:
    """Writes a time in minutes and seconds."""
    whole = max(round(seconds), 0)
    return f"{whole // 60}:{whole % 60:02}"


if __name__ == "__main__":
    print(json.dumps(new_record(NAME, {})))
