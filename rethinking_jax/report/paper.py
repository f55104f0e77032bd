"""Numbers of Zhang et al. (2017), arXiv 1611.03530, that a report puts beside ours.

Nothing here was measured by this package. All of it is on CIFAR-10; Table 1 is copied,
Figure 1 (in figure1.json) was read off the vector graphics of the paper.
"""

import functools
import importlib.resources
import json
from typing import Any, NamedTuple

DATASET = "cifar10"
MODELS = {
    "inception_small": "small Inception",
    "inception_small_no_bn": "small Inception without batch norm",
    "alexnet_small": "small AlexNet",
    "mlp_3x512": "MLP 3x512",
    "mlp_1x512": "MLP 1x512",
}


class Row(NamedTuple):
    """A row of Table 1; accuracies from 0 to 1, those of the end of training."""

    model: str
    setting: str
    weight_decay: bool
    train_accuracy: float
    test_accuracy: float


# Without random crops: nothing here trains with them.
TABLE_1 = (
    Row("inception_small", "true_labels", True, 1.0, 0.8603),
    Row("inception_small", "true_labels", False, 1.0, 0.8575),
    Row("inception_small", "random_labels", False, 1.0, 0.0978),
    Row("inception_small_no_bn", "true_labels", True, 1.0, 0.8300),
    Row("inception_small_no_bn", "true_labels", False, 1.0, 0.8200),
    Row("inception_small_no_bn", "random_labels", False, 1.0, 0.1012),
    Row("alexnet_small", "true_labels", True, 1.0, 0.7736),
    Row("alexnet_small", "true_labels", False, 1.0, 0.7607),
    Row("alexnet_small", "random_labels", False, 0.9982, 0.0986),
    Row("mlp_3x512", "true_labels", True, 1.0, 0.5335),
    Row("mlp_3x512", "true_labels", False, 1.0, 0.5239),
    Row("mlp_3x512", "random_labels", False, 1.0, 0.1048),
    Row("mlp_1x512", "true_labels", True, 0.9980, 0.5039),
    Row("mlp_1x512", "true_labels", False, 1.0, 0.5051),
    Row("mlp_1x512", "random_labels", False, 0.9934, 0.1061),
)


def table_1(model: str, setting: str, weight_decay: bool = False) -> Row | None:
    """The row of Table 1 for a model, a setting and weight decay on or off, where it has one."""
    return next((row for row in TABLE_1 if row[:3] == (model, setting, weight_decay)), None)


@functools.cache
def figure_1() -> dict[str, Any]:
    """Figure 1 as numbers.

    Returns:
      thousand_steps [69] with training_loss {setting: [69]} (1a, small Inception);
      label_noise [11] with relative_time and test_error {model: [11]} (1b and 1c).
    """
    file = importlib.resources.files(__package__).joinpath("figure1.json")
    result: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return result
