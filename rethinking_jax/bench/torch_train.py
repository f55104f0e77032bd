"""The training loop that a PyTorch user writes, without a data loader to slow it down.

The images lie on the device whole, as uint8, and batches are indexed there. The division of labour
is the same as ours, so are preprocessing, batch size, optimizer and float32; PyTorch takes as many
threads as it does by itself.
"""

import signal
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import nn
from torch.nn import functional

from rethinking_jax.bench.torch_models import create_torch_model

Model = nn.Module


class Data(NamedTuple):
    """A training set on the device: images, uint8 [n, h, w, c], and labels, int64 [n]."""

    images: torch.Tensor
    labels: torch.Tensor


class Learner(NamedTuple):
    """What a run changes: weights, the optimizer's state, the learning rate."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler


def to_device(images: np.ndarray, labels: Sequence[np.ndarray], backend: str) -> list[Data]:
    """Brings images, uint8 [n, h, w, c], and the labels of some runs to where JAX computes."""
    device = "cuda" if backend == "gpu" else "cpu"
    if device == "cuda":
        # XLA multiplies float32 in TF32 on a GPU, so PyTorch is allowed to do so, too.
        torch.set_float32_matmul_precision("high")
    shared = torch.from_numpy(images.copy()).to(device)
    return [Data(shared, torch.from_numpy(own.astype(np.int64)).to(device)) for own in labels]


def make_learner(model: nn.Module, learning_rate: float, momentum: float, decay: float) -> Learner:
    """Makes SGD with momentum for a model; the rate is multiplied by `decay` after each epoch."""
    trained = [p for p in model.parameters() if p.requires_grad]
    optimizer = torch.optim.SGD(trained, lr=learning_rate, momentum=momentum)
    return Learner(model, optimizer, torch.optim.lr_scheduler.ExponentialLR(optimizer, decay))


def create_on(data: Data, name: str, num_classes: int, seed: int) -> nn.Module:
    """Makes the network of a name, where the data are, with the weights of a seed."""
    torch.manual_seed(seed)
    height, width, channels = data.images.shape[1:]
    model = create_torch_model(name, num_classes, (height, width, channels))
    return model.to(data.images.device)


def standardize(images: torch.Tensor) -> torch.Tensor:
    """Standardizes each image of uint8 [b, h, w, c], as `preprocess.standardize_per_image` does."""
    x = images.float() / 255.0
    centered = x - x.mean((1, 2, 3), keepdim=True)
    std = centered.square().mean((1, 2, 3), keepdim=True).sqrt()
    return centered / std.clamp(min=images[0].numel() ** -0.5)


def train_epoch(learner: Learner, data: Data, order: torch.Tensor, batch_size: int) -> None:
    """Takes one pass over the examples in `order`, int64 [n]; sums loss and hits as ours does."""
    device = data.images.device
    loss_sum, hits = torch.zeros((), device=device), torch.zeros((), device=device)
    for chosen in order.split(batch_size):
        labels = data.labels[chosen]
        logits = learner.model(standardize(data.images[chosen]))
        loss = functional.cross_entropy(logits, labels)
        learner.optimizer.zero_grad()
        loss.backward()
        learner.optimizer.step()
        loss_sum += loss.detach() * len(labels)
        hits += (logits.argmax(1) == labels).sum()
    learner.schedule.step()


def train_epochs(learner: Learner, data: Data, batch_size: int, epochs: int) -> None:
    """Trains some epochs, each in an order of its own, and waits for the device."""
    device = data.images.device
    for _ in range(epochs):
        train_epoch(learner, data, torch.randperm(len(data.labels), device=device), batch_size)
    if data.images.is_cuda:
        torch.cuda.synchronize()


class TooSlow(Exception):
    """A time limit ran out."""


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises `TooSlow` in a block that takes longer; in the main thread, not on Windows."""

    def ring(*_: object) -> None:
        raise TooSlow

    before = signal.signal(signal.SIGALRM, ring)
    # It rings again every second, in case that something in the block swallows the first.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def try_compile(
    model: nn.Module, warm_up: Callable[[nn.Module], None], limit: float
) -> tuple[nn.Module | None, str, float]:
    """Compiles a model by `torch.compile`, where that works within `limit` seconds.

    Args:
      model: the model to compile.
      warm_up: takes a train step with the compiled model, which makes it compile.
      limit: most seconds; with 0 it is not tried.

    Returns:
      The compiled model or None, why not, and the seconds of compiling and warming up.
    """
    if limit == 0:
        return None, "switched off", 0.0
    if not hasattr(signal, "SIGALRM"):
        return None, "needs a system with SIGALRM", 0.0
    started = time.perf_counter()
    compiled: nn.Module = torch.compile(model)
    reason = ""
    try:
        with time_limit(limit):
            warm_up(compiled)
    except Exception as error:  # whatever the compiler chain of this machine does
        late = time.perf_counter() - started >= limit
        reason = f"not done in {limit:g} s" if late else str(error).strip().split("\n")[0][:200]
    return None if reason else compiled, reason, time.perf_counter() - started
