"""Images per second that the host can prepare for training.

Textured JPEGs of 500x375 pixels and some 105 kB are made in a temporary folder. Contestants are
each decoder that is installed, on one thread; the whole stream (records, decoding, batches in
order) over the raw loop of its decoder with as many threads; the cache; and tf.data on the same
records, antialiased as ours is and plain. The time that the labels of all of ImageNet take is
measured, too.
"""

import io
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import jax
import numpy as np

from rethinking_jax.bench.decoders import OURS, Decoder, found_decoders, tensorflow_fit
from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import Contestant, Progress, interleave, ratio, speeds
from rethinking_jax.corruption import random_labels

RAW, STREAM, CACHE = "raw loop", "stream", "cache"
TF_DATA, TF_DATA_PLAIN = "tf.data", "tf.data, not antialiased"
DATASET, HEIGHT, WIDTH, QUALITY = "bench_photographs", 375, 500, 90
DISTINCT = 64  # photographs that are made
BATCH = 64  # images of a batch
CACHE_ROUNDS = 8  # the cache reads so many times as many images, as it is that much faster
IMAGENET = 1_281_167  # training images of ImageNet


class Settings(NamedTuple):
    """What is measured, for one size of images.

    Attributes:
      image_size: side that images are scaled and cropped to, in pixels.
      images: number of images of a round.
      repeats: number of rounds.
      threads: number of threads that read.
    """

    image_size: int
    images: int
    repeats: int
    threads: int


