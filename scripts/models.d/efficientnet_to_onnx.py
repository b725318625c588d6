"""Exports EfficientNet-Lite0 (a PyTorch checkpoint) to ONNX and checks the graph against plain numpy.

Graph: pixels, float32 [batch, 3, 224, 224], RGB, each (byte / 255 - 0.5) / 0.5 -> logits, float32 [batch, 1000], one for
each class of ImageNet-1k in the order of the synsets' numbers.
The network: Tan, Le, "EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks" (2019), in the "Lite" form of
tensorflow/tpu's models/official/efficientnet/lite: no squeeze-and-excitation, ReLU6, stem and head of fixed width. Weights
trained there, converted by ML Illustrated. Batch normalisation is folded into the convolutions. No torch is needed.

Usage: efficientnet_to_onnx.py CHECKPOINT.pth OUT.onnx
"""

import pathlib
import sys

import numpy as np

from onnx_graph import FLOAT, Graph, load_evaluator, write_if_equal
from torch_pickle import read_checkpoint

TOLERANCE = 1e-4
SIDE = 224
# The check runs on small pictures: all that the size changes is how often the same sums are done.
CHECKED_SIDE = 64
EPSILON = 1e-3
# Repeats, kernel, stride of the first, expansion, channels in, channels out (EfficientNet's table 1).
STAGES = [
    (1, 3, 1, 1, 32, 16),
    (2, 3, 2, 6, 16, 24),
    (2, 5, 2, 6, 24, 40),
    (3, 3, 2, 6, 40, 80),
    (3, 5, 1, 6, 80, 112),
    (4, 5, 2, 6, 112, 192),
    (1, 3, 1, 6, 192, 320),
]


def blocks():
    """(prefix, kernel, stride, expansion, has a shortcut) of each inverted residual block."""
    number = 0
    for repeats, kernel, stride, expansion, inside, outside in STAGES:
        for repeat in range(repeats):
            first = repeat == 0
            shortcut = not first or (stride == 1 and inside == outside)
            yield f"_blocks.{number}.", kernel, stride if first else 1, expansion, shortcut
            number += 1


def build(tensors, side):
    g = Graph()

    def convolve(x, weight, norm, stride=1, groups=1, clipped=True):
        kernel = tensors[weight]
        scale = tensors[norm + ".weight"] / np.sqrt(tensors[norm + ".running_var"] + EPSILON)
        size = kernel.shape[-1]
        # TensorFlow's "SAME" for even sides: of an odd margin the larger half is at the right and the bottom.
        margin = size - stride
        pads = [margin // 2] * 2 + [margin - margin // 2] * 2
        x = g.op(
            "Conv", x,
            g.weight((kernel * scale[:, None, None, None]).astype(np.float32), weight),
            g.weight((tensors[norm + ".bias"] - tensors[norm + ".running_mean"] * scale).astype(np.float32), norm),
            kernel_shape=[size, size], strides=[stride, stride], pads=pads, group=groups,
        )
        return g.op("Clip", x, low, high) if clipped else x

    low, high = g.weight(np.float32(0)), g.weight(np.float32(6))
    x = convolve("pixels", "_conv_stem.weight", "_bn0", stride=2)
    for p, _, stride, expansion, shortcut in blocks():
        y = x if expansion == 1 else convolve(x, p + "_expand_conv.weight", p + "_bn0")
        depthwise = tensors[p + "_depthwise_conv.weight"]
        y = convolve(y, p + "_depthwise_conv.weight", p + "_bn1", stride, groups=len(depthwise))
        y = convolve(y, p + "_project_conv.weight", p + "_bn2", clipped=False)
        x = g.op("Add", x, y) if shortcut else y
    x = convolve(x, "_conv_head.weight", "_bn1")
    x = g.op("Flatten", g.op("GlobalAveragePool", x))
    g.op("Gemm", x, g.weight(tensors["_fc.weight"], "_fc.weight"), g.weight(tensors["_fc.bias"], "_fc.bias"), transB=1, names=["logits"])
    classes = len(tensors["_fc.bias"])
    return g.model("classifier", {"pixels": (FLOAT, ["batch", 3, side, side])}, {"logits": (FLOAT, ["batch", classes])})


def reference(tensors, pictures):
    """The same network in float64 numpy, written from the paper and not from the graph above: nothing folded, pictures
    [batch, rows, columns, channels], a convolution as a sum over the kernel's places."""
    t = {name: array.astype(np.float64) for name, array in tensors.items()}

    def norm(x, prefix):
        return (x - t[prefix + ".running_mean"]) / np.sqrt(t[prefix + ".running_var"] + EPSILON) * t[prefix + ".weight"] + t[prefix + ".bias"]

    def same(x, size, stride):
        """Pads as TensorFlow's "SAME" does; the padded picture and the output's sides."""
        sides = [-(-side // stride) for side in x.shape[1:3]]
        margins = [max((out - 1) * stride + size - side, 0) for out, side in zip(sides, x.shape[1:3])]
        return np.pad(x, [(0, 0), *((m // 2, m - m // 2) for m in margins), (0, 0)]), sides

    def convolve(x, kernel, stride, depthwise=False):
        size = kernel.shape[-1]
        padded, (rows, columns) = same(x, size, stride)
        total = 0
        for row in range(size):
            for column in range(size):
                seen = padded[:, row : row + rows * stride : stride, column : column + columns * stride : stride]
                total = total + (seen * kernel[:, 0, row, column] if depthwise else seen @ kernel[:, :, row, column].T)
        return total

    def relu6(x):
        return np.clip(x, 0, 6)

    x = relu6(norm(convolve(pictures.transpose(0, 2, 3, 1).astype(np.float64), t["_conv_stem.weight"], 2), "_bn0"))
    for p, _, stride, expansion, shortcut in blocks():
        y = x if expansion == 1 else relu6(norm(convolve(x, t[p + "_expand_conv.weight"], 1), p + "_bn0"))
        y = relu6(norm(convolve(y, t[p + "_depthwise_conv.weight"], stride, depthwise=True), p + "_bn1"))
        y = norm(convolve(y, t[p + "_project_conv.weight"], 1), p + "_bn2")
        x = x + y if shortcut else y
    x = relu6(norm(convolve(x, t["_conv_head.weight"], 1), "_bn1"))
    return x.mean((1, 2)) @ t["_fc.weight"].T + t["_fc.bias"]


def main():
    checkpoint, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    tensors = read_checkpoint(checkpoint)
    pictures = np.random.default_rng(7).uniform(-1, 1, (2, 3, CHECKED_SIDE, CHECKED_SIDE)).astype(np.float32)
    found = load_evaluator(build(tensors, CHECKED_SIDE))({"pixels": pictures})
    write_if_equal(build(tensors, SIDE), out, found, reference(tensors, pictures), TOLERANCE)


if __name__ == "__main__":
    main()
