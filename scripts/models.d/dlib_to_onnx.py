"""Exports dlib's face recognition network to ONNX and checks the graph against plain numpy.

The file holds the weights of `anet_type` of dlib's examples/dnn_face_recognition_ex.cpp (Davis King, 2017): a ResNet (He et al.
2016) of 29 convolutions that puts a face into 128 numbers. dlib writes a network as the versions of its layers from the last to
the first and then their contents from the first to the last (dlib/dnn/core.h, layers.h and serialize.h, release 19.24).

Graph: faces, float32 [batch, 3, 150, 150], planes red, green, blue of 0 to 255 -> vectors, float32 [batch, 128], not normalised.

Usage: dlib_to_onnx.py dlib_face_recognition_resnet_model_v1.dat OUT.onnx
"""

import pathlib
import struct
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TOLERANCE = 1e-4
SIDE = 150
# Residual blocks from the input on: (filters, halves the picture).
BLOCKS = (
    [(32, False)] * 3
    + [(64, True)] + [(64, False)] * 3
    + [(128, True)] + [(128, False)] * 2
    + [(256, True)] + [(256, False)] * 2
    + [(256, True)]
)


class Reader:
    """dlib's serialisation: numbers, strings and tensors one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        self.at += count
        if self.at > len(self.data):
            raise ValueError("the file ends too early")
        return self.data[self.at - count : self.at]

    def integer(self):
        """A byte with the count of bytes and the sign (0x80), then the value from its lowest byte."""
        (head,) = self.take(1)
        value = int.from_bytes(self.take(head & 0x0F), "little")
        return -value if head & 0x80 else value

    def real(self):
        """Mantissa and binary exponent; exponents from 32000 on stand for infinities and NaN."""
        mantissa, exponent = self.integer(), self.integer()
        if exponent >= 32000:
            raise ValueError("a number that is not finite")
        return mantissa * 2.0**exponent

    def text(self):
        return self.take(self.integer()).decode("ascii")

    def expect(self, *wanted):
        at, found = self.at, self.text()
        if found not in wanted:
            raise ValueError(f"{found!r} at byte {at} instead of {wanted}")

    def shape(self):
        """Of a tensor that is a view of another one."""
        if self.integer() != 1:
            raise ValueError(f"a shape of an unknown version before byte {self.at}")
        return tuple(self.integer() for _ in range(4))

    def tensor(self):
        if self.integer() != 2:
            raise ValueError(f"a tensor of an unknown version before byte {self.at}")
        shape = tuple(self.integer() for _ in range(4))
        return np.frombuffer(self.take(4 * int(np.prod(shape))), "<f4").reshape(shape)

    def after_layer(self):
        """What training keeps with a layer: three flags, then gradients and the last output, all empty or unused here."""
        self.take(3)
        for _ in range(3):
            self.tensor()


def read_conv(r, first=False):
    r.expect("con_4")
    params = r.tensor().ravel()
    filters, rows, columns, stride, stride_x, pad, pad_x = (r.integer() for _ in range(7))
    weight_shape, bias_shape = r.shape(), r.shape()
    for _ in range(4):
        r.real()
    if (rows, stride, pad) != (columns, stride_x, pad_x) or weight_shape[0] != filters or weight_shape[2:] != (rows, columns):
        raise ValueError(f"a convolution that is not square before byte {r.at}")
    count = int(np.prod(weight_shape))
    conv = {"weight": params[:count].reshape(weight_shape), "bias": params[count:].reshape(-1), "stride": stride, "pad": pad}
    if conv["bias"].size != int(np.prod(bias_shape)):
        raise ValueError(f"a convolution without its bias before byte {r.at}")
    if first:
        # The innermost layer keeps its input's factor instead of a third tensor.
        r.take(3)
        for _ in range(3):
            r.tensor()
        if r.integer() != 1:
            raise ValueError("an input that is expanded")
    else:
        r.after_layer()
    r.expect("affine_")
    params = r.tensor().ravel()
    gamma, beta = r.shape(), r.shape()
    r.integer()
    r.after_layer()
    if gamma != beta or params.size != 2 * filters:
        raise ValueError(f"an affine layer of another size before byte {r.at}")
    conv["scale"], conv["offset"] = params[:filters], params[filters:]
    return conv


def read_pool(r, kind, wanted):
    r.expect(kind)
    found = tuple(r.integer() for _ in range(6))
    if found != wanted:
        raise ValueError(f"{kind} {found} instead of {wanted}")
    r.after_layer()


def read_plain(r, kind):
    r.expect(kind)
    r.after_layer()


def read(data):
    """The network as {mean, stem, blocks: [(first, second)], head}; every byte must be accounted for."""
    r = Reader(data)
    if r.integer() != 1:
        raise ValueError("a network of an unknown version")
    r.expect("loss_metric_2")
    r.real(), r.real()
    # 2 for a layer, 1 for a tag or a skip, from the last to the first; 3 for the first convolution, which holds the input.
    versions = [2, 2]
    for _, halves in reversed(BLOCKS):
        versions += [2, 2] + ([2, 1, 1] if halves else []) + [2, 2, 2, 2, 2, 1]
    versions += [2, 2, 2, 3]
    found = [r.integer() for _ in versions]
    if found != versions:
        raise ValueError("another order of layers than dnn_face_recognition_ex's")
    r.expect("input_rgb_image_sized")
    net = {"mean": [r.real(), r.real(), r.real()], "blocks": []}
    if (r.integer(), r.integer()) != (SIDE, SIDE):
        raise ValueError("an input of another size")
    net["stem"] = read_conv(r, first=True)
    read_plain(r, "relu_")
    read_pool(r, "max_pool_2", (3, 3, 2, 2, 0, 0))
    for _, halves in BLOCKS:
        first = read_conv(r)
        read_plain(r, "relu_")
        second = read_conv(r)
        if halves:
            read_pool(r, "avg_pool_2", (2, 2, 2, 2, 0, 0))
        read_plain(r, "add_prev_")
        read_plain(r, "relu_")
        net["blocks"].append((first, second))
    read_pool(r, "avg_pool_2", (0, 0, 1, 1, 0, 0))
    r.expect("fc_2")
    outputs, inputs = r.integer(), r.integer()
    net["head"] = r.tensor().reshape(inputs, outputs)
    r.shape(), r.shape(), r.integer()
    for _ in range(4):
        r.real()
    r.after_layer()
    return net, r


def build(net):
    nodes, weights = [], {}

    def weight(array):
        name = f"w{len(weights)}"
        weights[name] = np.ascontiguousarray(array)
        return name

    def op(kind, *inputs, name=None, **attributes):
        name = name or f"{kind.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def conv(x, c):
        """The affine layer is part of the convolution here."""
        scale = c["scale"].astype(np.float64)
        kernel = (c["weight"] * scale[:, None, None, None]).astype(np.float32)
        bias = (c["bias"] * scale + c["offset"]).astype(np.float32)
        return op("Conv", x, weight(kernel), weight(bias), strides=[c["stride"]] * 2, pads=[c["pad"]] * 4)

    def grow(x, shape, wanted):
        """dlib adds pictures of unlike size as if the smaller one went on with zeros to the right, below and in further channels."""
        if shape == wanted:
            return x
        more = [0, 0, 0, 0, 0] + [w - s for w, s in zip(wanted, shape)]
        return op("Pad", x, weight(np.array(more, np.int64)))

    mean = weight(np.array(net["mean"], np.float32).reshape(1, 3, 1, 1))
    x = op("Mul", op("Sub", "faces", mean), weight(np.float32(1 / 256)))
    x = op("MaxPool", op("Relu", conv(x, net["stem"])), kernel_shape=[3, 3], strides=[2, 2])
    channels, side = net["stem"]["weight"].shape[0], ((SIDE - 7) // 2 + 1 - 3) // 2 + 1
    for first, second in net["blocks"]:
        y = conv(op("Relu", conv(x, first)), second)
        new = (second["weight"].shape[0], *[(side + 2 * first["pad"] - 3) // first["stride"] + 1] * 2)
        old = (channels, side, side)
        if first["stride"] == 2:
            x = op("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])
            old = (channels, side // 2, side // 2)
        both = tuple(max(pair) for pair in zip(old, new))
        x = op("Relu", op("Add", grow(x, old, both), grow(y, new, both)))
        channels, side = both[0], both[1]
    x = op("Flatten", op("GlobalAveragePool", x))
    op("MatMul", x, weight(net["head"]), name="vectors")

    batch = lambda name, *shape: helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", *shape])
    graph = helper.make_graph(
        nodes, "face_embedder", [batch("faces", 3, SIDE, SIDE)], [batch("vectors", net["head"].shape[1])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="heimdex")
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    return model


def reference(net, faces):
    """The same network in float64 numpy, layer by layer as dlib computes it: sums over shifted copies, affine layers by themselves."""

    def conv(x, c):
        p, s = c["pad"], c["stride"]
        x = np.pad(x, ((0, 0), (p, p), (p, p)))
        k = c["weight"].shape[2]
        rows, columns = ((n - k) // s + 1 for n in x.shape[1:])
        y = np.zeros((c["weight"].shape[0], rows, columns))
        for i in range(k):
            for j in range(k):
                part = x[:, i : i + s * (rows - 1) + 1 : s, j : j + s * (columns - 1) + 1 : s]
                y += np.einsum("oc,chw->ohw", c["weight"][:, :, i, j].astype(np.float64), part, optimize=True)
        y += c["bias"].astype(np.float64)[:, None, None]
        return y * c["scale"].astype(np.float64)[:, None, None] + c["offset"].astype(np.float64)[:, None, None]

    def windows(x, size):
        rows, columns = ((n - size) // 2 + 1 for n in x.shape[1:])
        return [x[:, i : i + 2 * rows - 1 : 2, j : j + 2 * columns - 1 : 2] for i in range(size) for j in range(size)]

    vectors = []
    for face in faces.astype(np.float64):
        x = (face - np.array(net["mean"])[:, None, None]) / 256
        x = np.max(windows(np.maximum(conv(x, net["stem"]), 0), 3), axis=0)
        for first, second in net["blocks"]:
            y = conv(np.maximum(conv(x, first), 0), second)
            if first["stride"] == 2:
                x = np.mean(windows(x, 2), axis=0)
            both = np.zeros(np.maximum(x.shape, y.shape))
            for part in (x, y):
                both[: part.shape[0], : part.shape[1], : part.shape[2]] += part
            x = np.maximum(both, 0)
        vectors.append(x.mean(axis=(1, 2)) @ net["head"].astype(np.float64))
    return np.stack(vectors)


def main():
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    data = source.read_bytes()
    try:
        net, rest = read(data)
        if rest.at != len(data):
            raise ValueError(f"{len(data) - rest.at} bytes are left over")
    except ValueError as error:
        sys.exit(f"{source}: not dlib's face recognition network: {error}")
    model = build(net)

    random = np.random.default_rng(7)
    smooth = np.kron(random.uniform(0, 255, (1, 3, 10, 10)), np.ones((15, 15)))
    faces = np.concatenate([smooth, random.uniform(0, 255, (1, 3, SIDE, SIDE))]).astype(np.float32)
    from onnx.reference import ReferenceEvaluator

    found = ReferenceEvaluator(model).run(None, {"faces": faces})[0]
    error = np.abs(found - reference(net, faces)).max()
    if not error < TOLERANCE:
        sys.exit(f"{source}: the exported graph differs from numpy by {error:.2e}, more than {TOLERANCE:.0e}")
    out.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{out.name}: {out.stat().st_size} bytes, largest difference to numpy {error:.1e}", file=sys.stderr)


if __name__ == "__main__":
    main()
