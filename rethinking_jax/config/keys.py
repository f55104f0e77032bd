"""The keys of a config that trains, each declared once.

Checking, `--help`, docs/keys.md and what makes two runs the same all come from this table.
"""

from ml_collections import ConfigDict

from rethinking_jax.config.key import ABOVE_ZERO, BELOW_ONE, FINITE, Key, Range, defaults, table
from rethinking_jax.corruption import CORRUPTIONS
from rethinking_jax.models import DTYPES, MODELS
from rethinking_jax.step.optimizer import OPTIMIZERS, WEIGHT_DECAY_KINDS, WEIGHT_DECAY_MASKS
from rethinking_jax.step.preprocess import PREPROCESSINGS

AT_LEAST_0 = Range(0, wanted="at least 0")
AT_LEAST_1 = Range(1, wanted="at least 1")
ABOVE_0 = Range(ABOVE_ZERO, FINITE, "above 0")
SHARE = Range(0, BELOW_ONE, "at least 0 and below 1")
SEED = Range(0, 2**31 - 1, "from 0 to 2147483647")

GROUPS: dict[str, tuple[Key, ...]] = {
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
            "The folder of decoded images, which rethinking_jax.prepare writes; empty: inside "
            "data_dir.",
            "location",
        ),
        Key(
            "read_threads",
            0,
            "The number of threads that read and decode a stream; 0: one per core.",
            "resource",
            range=Range(0, wanted="0 (one per core) or a number of threads"),
        ),
        Key(
            "read_workers",
            0,
            "The number of processes that read and decode a stream in place of threads; 0: none.",
            "resource",
            range=Range(0, wanted="0 (threads) or a number of processes"),
        ),
    ),
    "Corruption (section 2.1 of the paper)": (
        Key(
            "corruption",
            "true_labels",
            "What is corrupted. Labels are redrawn from all classes, all of them in random_labels; "
            "pixels are moved by one permutation for all images (shuffled_pixels), by one of each "
            "image (random_pixels), or are noise (gaussian).",
            "array",
            choices=CORRUPTIONS,
        ),
        Key(
            "label_noise",
            float,
            "The probability with which a label of partially_corrupted_labels is redrawn, 0.5 "
            "where none is given.",
            "array",
            range=Range(0, 1, "a probability from 0 to 1"),
        ),
        Key(
            "exclude_true_class",
            False,
            "Whether a redrawn label is never the true one; in the paper it may be.",
            "array",
        ),
        Key(
            "corrupt_test_labels",
            False,
            "Whether test labels are corrupted as training labels are; the accuracy on the true "
            "ones is measured beside that on these.",
            "array",
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
    "Model": (
        Key("model", "mlp_1x512", "The network.", choices=MODELS),
        Key(
            "hidden_sizes",
            (),
            "The widths of the hidden layers, for model=mlp and model=mlp_sigmoid.",
        ),
        Key(
            "dropout_rate",
            0.0,
            "The probability with which dropout switches a unit off; 0: no dropout.",
            "array",
            range=SHARE,
        ),
        Key(
            "dtype",
            "float32",
            "What the network computes in; parameters, batch statistics and logits are always "
            "float32.",
            choices=DTYPES,
        ),
    ),
    "Training": (
        Key("seed", 0, "The seed of everything that a run draws.", "array", range=SEED),
        Key("epochs", 100, "The most epochs that a run trains.", range=AT_LEAST_1),
        Key("stop_when_fitted", True, "Whether a run ends as soon as its training set is fitted."),
        Key(
            "fit_threshold",
            1.0,
            "The training accuracy, of the fixed network, that counts as fitted.",
            range=Range(ABOVE_ZERO, 1, "above 0 and at most 1"),
        ),
        Key(
            "batch_size",
            128,
            "The number of examples of a step; 0: the whole training set. The paper does not state "
            "it; its plots fit 391 steps an epoch, which 128 gives.",
            range=Range(0, wanted="at least 1, or 0 for the whole training set"),
        ),
        Key(
            "last_batch",
            "train",
            "What happens to the smaller last batch of an epoch: train or drop.",
            choices=("train", "drop"),
        ),
        Key(
            "accumulate",
            1,
            "The number of micro-batches of a step, whose gradients are averaged.",
            range=AT_LEAST_1,
        ),
    ),
    "Optimization (appendix A of the paper)": (
        Key(
            "optimizer",
            "sgd",
            "The optimizer: sgd, with momentum; adam, whose first beta is momentum; rmsprop.",
            choices=OPTIMIZERS,
        ),
        Key(
            "learning_rate",
            0.01,
            "The learning rate of the first step: 0.1 for the small Inception in the paper, 0.01 "
            "for the small AlexNet and the MLPs.",
            "array",
            range=ABOVE_0,
        ),
        Key(
            "lr_decay",
            0.95,
            "The factor on the learning rate after every lr_decay_steps; 1 keeps it.",
            range=Range(ABOVE_ZERO, 1, "above 0 and at most 1"),
        ),
        Key(
            "lr_decay_steps",
            0,
            "The number of steps between two decays of the learning rate; 0: those of an epoch.",
            range=Range(0, wanted="0 (once per epoch) or a number of steps"),
        ),
        Key("momentum", 0.9, "The momentum.", "array", range=SHARE),
        Key(
            "optimizer_epsilon", 0.0, "The epsilon of adam and rmsprop; 0: 1e-8.", range=AT_LEAST_0
        ),
    ),
    "Regularization": (
        Key(
            "weight_decay",
            0.0,
            "The strength of weight decay; 0: none.",
            "array",
            range=Range(0, 1e9, "at least 0"),
        ),
        Key(
            "weight_decay_mask",
            "all",
            "Which parameters decay: all, or kernels only.",
            choices=WEIGHT_DECAY_MASKS,
        ),
        Key(
            "weight_decay_kind",
            "coupled",
            "How they decay: coupled, by an l2 penalty as in the paper, or decoupled, as in SGDW "
            "and AdamW.",
            choices=WEIGHT_DECAY_KINDS,
        ),
        Key(
            "label_smoothing",
            0.0,
            "The share of a label that is spread over all classes; 0: none.",
            range=SHARE,
        ),
        Key(
            "mixup_alpha",
            0.0,
            "The alpha of Beta(alpha, alpha), from which mixup draws the shares of two images; it "
            "came after the paper; 0: no mixup.",
            range=Range(0, FINITE, "0 (off) or above"),
        ),
        Key(
            "sam_radius",
            0.0,
            "The radius of sharpness-aware minimization, which came after the paper; 0: none.",
            range=Range(0, FINITE, "0 (off) or above"),
        ),
    ),
    "Measuring": (
        Key(
            "eval_batch_size",
            1000,
            "The number of examples that are measured at once.",
            range=AT_LEAST_1,
        ),
        Key(
            "measure_every",
            1,
            "The number of epochs between two measurements, for sets with few steps in an epoch. "
            "The last epoch is always measured; running_* are means since the measurement before.",
            range=AT_LEAST_1,
        ),
        Key(
            "train_eval_examples",
            0,
            "The number of training examples that are measured in an epoch; 0: all. In the last "
            "epoch, and where a run seems fitted, all are.",
            range=Range(0, wanted="0 (all) or a number of examples"),
        ),
        Key(
            "gradient_norm",
            False,
            "Whether metrics.jsonl has the l2 norm of the steps' gradients, its mean over each "
            "epoch.",
        ),
    ),
    "Runs": (
        Key(
            "experiment",
            "experiment",
            "The name of the experiment, in its report and in its default workdir.",
            "command",
        ),
        Key(
            "sweep",
            "",
            'The runs, a JSON list of what each of them sets, such as [{"seed": 0}, {"seed": 1}]; '
            "empty: one run.",
            "command",
        ),
        Key(
            "vectorize",
            "auto",
            "Whether runs of one program train at once on a device (vmap) or one by one (loop); "
            "auto takes what was measured to be faster.",
            "resource",
            choices=("auto", "vmap", "loop"),
        ),
        Key(
            "max_members",
            0,
            "The most runs that train at once; 0: as many as memory holds.",
            "resource",
            range=Range(0, wanted="0 (as many as memory holds) or a number of runs"),
        ),
        Key(
            "data_devices",
            0,
            "The number of devices that share the batches of a run; 0: all where examples are "
            "streamed, else one.",
            "resource",
            range=Range(0, wanted="0 (its own choice) or a number of devices"),
        ),
        Key(
            "epoch_loop",
            "auto",
            "Whether the steps of an epoch are one call (scan) or a call each (step); auto takes "
            "what was measured to be faster.",
            "pace",
            choices=("auto", "scan", "step"),
        ),
    ),
    "Saving and showing": (
        Key(
            "checkpoint_every",
            1,
            "The number of epochs between two checkpoints; 0: none is saved.",
            "pace",
            range=Range(0, wanted="0 (none) or a number of epochs"),
        ),
        Key(
            "checkpoint_every_steps",
            0,
            "The number of steps between two checkpoints within an epoch; 0: none is saved there.",
            "pace",
            range=Range(0, wanted="0 (none) or a number of steps"),
        ),
        Key(
            "checkpoints_to_keep",
            2,
            "How many of the last checkpoints are kept, beside the one with the best accuracy.",
            "pace",
            range=AT_LEAST_1,
        ),
        Key("tensorboard", False, "Whether event files for TensorBoard are written.", "location"),
        Key(
            "profile",
            False,
            "Whether a profiler's trace of some steps is written to the folder profile of the "
            "workdir.",
            "location",
        ),
        Key(
            "language",
            "en",
            "The language of the slides of a course experiment.",
            "location",
            choices=("en", "es"),
        ),
    ),
}
KEYS = table(key for keys in GROUPS.values() for key in keys)


def base_config() -> ConfigDict:
    """Returns the config with every key at its default; appendix A's where it says one.

    It takes no other keys: a name that is mistyped is an error.
    """
    return defaults(KEYS).lock()
