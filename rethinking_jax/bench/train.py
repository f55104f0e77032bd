"""Images per second of a train step, ours against PyTorch's, for the paper's networks.

Random CIFAR-shaped uint8 images, batch 128, the whole step: preprocessing, forward,
backward, SGD with momentum, running sums. A product of large matrices takes part in
every round and says what the machine could do at most.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from rethinking_jax.bench import ours, torch_check
from rethinking_jax.bench.peak import PEAK, matmul_peak
from rethinking_jax.bench.results import Record, measured, new_record
from rethinking_jax.bench.timing import Contestant, Progress, compile_seconds, interleave, speeds
from rethinking_jax.models import convolves, create_model
from rethinking_jax.step import flops
from rethinking_jax.step.optimizer import make_optimizer
from rethinking_jax.step.preprocess import make_preprocess
from rethinking_jax.step.state import Examples, Hyper, TrainState
from rethinking_jax.step.train import make_steps
from rethinking_jax.sweep.held import as_images, flat
from rethinking_jax.sweep.mesh import make_mesh
from rethinking_jax.sweep.program import Program, make_program, use_scan, xla_options, zero_running

SCAN, STEP = "ours, scan", "ours, step"
# The step with the gradients that JAX and XLA find, where some are the project's own.
PLAIN = "ours, step, XLA's gradients"
TORCH, TORCH_COMPILED = "PyTorch", "PyTorch, compiled"
IMAGE_SHAPE, CLASSES = (28, 28, 3), 10
# A convolution inside a loop on a CPU is slow (see `program.use_scan`); two steps make a loop.
SLOW_STEPS = 2


class Settings(NamedTuple):
    """What is measured, for one model.

    Attributes:
      model: a name of `rethinking_jax.models`.
      batch_size: images of a step.
      steps: number of steps in a round.
      repeats: number of rounds.
      scan: whether the scan takes part; for a convolution on a CPU with two steps, once.
      compile_limit: seconds that torch.compile may take; with 0 it does not take part.
    """

    model: str
    batch_size: int
    steps: int
    repeats: int
    scan: bool
    compile_limit: float


def resolve(
    model: str, repeats: int, steps: int | None, scan_convolutions: bool, compile_limit: float
) -> Settings:
    """Fills in the steps of a round, some seconds' worth, and whether to scan.

    Raises:
      UserError: the model is unknown.
    """
    slow = convolves(create_model(model, num_classes=CLASSES)) and _backend() == "cpu"
    scan = not slow or scan_convolutions
    return Settings(model, 128, steps or (3 if slow else 100), repeats, scan, compile_limit)


def _backend() -> str:
    return jax.default_backend()


def bench_train(settings: Settings, say: Progress) -> Record:
    """Measures one model, for up to two minutes.

    Returns:
      The record: `results.new_record` and `results.measured`, with the form that the
      project picks, `flops_per_image` by our count and by XLA's (`xla_flops_per_image`), the
      share of the matmul peak by round (`peak_share`), compile_seconds, and notes.
    """
    model = create_model(settings.model, num_classes=CLASSES)
    scan_is_slow = not use_scan(_backend(), convolves(model))
    picked = STEP if scan_is_slow else SCAN
    images = settings.batch_size * settings.steps
    say(f"compiling: {settings.model}")
    contestants, compiled, xla_flops = _ours(settings, scan_is_slow)
    torch_contestants, torch_seconds, notes = _torch(settings)
    contestants += [*torch_contestants, matmul_peak("float32")]
    for note in notes:
        say(note)
    if not settings.scan:
        notes.append(f"{SCAN} left out: --scan_convolutions takes it in (minutes)")
    seconds = interleave(contestants, settings.repeats, say)
    work = {contestant.name: contestant.work for contestant in contestants}
    pairs = [
        (picked, TORCH),
        (picked, TORCH_COMPILED),
        (STEP, SCAN),
        (STEP, PLAIN),
        (TORCH_COMPILED, TORCH),
    ]
    per_image = flops.train_flops(flops.layer_macs(model, IMAGE_SHAPE))
    peak = speeds(seconds, work)[PEAK]
    results = measured({k: v for k, v in seconds.items() if k != PEAK}, work, pairs)
    return {
        **new_record("train", settings._asdict() | {"image_shape": list(IMAGE_SHAPE)}),
        **results,
        "picked": picked,
        "flops_per_image": per_image,
        "xla_flops_per_image": xla_flops / settings.batch_size,
        "peak_flops": peak,
        "peak_share": [
            per_image * images / s / p for s, p in zip(seconds[picked], peak, strict=True)
        ],
        "compile_seconds": compiled | torch_seconds,
        "notes": notes,
    }


def _ours(
    settings: Settings, scan_is_slow: bool
) -> tuple[list[Contestant], dict[str, float], float]:
    """Returns our forms, warm, their compile seconds, and XLA's count of a step's FLOPs."""
    size, count, rounds = settings.batch_size, settings.steps, settings.repeats
    program = make_train_program(settings.model, size * count)
    plain = make_train_program(settings.model, size * count, own_gradients=False)
    hyper = Hyper(jnp.zeros(1, jnp.int32), *(jnp.full(1, x) for x in (0.01, 0.9, 0.0, 0.0, 0.0)))
    examples, order = random_examples(size * count), program.order(hyper.seed, jnp.int32(0))

    def form(name: str, own: Program, scan: bool, steps: int, rounds: int) -> Contestant:
        def run(state: TrainState) -> None:
            _, running = ours.train_full_batches(
                own, scan, state, zero_running(1), examples, order, steps
            )
            jax.block_until_ready(running)

        def fresh() -> TrainState:
            # A step comes before: as in a run, the next ones find the memory that it had.
            carry = own.init(hyper), zero_running(1)
            carry = ours.train_full_batches(own, False, *carry, examples, order, 1)
            ready: TrainState = jax.block_until_ready(carry)[0]
            return ready

        return Contestant(name, fresh, run, steps * size, rounds)

    forms = [form(STEP, program, False, count, rounds)]
    if scan_is_slow:
        forms.append(form(PLAIN, plain, False, count, rounds))
    if settings.scan:
        steps, rounds = (SLOW_STEPS, 1) if scan_is_slow else (count, rounds)
        forms.append(form(SCAN, program, True, steps, rounds))
    seconds = {}
    for contestant in forms:
        with compile_seconds() as compiled:
            contestant.run(contestant.prepare())
            seconds[contestant.name] = compiled()
    # XLA counts what is in a loop once, and some of our own gradients are loops.
    lowered = plain.train_batches.lower(  # type: ignore[attr-defined]
        plain.init(hyper), zero_running(1), examples, order, jnp.int32(0), count=1
    )
    return forms, seconds, (lowered.cost_analysis() or {}).get("flops", 0.0)


def make_train_program(
    model: str, train_size: int, batch_size: int = 128, own_gradients: bool = True
) -> Program:
    """Makes the project's program for one of its models on CIFAR-shaped images.

    Without `own_gradients` it has XLA's on a CPU, too (see `layers.ImageModel`).
    """
    for_cpu = own_gradients and _backend() == "cpu"
    network = create_model(model, num_classes=CLASSES, for_cpu=for_cpu)
    return make_program(
        make_steps(
            network,
            make_optimizer("sgd", 0.95, 390, "all"),
            make_preprocess("paper", jnp.zeros(3), jnp.ones(3)),
            IMAGE_SHAPE,
        ),
        train_size=train_size,
        image_shape=IMAGE_SHAPE,
        batch_size=batch_size,
        eval_batch_size=batch_size,
        scan=True,
        mesh=make_mesh(jax.devices(), 1),
        compiler_options=xla_options(_backend(), convolves(network)),
    )


def random_examples(n: int) -> Examples:
    """Makes n random images with random labels, for a group of one."""
    rng = np.random.default_rng(0)
    labels = jnp.asarray(rng.integers(0, CLASSES, n, dtype=np.int32))
    images = rng.integers(0, 256, (n, *IMAGE_SHAPE), dtype=np.uint8)
    ids = jnp.arange(n, dtype=jnp.uint32)
    return Examples(flat(jnp.asarray(images)), labels[None], labels, ids)


def _torch(settings: Settings) -> tuple[list[Contestant], dict[str, float], list[str]]:
    """Returns PyTorch eager and compiled, warm, seconds of compiling, and what is left out."""
    reason = torch_check.why_not(settings.model, _backend())
    if reason:
        return [], {}, [f"{TORCH} left out: {reason}"]
    from rethinking_jax.bench import torch_train

    work = settings.batch_size * settings.steps
    examples = random_examples(work)
    images = as_images(examples.images, IMAGE_SHAPE)
    (data,) = torch_train.to_device(
        np.asarray(images), [np.asarray(examples.true_labels)], _backend()
    )
    model = torch_train.create_on(data, settings.model, CLASSES, seed=0)
    warm_data = torch_train.Data(*(part[: 2 * settings.batch_size] for part in data))

    def train(network: torch_train.Model, on: torch_train.Data) -> None:
        learner = torch_train.make_learner(network, 0.01, 0.9, 0.95)
        torch_train.train_epochs(learner, on, settings.batch_size, 1)

    def warm(network: torch_train.Model) -> torch_train.Model:
        train(network, warm_data)
        return network

    warm(model)
    forms = [Contestant(TORCH, lambda: warm(model), lambda network: train(network, data), work)]
    network, reason, took = torch_train.try_compile(
        model, lambda network: train(network, warm_data), settings.compile_limit
    )
    if network is None:
        return forms, {}, [f"{TORCH_COMPILED} left out: torch.compile {reason}"]
    forms.append(
        Contestant(TORCH_COMPILED, lambda: warm(network), lambda given: train(given, data), work)
    )
    return forms, {TORCH_COMPILED: took}, []
