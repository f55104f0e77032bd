"""What a network answers on wrongly labelled training examples: their label, or their true class.

At first many are given their true class, later the label that they have ("early learning", Liu et
al. 2020).
"""

from rethinking_jax.workdir.metrics import Line


def memorized_share(line: Line) -> float:
    """Returns the share of the wrongly labelled examples that are given their label."""
    return float(line.get("train_accuracy_on_corrupted") or 0.0)


def corrected_share(line: Line, wrong: float) -> float:
    """Returns the share of the wrongly labelled examples that are given their true class.

    An example that is right by its true label is either one with a clean label that is right by
    it, or a wrongly labelled one that is corrected.

    Args:
      line: of a run, over the examples that it trains on.
      wrong: the share of them that is wrongly labelled.
    """
    if not wrong:
        return 0.0
    clean = (1 - wrong) * float(line.get("train_accuracy_on_clean") or 0.0)
    return max(0.0, (float(line["train_accuracy_true_labels"]) - clean) / wrong)
