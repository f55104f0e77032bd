"""The keys of a config that trains, each declared once.

Checking, `--help`, docs/keys.md and what makes two runs the same all come from this table.
"""

from ml_collections import ConfigDict

from rethinking_jax.config.data_keys import DATA_GROUPS
from rethinking_jax.config.key import (
    ABOVE_0,
    ABOVE_ZERO,
    AT_LEAST_0,
    AT_LEAST_1,
    SEED,
    SHARE,
    Key,
    Need,
    Range,
    above_0,
    defaults,
    one_of,
    table,
)
from rethinking_jax.models import DTYPES, MODELS
from rethinking_jax.models.initializers import INITIALIZERS, OWN
from rethinking_jax.step.losses import LOSSES
from rethinking_jax.step.norms import MEASURES
from rethinking_jax.step.optimizer import OPTIMIZERS, WEIGHT_DECAY_KINDS, WEIGHT_DECAY_MASKS
from rethinking_jax.step.precision import PRECISIONS

# The losses that a strength means something to.
STRONG_LOSSES = {name: one for name, one in LOSSES.items() if one.strength is not None}

GROUPS: dict[str, tuple[Key, ...]] = {
    **DATA_GROUPS,
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
            "initializer",
            OWN,
            "How weights and biases start. model: as the network draws them (He's normal, a "
            "smaller last layer); pytorch: as its layers do by default; tensorflow_tutorial: as in "
            "TensorFlow's CIFAR-10 tutorial of 2016 (kernels of 1e-4 in convolutions).",
            choices=INITIALIZERS,
        ),
        Key(
            "init_scale",
            1.0,
            "The factor on all initial parameters; 1: they are as they are drawn.",
            range=ABOVE_0,
        ),
        Key(
            "dtype",
            "float32",
            "What the network computes in; parameters, batch statistics and logits are always "
            "float32.",
            choices=DTYPES,
        ),
        Key(
            "matmul_precision",
            "default",
            "How precisely products and convolutions of float32 are computed on TPUs, and on GPUs "
            "since Ampere; default: as jax_default_matmul_precision says, and where it says "
            "nothing as fast as the device can (one pass of bfloat16, or TF32). summary.json says "
            "what it was.",
            choices=PRECISIONS,
        ),
    ),
    "Training": (
        Key("seed", 0, "The seed of everything that a run draws.", "array", range=SEED),
        Key(
            "epochs",
            100,
            "The most epochs that a run trains; more may be given when it goes on.",
            range=AT_LEAST_1,
        ),
        Key("stop_when_fitted", True, "Whether a run ends as soon as its training set is fitted."),
        Key(
            "fit_threshold",
            1.0,
            "The training accuracy, of the fixed network, that counts as fitted and stops a run. "
            "On large sets 1.0 may take all epochs: near-duplicates with other labels prevent it.",
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
            needs=above_0("batch_size"),
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
            needs=Need(
                ("lr_decay",), lambda config: config.lr_decay < 1, "lr_decay below 1", idle=True
            ),
        ),
        Key("momentum", 0.9, "The momentum.", "array", range=SHARE),
        Key(
            "optimizer_epsilon",
            0.0,
            "The epsilon of adam and rmsprop; 0: 1e-8.",
            range=AT_LEAST_0,
            needs=one_of("optimizer", "adam", "rmsprop"),
        ),
    ),
    "Loss and regularization": (
        Key(
            "loss",
            "cross_entropy",
            "What training makes small: the paper's cross_entropy, or one of those that came after "
            "it, most of them against wrong labels. Losses that are measured are cross-entropy.",
            choices=LOSSES,
        ),
        Key(
            "loss_strength",
            float,
            "The strength of a loss that has one; where none is given it is "
            + ", ".join(f"{one.strength} for {name}" for name, one in STRONG_LOSSES.items())
            + ".",
            "array",
            range=AT_LEAST_0,
            needs=one_of("loss", *STRONG_LOSSES),
        ),
        Key(
            "weight_decay",
            0.0,
            "The strength of weight decay; 0: none.",
            "array",
            range=Range(0, 1e9, "from 0 to 1e9"),
        ),
        Key(
            "weight_decay_mask",
            "all",
            "Which parameters decay: all, or kernels only.",
            choices=WEIGHT_DECAY_MASKS,
            needs=above_0("weight_decay", idle=True),
        ),
        Key(
            "weight_decay_kind",
            "coupled",
            "How they decay: coupled, by an l2 penalty as in the paper, or decoupled, as in SGDW "
            "and AdamW.",
            choices=WEIGHT_DECAY_KINDS,
            needs=above_0("weight_decay"),
        ),
        Key(
            "label_smoothing",
            0.0,
            "The share of a label that is spread over all classes; 0: none.",
            range=SHARE,
            needs=one_of("loss", "cross_entropy"),
        ),
        Key(
            "mixup_alpha",
            0.0,
            "The alpha of Beta(alpha, alpha), from which mixup draws the shares of two images; it "
            "came after the paper; 0: no mixup.",
            range=Range(0, wanted="0 (off) or above"),
        ),
        Key(
            "sam_radius",
            0.0,
            "The radius of sharpness-aware minimization, which came after the paper; 0: none.",
            range=Range(0, wanted="0 (off) or above"),
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
        Key(
            "measures",
            "",
            "Norms and margins that metrics.jsonl has of each run, joined by +: "
            + "; ".join(f"{name}: {one.doc}" for name, one in MEASURES.items())
            + ". Empty: none.",
        ),
        Key(
            "record_examples",
            False,
            "Whether examples.npz says of every training and test example how each run answers it "
            "over the measured epochs: probability of its label, margin, loss, when it was learned "
            "and forgotten. It takes 60 bytes of memory for each run and example.",
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
        Key(
            "deterministic",
            False,
            "Whether GPUs come to the same bits every time, which takes longer; without it a run "
            "that was stopped and went on is the same but for rounding. CPUs and TPUs need no "
            "such key: they always do.",
            "pace",
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
            needs=above_0("checkpoint_every", "checkpoint_every_steps", idle=True),
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
            "The language of the report: its page, figures and tables; CSV files stay in English.",
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
