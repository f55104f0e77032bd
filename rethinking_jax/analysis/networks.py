"""What a reader calls the networks that this package knows, and what kind each is."""

from typing import NamedTuple


class Network(NamedTuple):
    """What a report says of an architecture.

    Attributes:
      name: its name in English; {layers} and {width} stand for what `hidden_sizes` says.
      dense: whether it has no convolution.
      sized: whether the config key `hidden_sizes` has the sizes of its layers.
    """

    name: str
    dense: bool = False
    sized: bool = False


# The networks by the names of their models; one that is not here has the name of its model.
NETWORKS = {
    "vgg_small": Network("VGG-style"),
    "all_cnn": Network("All-CNN-C"),
    "mobilenet_small": Network("small MobileNet"),
    "inception_small": Network("small Inception"),
    "inception_small_no_bn": Network("small Inception without batch norm"),
    "alexnet_small": Network("small AlexNet"),
    "wide_resnet_28_1": Network("Wide ResNet 28-1"),
    "mlp": Network("MLP {layers}x{width}", dense=True, sized=True),
    "mlp_sigmoid": Network("mlp_sigmoid", dense=True, sized=True),
    "mlp_1x512": Network("MLP 1x512", dense=True),
    "mlp_3x512": Network("MLP 3x512", dense=True),
    "maxout": Network("Maxout 2x240", dense=True),
    "linear": Network("linear", dense=True),
}


def network(model: str) -> Network:
    """Returns the network of a model."""
    return NETWORKS.get(model, Network(model))
