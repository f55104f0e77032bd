"""The lessons, by the name of their experiment."""

from rethinking_jax.analysis.curves import Plot
from rethinking_jax.analysis.language import speaker
from rethinking_jax.analysis.lesson import Lesson, groups_of
from rethinking_jax.analysis.results import Results
from rethinking_jax.course import (
    architectures,
    batch_size,
    checkerboard,
    dataset_size,
    learning_rate,
    network_size,
    normalization,
    optimizers,
    randomization,
    train_validation_test,
)

LESSONS: dict[str, Lesson] = {
    "course_architectures": architectures.LESSON,
    "course_batch_size": batch_size.LESSON,
    "course_checkerboard": checkerboard.LESSON,
    "course_dataset_size": dataset_size.LESSON,
    "course_learning_rate": learning_rate.LESSON,
    "course_network_size": network_size.LESSON,
    "course_normalization": normalization.LESSON,
    "course_optimizers": optimizers.LESSON,
    "course_randomization": randomization.LESSON,
    "course_train_validation_test": train_validation_test.LESSON,
}

# Networks in the small print of a slide.
MOST_NAMED = 4


def lesson_of(results: Results) -> Lesson | None:
    """The lesson that a workdir holds; None also where it lacks the accuracies of its slides."""
    lesson = LESSONS.get(results.summary["experiment"])
    return lesson if lesson and lesson.validated == results.validated else None


def source(results: Results) -> str:
    """What the numbers of a slide are of, in its small print."""
    say = speaker(results.config.get("language", "en"))
    summary = results.summary
    seeds = max(group.seeds for group in groups_of(results))
    models = dict.fromkeys(member["model"] for member in summary["members"])
    sizes = results.config.get("hidden_sizes")
    if set(models) <= {"mlp", "mlp_sigmoid"} and sizes:
        swept = any("hidden_sizes" in override for override in results.config["sweep"])
        models = {"MLP" if swept else f"MLP {'-'.join(map(str, sizes))}": None}
    if len(models) > MOST_NAMED:  # the legend has them
        models = {}
    images = say("{n} training images", n=f"{summary['train_examples']:,}")
    if any({"dataset", "train_examples"} & set(run) for run in results.config["sweep"]):
        images = ""
    count = say("{n} seed" if seeds == 1 else "{n} seeds", n=seeds)
    parts = (summary["dataset"], images, ", ".join(models), count, summary["device"])
    return "; ".join(filter(None, parts))


def slides(lesson: Lesson, results: Results) -> list[Plot]:
    """The figures of a lesson in large type, in the config's language."""
    say = speaker(results.config.get("language", "en"))
    return [plot._replace(slide=True) for plot in lesson.plots(results, say)]
