"""What learners that fit every label come to on noisy labels, and kernels that stop short of it."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from rethinking_jax.theory import kernel_solve, neighbours
from rethinking_jax.theory.kernel_cg import conjugate_gradients
from rethinking_jax.theory.kernel_matrix import Kernel
from rethinking_jax.theory.noisy_draws import NoisyDraw

# It makes the kernel on training rows [n, d], and between those and test rows [m, d].
Make = Callable[[np.ndarray, np.ndarray], Kernel]
HELD_OUT = 5  # one of so many training examples is held out to choose the ridge
MOST_STEPS = 3000  # most steps of conjugate gradients that are counted
COUNTED = 5000  # with more training examples than this no steps are counted, which takes long


class Outcome(NamedTuple):
    """What a learner comes to on one draw, at each level of noise.

    Attributes:
      test_errors: test errors against labels as noisy as those in training, [levels].
      true_errors: test errors against the true labels, [levels].
      train_errors, norms: those of kernels that interpolate, [levels]; None for neighbours.
      ridges: the ridge that was chosen, [levels]; None where none was to be chosen.
      ridge_errors: the test errors with that ridge, [levels], as `test_errors`.
      steps: steps of conjugate gradients until every label is fitted, [levels]; None in it
        where they were not counted, or were more than `MOST_STEPS`.
      converged: whether all systems were solved.
    """

    test_errors: np.ndarray
    true_errors: np.ndarray
    train_errors: np.ndarray | None = None
    norms: np.ndarray | None = None
    ridges: np.ndarray | None = None
    ridge_errors: np.ndarray | None = None
    steps: Sequence[int | None] | None = None
    converged: bool = True


def by_neighbours(draw: NoisyDraw, counts: Sequence[int]) -> dict[int, Outcome]:
    """Returns what the k nearest neighbours come to, for each number k of them."""
    near = neighbours.nearest(draw.train, draw.test, max(counts))
    found = {}
    for k in counts:
        votes = [neighbours.vote(own[near[:, :k]], draw.num_classes) for own in draw.train_labels]
        found[k] = Outcome(*_errors(np.stack(votes), draw))
    return found


def by_kernel(
    make: Make,
    draw: NoisyDraw,
    ridges: Sequence[float],
    counted: Sequence[int],
    free: float = np.inf,
) -> Outcome:
    """Returns what a kernel comes to that interpolates, and with a ridge of the best size.

    All levels of noise are right-hand sides of one factorization.

    Args:
      make: makes the kernel.
      draw: training and test set.
      ridges: the ridges to choose from, above 0; () for no choice.
      counted: the levels, by their positions, whose steps of conjugate gradients are counted.
      free: free memory, in bytes.
    """
    kernel, targets = make(draw.train, draw.test), one_hot(draw.train_labels, draw.num_classes)
    exact = kernel_solve.solve(kernel, targets, 0.0, free)
    solutions, chosen = [exact], np.full(len(draw.train_labels), np.nan)
    if ridges:
        chosen = chosen_ridges(make, draw, ridges, free)
        used = np.unique(chosen).tolist()
        solutions += [kernel_solve.solve(kernel, targets, ridge, free) for ridge in used]
    outputs = kernel.predict(np.concatenate([one.coefficients for one in solutions], 1))
    answers = _answers(outputs, draw.num_classes).reshape(len(solutions), *draw.test_labels.shape)
    fitted = _answers(exact.fitted, draw.num_classes)
    squares = (exact.coefficients * exact.fitted).sum(0).reshape(len(chosen), -1).sum(1)
    found = Outcome(
        *_errors(answers[0], draw),
        train_errors=(fitted != draw.train_labels).mean(1),
        norms=np.sqrt(np.maximum(squares, 0.0)),
        steps=[
            steps_to_fit(kernel, own, draw.num_classes) if i in counted else None
            for i, own in enumerate(draw.train_labels)
        ],
        converged=all(one.converged for one in solutions),
    )
    if not ridges:
        return found
    levels = np.arange(len(chosen))
    best = answers[1 + np.searchsorted(used, chosen), levels]
    return found._replace(ridges=chosen, ridge_errors=_errors(best, draw)[0])


def chosen_ridges(
    make: Make, draw: NoisyDraw, ridges: Sequence[float], free: float = np.inf
) -> np.ndarray:
    """Returns the ridge with the fewest errors on held-out training examples, float64 [levels].

    A fifth of the training set is held out, with its noisy labels. Of ridges with equally many
    errors the largest is taken.

    Args:
      make, draw, free: see `by_kernel`.
      ridges: above 0.
    """
    kept = len(draw.train) - len(draw.train) // HELD_OUT
    kernel = make(draw.train[:kept], draw.train[kept:])
    targets = one_hot(draw.train_labels[:, :kept], draw.num_classes)
    tried = sorted(ridges, reverse=True)
    solved = [kernel_solve.solve(kernel, targets, ridge, free).coefficients for ridge in tried]
    answers = _answers(kernel.predict(np.concatenate(solved, 1)), draw.num_classes)
    wanted = draw.train_labels[:, kept:]
    errors = (answers.reshape(len(tried), *wanted.shape) != wanted).sum(2)
    best: np.ndarray = np.array(tried)[errors.argmin(0)]
    return best


def steps_to_fit(kernel: Kernel, labels: np.ndarray, classes: int) -> int | None:
    """Returns the steps of conjugate gradients until every label has the largest output.

    There is no preconditioner, and they start from zero. Returns None where `MOST_STEPS` do not
    get there.

    Args:
      kernel: on n training examples.
      labels: their labels, int [n].
      classes: the number of classes.
    """
    targets = np.eye(classes)[labels]

    def fits(left: np.ndarray) -> bool:
        return bool(((targets - left).argmax(1) == labels).all())

    found = conjugate_gradients(
        kernel.multiply,
        lambda vectors: vectors,
        targets,
        enough=0.0,
        most=MOST_STEPS,
        patience=MOST_STEPS,
        done=fits,
    )
    # What conjugate gradients take for the residual drifts away from it by rounding.
    return found.steps if fits(targets - kernel.multiply(found.solution)) else None


def one_hot(labels: np.ndarray, classes: int) -> np.ndarray:
    """Returns labels int [levels, n] as right-hand sides side by side, [n, levels * classes]."""
    side_by_side: np.ndarray = np.eye(classes)[labels.T].reshape(labels.shape[1], -1)
    return side_by_side


def _answers(outputs: np.ndarray, classes: int) -> np.ndarray:
    """Returns the class of the largest output, int64 [levels, m], see `one_hot`."""
    answers: np.ndarray = outputs.reshape(len(outputs), -1, classes).argmax(2).T
    return answers


def _errors(answers: np.ndarray, draw: NoisyDraw) -> tuple[np.ndarray, np.ndarray]:
    """Returns the errors of answers [levels, m] against noisy and against true test labels."""
    return (answers != draw.test_labels).mean(1), (answers != draw.true_labels).mean(1)