def bench_input(settings: Settings, say: Progress) -> Record:
    """Measures one size of images, for about a minute.

    Returns:
      The record: `results.new_record` and `results.measured` with cpu_seconds by round,
      cpu_ratios, bytes_per_jpeg, label_seconds and notes on what was left out.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # without use here, and else it says so
    decoders, notes = found_decoders(settings.image_size)
    cpu: dict[str, list[float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        say("making photographs, records and a cache")
        contents = _photographs()
        make = _Maker(settings, contents, Path(folder), cpu)
        contestants = [make.alone(decoder, fits) for fits in (False, True) for decoder in decoders]
        contestants += make.pipelines()
        if any(decoder.name == "TensorFlow" for decoder in decoders):
            contestants += make.tf_data()
        for note in notes:
            say(note)
        for contestant in contestants:
            contestant.run(None)  # warms up
        cpu.clear()
        seconds = interleave(contestants, settings.repeats, say)
    work = {contestant.name: contestant.work for contestant in contestants}
    record = new_record("input", settings._asdict())
    record["versions"] |= {decoder.name: decoder.version for decoder in decoders}
    speed = speeds(cpu, work)
    pairs = [(a, b) for a, b in _pairs(decoders) if a in speed and b in speed]
    return {
        **record,
        **measured(seconds, work, pairs),
        "cpu_seconds": cpu,
        "cpu_ratios": [ratio(speed, a, b)._asdict() for a, b in pairs],
        "bytes_per_jpeg": statistics.mean(map(len, contents)),
        "label_seconds": label_seconds(settings.repeats),
        "notes": notes,
    }


def _pairs(decoders: list[Decoder]) -> list[tuple[str, str]]:
    others = [decoder.name for decoder in decoders if decoder.name != OURS]
    ends = [(STREAM, RAW), (CACHE, STREAM), (STREAM, TF_DATA), (STREAM, TF_DATA_PLAIN)]
    return [
        (_alone(OURS, fits), _alone(other, fits)) for fits in (False, True) for other in others
    ] + ends


def _alone(name: str, fits: bool) -> str:
    return f"{name}, decode and fit" if fits else f"{name}, decode"


def label_seconds(repeats: int) -> list[float]:
    """Returns the seconds that random labels for all of ImageNet take, compiled, in each round."""
    ids = np.arange(IMAGENET, dtype=np.uint32)
    labels = (ids % 1000).astype(np.int32)
    draw = jax.jit(lambda ids, labels: random_labels(0, ids, labels, 1000))
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        np.asarray(draw(ids, labels))
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def _photographs() -> list[bytes]:
    """Makes JPEGs with the falling spectrum of photographs."""
    from PIL import Image

    rng = np.random.default_rng(0)
    rows, columns = np.fft.fftfreq(HEIGHT)[:, None], np.fft.rfftfreq(WIDTH)[None]
    amplitude = 1 / np.maximum(np.hypot(rows, columns), 1 / WIDTH) ** 1.1
    contents = []
    for _ in range(DISTINCT):
        phases = np.exp(2j * np.pi * rng.random((3, HEIGHT, WIDTH // 2 + 1)))
        planes = np.fft.irfft2(amplitude * phases, s=(HEIGHT, WIDTH))
        planes /= planes.std(axis=(1, 2), keepdims=True)
        image = 0.85 * planes[0][..., None] + 0.3 * planes.transpose(1, 2, 0)
        content = io.BytesIO()
        pixels = (image * 50 + 120).clip(0, 255).astype(np.uint8)
        Image.fromarray(pixels).save(content, "JPEG", quality=QUALITY)
        contents.append(content.getvalue())
    return contents


class _Maker:
    """Makes the contestants, each of which counts its CPU seconds too."""

    def __init__(
        self, settings: Settings, contents: list[bytes], folder: Path, cpu: dict[str, list[float]]
    ) -> None:
        self.settings, self.contents, self.folder, self.cpu = settings, contents, folder, cpu
        steps = max(1, settings.images // BATCH)
        self.positions = np.random.default_rng(1).integers(0, DISTINCT, (steps, BATCH))

    def contestant(self, name: str, run: Callable[[], None], work: int) -> Contestant:
        def timed(_: None) -> None:
            started = time.process_time()
            run()
            self.cpu.setdefault(name, []).append(time.process_time() - started)

        return Contestant(name, lambda: None, timed, work)

    def alone(self, decoder: Decoder, fits: bool) -> Contestant:
        """Returns a decoder on one thread, which reads from memory."""
        work = decoder.decode_and_fit if fits else decoder.decode

        def run() -> None:
            for content in self.contents:
                work(content)

        return self.contestant(_alone(decoder.name, fits), run, DISTINCT)

    def pipelines(self) -> list[Contestant]:
        """Returns the raw loop, the stream and the cache, with as many threads each."""
        from rethinking_jax.data.batches import read_batches
        from rethinking_jax.data.dataset import Split
        from rethinking_jax.data.load import open_streamed

        _write_records(self.contents, self.folder)
        size, threads = self.settings.image_size, self.settings.threads
        _write_cache(self.folder, size)
        decoders, _ = found_decoders(size)
        ours = next(decoder for decoder in decoders if decoder.name == OURS)
        chosen = [self.contents[k] for k in self.positions.ravel()]

        def raw() -> None:
            with ThreadPoolExecutor(threads) as pool:
                for _ in pool.map(ours.decode_and_fit, chosen):
                    pass

        def read(split: Split, positions: np.ndarray) -> None:
            for _ in read_batches(split, positions, threads=threads, workers=0):
                pass

        found = {
            kind: open_streamed(DATASET, data_dir=str(self.folder), image_size=size, kind=kind)
            for kind in (STREAM, CACHE)
        }
        more = np.tile(self.positions, (CACHE_ROUNDS, 1))
        return [
            self.contestant(RAW, raw, len(chosen)),
            self.contestant(STREAM, lambda: read(found[STREAM].train, self.positions), len(chosen)),
            self.contestant(CACHE, lambda: read(found[CACHE].train, more), more.size),
        ]

    def tf_data(self) -> list[Contestant]:
        """Returns tf.data, which tunes itself, on the same records in its own format."""
        import tensorflow as tf

        from rethinking_jax.data.tfds.records import Records

        records = Records(DATASET, str(self.folder / DATASET / "1.0.0"), "train")
        path = str(self.folder / "photographs.tfrecord")
        with tf.io.TFRecordWriter(path) as writer:
            for index in self.positions.ravel() % len(records):
                writer.write(records.raw(int(index)))
        features = {"image": tf.io.FixedLenFeature([], tf.string)}
        contestants = []
        for name, antialias in ((TF_DATA, True), (TF_DATA_PLAIN, False)):

            def parse(record: object, antialias: bool = antialias) -> object:
                content = tf.io.parse_single_example(record, features)["image"]
                return tensorflow_fit(content, self.settings.image_size, antialias)

            pipeline = tf.data.TFRecordDataset(path).map(parse, tf.data.AUTOTUNE)
            pipeline = pipeline.batch(BATCH).prefetch(tf.data.AUTOTUNE)

            def run(pipeline: tf.data.Dataset = pipeline) -> None:
                for _ in pipeline.as_numpy_iterator():
                    pass

            contestants.append(self.contestant(name, run, self.positions.size))
        return contestants


def _write_records(contents: list[bytes], folder: Path) -> None:
    """Prepares a tfds set of these images, without TensorFlow."""
    import contextlib

    import tensorflow_datasets as tfds

    def info(self: tfds.core.DatasetBuilder) -> tfds.core.DatasetInfo:
        features = {
            "image": tfds.features.Image(shape=(None, None, 3), encoding_format="jpeg"),
            "label": tfds.features.ClassLabel(num_classes=2),
        }
        return tfds.core.DatasetInfo(builder=self, features=tfds.features.FeaturesDict(features))

    def split_generators(self: object, manager: object) -> dict[str, Iterator[object]]:
        rows = [{"image": content, "label": k % 2} for k, content in enumerate(contents)]
        return {"train": iter(enumerate(rows)), "test": iter(enumerate(rows[:2]))}

    members = {
        "__module__": __name__,
        "VERSION": tfds.core.Version("1.0.0"),
        "_info": info,
        "_split_generators": split_generators,
        "_generate_examples": None,
    }
    with tfds.core.registered.skip_registration():
        name = "".join(word.title() for word in DATASET.split("_"))
        builder = type(name, (tfds.core.GeneratorBasedBuilder,), members)(data_dir=folder)
    quiet = io.StringIO()
    with contextlib.redirect_stdout(quiet), contextlib.redirect_stderr(quiet):
        builder.download_and_prepare(file_format="array_record")


def _write_cache(folder: Path, image_size: int) -> None:
    from rethinking_jax.data.cache.read import cache_folder
    from rethinking_jax.data.cache.write import write_cache
    from rethinking_jax.data.tfds.index import dataset_folder, fingerprint
    from rethinking_jax.data.tfds.prepare import open_builder
    from rethinking_jax.data.tfds.records import open_records

    builder = open_builder(DATASET, str(folder))
    splits = [records for records in open_records(DATASET, builder) if records]
    write_cache(
        splits,
        {records.split: fingerprint(builder, records.split) for records in splits},
        cache_folder(dataset_folder("", builder), image_size),
        image_size,
        workers=1,
        say=lambda line: None,
        watch=lambda *_: None,
    )
