"""What the first screen of a section shows: a sentence, how many claims came out how, a figure."""

from collections.abc import Sequence

from rethinking_jax.analysis.claims import NO, NOT_MEASURED, YES
from rethinking_jax.analysis.curves import Plot
from rethinking_jax.language.translate import Translate
from rethinking_jax.report.section import Section

# Figures of how training went. The main figure is the first that shows what it came to; where
# there is none, it is the first figure of all.
OF_TRAINING = ("learning_curves", "accuracy")


def main_figure(plots: Sequence[Plot]) -> int | None:
    """Returns the index of the figure beside the sentence; None where there is no figure."""
    results = [i for i, plot in enumerate(plots) if plot.name not in OF_TRAINING]
    return next(iter([*results, *range(len(plots))]), None)


def counts(section: Section) -> dict[str, int]:
    """Returns how many claims came out how, by the outcome; {} where there are no claims."""
    yes, no = (sum(one.outcome == outcome for one in section.verdicts) for outcome in (YES, NO))
    found = {YES: yes, NO: no, NOT_MEASURED: len(section.verdicts) - yes - no}
    return found if section.verdicts else {}


def sentence(section: Section, say: Translate) -> str:
    """Says in one sentence what came out."""
    found = counts(section)
    if not found:
        return section.counts
    measured, refuted = len(section.measured), [v for v in section.measured if v.outcome == NO]
    if not measured:
        return say("None of {n} claims was measured by these runs.", n=len(section.verdicts))
    if not refuted:
        one, several = "The one claim that was measured holds.", "All {n} measured claims hold."
        return say(one) if measured == 1 else say(several, n=measured)
    values = {"yes": found[YES], "n": measured, "claim": refuted[0].claim.rstrip(".")}
    if len(refuted) == 1:
        return say("{yes} of {n} measured claims hold; this one does not: {claim}.", **values)
    phrase = "{yes} of {n} measured claims hold; {no} do not, the first of them: {claim}."
    return say(phrase, no=len(refuted), **values)
