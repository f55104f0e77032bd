"""The parts of a campaign, most valuable first, and the time that each of them gets."""

from collections.abc import Mapping
from typing import NamedTuple


class Part(NamedTuple):
    """One part: a command of this package.

    Attributes:
      name: its name on the command line and in the results.
      about: what it measures.
      words: the command without `python -m rethinking_jax.`, and without folders.
      seconds: how long it takes, compilation included; an estimate on the safe side.
    """

    name: str
    about: str
    words: str
    seconds: int

    @property
    def is_experiment(self) -> bool:
        """Whether it is an experiment, which has a work directory and goes on there."""
        return self.words.startswith("main ")


class Size(NamedTuple):
    """The words and the seconds of a part on one kind of device, see `Part`."""

    words: str
    seconds: int


# 0.9995 is printed as the paper's 100.0, and the last few of 50,000 labels can take all epochs.
FITTED = "--config.fit_threshold=0.9995"
FILTERS = "main --config=kernel:dataset=cifar10,kernel=random_conv,corruption=true_labels"
WHITENED = "--config.whitening=0.1 --config.threshold=0.5"


def _train(model: str, seconds: int) -> tuple[str, Size, Size]:
    words = f"bench train --models={model}"
    return (
        f"a train step of {model}, against PyTorch and the matmul peak",
        Size(words, seconds),
        Size(f"{words} --steps=2 --repeats=2 --compile_limit=0", 45),
    )


def _imagenet(model: str, seconds: int) -> tuple[str, Size, Size]:
    words = f"bench imagenet --models={model}"
    return (
        f"ImageNet: a train step of {model} by batch size, and its input",
        Size(f"{words} --batch_sizes=128,256,512", seconds),
        Size(f"{words} --image_size=96 --batch_sizes=2 --steps=1 --repeats=1 --images=8", 90),
    )


# Each with what it measures, how on an accelerator, and how, in a form that shows no more than that
# it works, on a CPU.
PARTS: dict[str, tuple[str, Size, Size]] = {
    "sweep": (
        "a sweep of MLPs: vmapped, looped, as a PyTorch loop",
        Size("bench sweep", 60),
        Size("bench sweep --levels=2 --seeds=1 --train_examples=256 --epochs=1 --repeats=2", 30),
    ),
    "figure1a": (
        "Figure 1a: the small Inception fits five settings of CIFAR-10",
        Size(f"main --config=figure1:a {FITTED}", 420),
        Size("main --config=figure1:a,models=mlp_1x512,train_examples=256,epochs=2", 90),
    ),
    "train_inception_small": _train("inception_small", 120),
    "train_alexnet_small": _train("alexnet_small", 100),
    "train_mlp_1x512": _train("mlp_1x512", 45),
    "train_mlp_3x512": _train("mlp_3x512", 45),
    "imagenet_inception_v3": _imagenet("inception_v3", 240),
    "imagenet_resnet_50": _imagenet("resnet_50", 180),
    "input": (
        "images decoded, streamed, and read from a cache, by the host",
        Size("bench input --repeats=3", 90),
        Size("bench input --image_sizes=64 --images=64 --repeats=1", 30),
    ),
    "solve": (
        "a kernel machine, against SciPy and scikit-learn",
        Size("bench solve", 60),
        Size("bench solve --examples=500 --repeats=2", 30),
    ),
    "kernel_cifar10": (
        "Table 3: the Gaussian kernel on all of CIFAR-10, true and random labels",
        Size("main --config=kernel:dataset=cifar10,kernel=gaussian,ridge=0", 180),
        Size("main --config=kernel:dataset=cifar10,kernel=gaussian,ridge=0,train_examples=256", 90),
    ),
    "random_filters": (
        "Table 3: 32,000 random filters of whitened patches on all of CIFAR-10",
        Size(f"{FILTERS},ridge=0+0.01 --config.filters=32000 {WHITENED}", 400),
        Size(f"{FILTERS},ridge=0.01,train_examples=256 --config.filters=64 {WHITENED}", 60),
    ),
    "table1_inception_no_bn": (
        "Table 1: the small Inception's three rows without batch norm on CIFAR-10",
        Size("main --config=table1:models=inception_small_no_bn,epochs=60", 450),
        Size("main --config=table1:models=inception_small_no_bn,train_examples=256,epochs=1", 120),
    ),
    "table1_mlps": (
        "Table 1: the MLPs' six rows on CIFAR-10",
        Size("main --config=table1:models=mlp_1x512+mlp_3x512", 120),
        Size("main --config=table1:models=mlp_1x512+mlp_3x512,train_examples=256,epochs=2", 90),
    ),
    "table1_alexnet": (
        "Table 1: the small AlexNet's five rows on CIFAR-10",
        Size("main --config=table1:models=alexnet_small", 300),
        Size("main --config=table1:models=alexnet_small,train_examples=256,epochs=1", 120),
    ),
    "members": (
        "memory and time of 1 to 64 vmapped runs",
        Size("bench members", 90),
        Size("bench members --members=1,2 --epochs=1", 45),
    ),
    "augment": (
        "an epoch with each augmentation over one without",
        Size("bench augment", 150),
        Size("bench augment --models=mlp_1x512 --batches=2 --repeats=1", 60),
    ),
    "sweep_inception_small": (
        "a sweep of small Inceptions: vmapped, looped, as a PyTorch loop",
        Size(
            "bench sweep --model=inception_small --levels=2 --seeds=2 --epochs=1 --repeats=3", 150
        ),
        Size("bench sweep --model=inception_small --repeats=1", 120),
    ),
}


def parts_on(backend: str) -> list[Part]:
    """Returns all parts as they are on a kind of device: "cpu", "gpu" or "tpu"."""
    return [
        Part(name, about, *(on_cpu if backend == "cpu" else on_accelerator))
        for name, (about, on_accelerator, on_cpu) in PARTS.items()
    ]


def plan(needed: Mapping[str, float], seconds: float) -> dict[str, float]:
    """Divides a time among parts.

    Args:
      needed: the seconds that each part takes, by its name, most valuable first.
      seconds: the time.

    Returns:
      The seconds of each part in the same order: 0 for one that does not fit beside those before
      it, and for the others what they need and their share of what is left. All add up to
      the time, where there is a part that fits.
    """
    chosen: dict[str, float] = {}
    for name, own in needed.items():
        fits = sum(chosen.values()) + own <= seconds
        chosen[name] = own if fits else 0.0
    taken = sum(chosen.values())
    return {name: own * seconds / taken if own else 0.0 for name, own in chosen.items()}
