"""The keys that say what a run learns: its data, how they are corrupted, how images are cut."""

from collections.abc import Callable

from ml_collections import ConfigDict

from rethinking_jax.config.key import SEED, Key, Need, Range, above_0, one_of
from rethinking_jax.corruption import CORRUPTIONS, Corruption
from rethinking_jax.step.preprocess import PREPROCESSINGS

STREAMED = one_of("input", "auto", "stream", "cache", idle=True)


def redraw_probability(config: ConfigDict) -> float:
    """Returns the probability with which a run changes a label; 0 where labels stay."""
    return CORRUPTIONS[config.corruption].probability(config.label_noise)


def corrupts(config: ConfigDict) -> bool:
    """Says whether a run draws anything of what it learns; labels of a file are not drawn."""
    return CORRUPTIONS[config.corruption].images is not None or redraw_probability(config) > 0


def _corruptions(chosen: Callable[[Corruption], bool]) -> str:
    """Names some corruptions, among them those that a user has added."""
    return f"corruption={' or '.join(name for name, one in CORRUPTIONS.items() if chosen(one))}"


REDRAWN = Need(
    ("corruption", "label_noise"),
    lambda config: redraw_probability(config) > 0,
    lambda: _corruptions(lambda one: one.labels is not None),
)

MAY_EXCLUDE = Need(
    REDRAWN.keys,
    lambda config: REDRAWN.met(config) and CORRUPTIONS[config.corruption].may_exclude,
    lambda: _corruptions(lambda one: one.labels is not None and one.may_exclude),
)
DRAWN = Need(
    ("corruption", "label_noise"),
    corrupts,
    lambda: _corruptions(lambda one: one.labels is not None or one.images is not None),
)

DATA_GROUPS: dict[str, tuple[Key, ...]] = {
    "Data": (
        Key(
            "dataset",
            "mnist5k",
            "The data set: mnist5k (5,000 digits of MNIST, embedded), an image classification set "
            "of tensorflow_datasets, a folder with a folder of images for each class, an .npz "
            "file, or checkerboard:N+K (points that are generated).",
        ),
        Key(
            "data_dir",
            "",
            "The folder where tensorflow_datasets keeps its sets; empty: its own default.",
            "location",
        ),
        Key("manual_dir", "", "The folder with archives that were downloaded by hand.", "location"),
        Key(
            "image_size",
            0,
            "The side of the square that images are resized and cropped to; 0: they stay as they "
            "are.",
            range=Range(0, wanted="0 (as they are) or a side in pixels"),
        ),
        Key(
            "train_examples",
            0,
            "The number of training examples, taken from the front of a permutation by data_seed; "
            "0: all.",
            range=Range(0, wanted="0 (all) or a number of examples"),
        ),
        Key(
            "validation_examples",
            0,
            "The number of training examples, taken from the end of that permutation, that are "
            "set aside and measured in place of the test set. Only the setting with the best "
            "validation accuracy looks at the test set, once, when all runs are through; 0: none.",
            "command",
            range=Range(0, wanted="0 (none) or a number of examples"),
        ),
        Key(
            "data_seed",
            0,
            "The seed of the permutation that parts the training set; unlike seed, the runs of a "
            "sweep share it.",
            range=SEED,
            needs=above_0("train_examples", "validation_examples"),
        ),
        Key(
            "input",
            "auto",
            "Where examples come from: memory; stream, from disk, or from a cache of decoded "
            "images where there is one; cache, that or nothing; auto streams what takes more than "
            "half of a device's memory.",
            "location",
            choices=("auto", "memory", "stream", "cache"),
        ),
        Key(
            "cache_dir",
            "",
            "The folder of what is kept of a set of tensorflow_datasets: decoded images, an index, "
            "and the caches that rethinking_jax.prepare writes; empty: inside data_dir, or in "
            "~/.cache/rethinking_jax where that cannot be written.",
            "location",
        ),
        Key(
            "read_threads",
            0,
            "The number of threads that read and decode a stream; 0: one per core.",
            "resource",
            range=Range(0, wanted="0 (one per core) or a number of threads"),
            needs=STREAMED,
        ),
        Key(
            "read_workers",
            0,
            "The number of processes that read and decode a stream in place of threads; 0: none.",
            "resource",
            range=Range(0, wanted="0 (threads) or a number of processes"),
            needs=STREAMED,
        ),
    ),
    "Corruption (section 2.1 of the paper)": (
        Key(
            "corruption",
            "true_labels",
            "What is corrupted. Labels are redrawn from all classes, all of them in random_labels, "
            "become the next class (pair_flip), or are those of a file (given_labels); pixels are "
            "moved by one permutation for all images (shuffled_pixels), by one of each image "
            "(random_pixels), with their channels mixed (random_values), or are noise (gaussian).",
            "array",
            choices=CORRUPTIONS,
        ),
        Key(
            "label_noise",
            float,
            "The probability with which a label of partially_corrupted_labels is redrawn, and one "
            "of pair_flip is changed; 0.5 where none is given.",
            "array",
            range=Range(0, 1, "a probability from 0 to 1"),
            needs=Need(
                ("corruption",),
                # 1 on random_labels is true, too.
                lambda config: redraw_probability(config) == config.label_noise,
                lambda: _corruptions(lambda one: one.uses_label_noise),
                claims=True,
            ),
        ),
        Key(
            "exclude_true_class",
            False,
            "Whether a redrawn label is never the true one; in the paper it may be.",
            "array",
            needs=MAY_EXCLUDE,
        ),
        Key(
            "labels_file",
            "",
            "The labels of given_labels: PATH.npz, or PATH.npz:ARRAY for one of several arrays. "
            "They are in the order of the examples' ids from 0 on; where the file has an array ids "
            "beside them, as labels.npz of a work directory has, that says whose they are.",
            "array",
            needs=Need(
                ("corruption",),
                lambda config: CORRUPTIONS[config.corruption].from_file,
                lambda: _corruptions(lambda one: one.from_file),
            ),
        ),
        Key(
            "corruption_seed",
            int,
            "The seed of what a corruption draws; where none is given it is seed. Runs that share "
            "it have the same labels or pixels, whatever initial weights their seeds draw.",
            "array",
            range=SEED,
            needs=DRAWN,
        ),
        Key(
            "corrupt_test_labels",
            False,
            "Whether test labels are corrupted as training labels are; the accuracy on the true "
            "ones is measured beside that on these.",
            "array",
            needs=REDRAWN,
        ),
    ),
    "Images": (
        Key(
            "preprocess",
            "paper",
            "The scale of the network's input: paper (each image standardized, appendix A), "
            "dataset (standardized by the mean and deviation of the training set), inception (-1 "
            "to 1), none (0 to 1), raw (0 to 255).",
            choices=PREPROCESSINGS,
        ),
        Key(
            "crop_size",
            28,
            "The side of the central square that is cut out before anything else (appendix A); 0: "
            "images stay whole.",
            range=Range(0, wanted="0 (no crop) or a side in pixels"),
        ),
        Key(
            "augmentation",
            "",
            "How training images are changed, drawn anew in every epoch: some of crop, flip, "
            "rotate, color and inception_crop, joined by +; empty: they are not.",
        ),
    ),
}
