"""What the lectures on this material show: for each experiment its slides and its claims."""

from rethinking_jax.analysis.lesson import Lesson
from rethinking_jax.analysis.results import Results
from rethinking_jax.course import (
    architectures,
    batch_size,
    checkerboard,
    dataset_size,
    double_descent,
    early_learning,
    epoch_wise,
    grokking,
    learning_rate,
    network_size,
    normalization,
    optimizers,
    randomization,
    train_validation_test,
)

# The lessons by the names of their experiments (the config key `experiment`). A lesson of one's
# own is an entry that is there before its experiment ends.
LESSONS: dict[str, Lesson] = {
    "course_architectures": architectures.LESSON,
    "course_batch_size": batch_size.LESSON,
    "course_checkerboard": checkerboard.LESSON,
    "course_dataset_size": dataset_size.LESSON,
    "course_double_descent": double_descent.LESSON,
    "course_early_learning": early_learning.LESSON,
    "course_grokking": grokking.LESSON,
    "course_learning_rate": learning_rate.LESSON,
    "course_network_size": network_size.LESSON,
    "course_normalization": normalization.LESSON,
    "course_optimizers": optimizers.LESSON,
    "course_randomization": randomization.LESSON,
    "course_train_validation_test": train_validation_test.LESSON,
    # What configs/double_descent.py trains.
    "double_descent_networks": double_descent.LESSON,
    "double_descent_epochs": epoch_wise.LESSON,
}


def lesson_of(results: Results) -> Lesson | None:
    """Returns a workdir's lesson; None also where it lacks the accuracies of the slides."""
    lesson = LESSONS.get(results.summary["experiment"])
    return lesson if lesson and lesson.validated == results.validated else None
