"""The paper's networks as a PyTorch user writes them: the same layers, the same numbers.

Each network maps float32 [b, h, w, c] to logits, as the Flax modules do. The convolutional ones
look at the same memory as [b, c, h, w] in channels_last, the format in which PyTorch's
convolutions are fastest on a CPU and a GPU alike. Their outputs equal those of the Flax
modules with the same weights.

On AMD processors the MKL inside PyTorch does not take its fastest matrix kernels: an MLP
then runs at about half of what the machine can do. A library preloaded with
`LD_PRELOAD` that defines `int mkl_serv_intel_cpu_true(void) { return 1; }` lifts that;
compare both before you say which of two frameworks is the faster one.
"""

import itertools

import torch
from torch import nn
from torch.nn import functional


class MLP(nn.Module):
    """Dense layers with ReLU between them, on the pixels in a row."""

    def __init__(
        self, num_classes: int, image_shape: tuple[int, int, int], hidden: tuple[int, ...]
    ):
        """Makes layers of the widths in `hidden`, for images of image_shape, (h, w, c)."""
        super().__init__()
        height, width, channels = image_shape
        widths = (height * width * channels, *hidden, num_classes)
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in itertools.pairwise(widths))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps float32 [b, h, w, c] to logits [b, num_classes]."""
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = functional.relu(layer(x))
        return self.layers[-1](x)


class SmallAlexNet(nn.Module):
    """Two convolutions with pooling and local response normalization, three dense layers."""

    def __init__(self, num_classes: int, image_shape: tuple[int, int, int]):
        """Makes the layers for images of image_shape, (h, w, c)."""
        super().__init__()
        height, width, channels = image_shape
        left = -(-height // 4) * -(-width // 4)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(c, 64, 5, padding="same") for c in (channels, 64)
        )
        # PyTorch divides alpha by the number of channels in the window, TensorFlow does not.
        self.norm = nn.LocalResponseNorm(9, alpha=0.001, beta=0.75, k=1.0)
        self.layers = nn.ModuleList(
            [nn.Linear(64 * left, 384), nn.Linear(384, 192), nn.Linear(192, num_classes)]
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps float32 [b, h, w, c] to logits [b, num_classes]."""
        x = x.permute(0, 3, 1, 2)
        for convolution in self.convolutions:
            x = self.norm(max_pool(functional.relu(convolution(x))))
        x = x.permute(0, 2, 3, 1).flatten(1)
        for layer in self.layers[:-1]:
            x = functional.relu(layer(x))
        return self.layers[-1](x)


class ConvUnit(nn.Module):
    """Convolution, batch norm with a shift and no scale, ReLU."""

    def __init__(self, channels: int, features: int, size: int, stride: int = 1):
        """Makes the layers from `channels` to `features`; `size` is the side of the kernel."""
        super().__init__()
        self.size, self.stride = size, stride
        self.convolution = nn.Conv2d(channels, features, size, stride, bias=False)
        self.norm = nn.BatchNorm2d(features, eps=1e-3, momentum=0.1)
        self.norm.weight.requires_grad_(False)  # it stays 1: the kernel wants it, no one trains it

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps [b, c, h, w] to [b, features, ceil(h / stride), ceil(w / stride)]."""
        weight = self.convolution.weight
        if self.stride == 1:
            x = functional.conv2d(x, weight, padding=self.size // 2)
        else:
            x = functional.conv2d(*same_padded(x, weight), stride=self.stride)
        return functional.relu(self.norm(x))


class Block(nn.Module):
    """Two branches side by side: 1x1 and 3x3, or a 3x3 of stride 2 and a pooling."""

    def __init__(self, channels: int, narrow: int, wide: int):
        """Makes `narrow` features of the 1x1 branch, 0 to downsample, and `wide` of the 3x3."""
        super().__init__()
        self.first = ConvUnit(channels, narrow, 1) if narrow else None
        self.second = ConvUnit(channels, wide, 3, 1 if narrow else 2)
        self.features = wide + (narrow or channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps [b, c, h, w] to [b, features, h, w], or half of the sides."""
        if self.first is None:
            return torch.cat([self.second(x), max_pool(x)], 1)
        return torch.cat([self.first(x), self.second(x)], 1)


class SmallInception(nn.Module):
    """The small Inception with batch norm."""

    def __init__(self, num_classes: int, image_shape: tuple[int, int, int]):
        """Makes the layers for images of any size; image_shape is (h, w, c)."""
        super().__init__()
        self.stem = ConvUnit(image_shape[2], 96, 3)
        blocks, channels = [], 96
        for narrow, wide in (
            (32, 32), (32, 48), (0, 80), (112, 48), (96, 64), (80, 80), (48, 96), (0, 96),
            (176, 160), (176, 160),
        ):  # fmt: skip
            blocks.append(Block(channels, narrow, wide))
            channels = blocks[-1].features
        self.blocks = nn.Sequential(*blocks)
        self.classifier = nn.Linear(channels, num_classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Maps float32 [b, h, w, c] to logits [b, num_classes]."""
        x = self.blocks(self.stem(x.permute(0, 3, 1, 2)))
        return self.classifier(x.mean((2, 3)))


def max_pool(x: torch.Tensor) -> torch.Tensor:
    """Pools [b, c, h, w] by 3x3, stride 2, with the "SAME" padding of JAX and TensorFlow."""
    odd_h, odd_w = x.shape[2] % 2, x.shape[3] % 2
    # An even side is padded by one at its end alone, which is what ceil_mode does.
    return functional.max_pool2d(x, 3, 2, padding=(odd_h, odd_w), ceil_mode=True)


def same_padded(x: torch.Tensor, weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Pads [b, c, h, w] as "SAME" does for a 3x3 kernel of stride 2."""
    odd_h, odd_w = x.shape[2] % 2, x.shape[3] % 2
    return functional.pad(x, (odd_w, 1, odd_h, 1)), weight


def create_torch_model(name: str, num_classes: int, image_shape: tuple[int, int, int]) -> nn.Module:
    """Makes the network of one of `torch_check.MODELS`, its weights in channels_last."""
    if name.startswith("mlp"):
        return MLP(num_classes, image_shape, (512,) * int(name[4]))
    network: nn.Module
    if name == "alexnet_small":
        network = SmallAlexNet(num_classes, image_shape)
    else:
        network = SmallInception(num_classes, image_shape)
    return network.to(memory_format=torch.channels_last)


def count_parameters(model: nn.Module) -> int:
    """Counts the numbers that are trained."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)
