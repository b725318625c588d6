"""Converts a small convolutional TensorFlow Lite model to ONNX and checks the graph against plain numpy.

Knows what MediaPipe's face detectors and face landmark model are made of (the table OPERATORS; schema.fbs of TensorFlow Lite 2.18),
and refuses anything else. 16-bit weights become 32-bit. Pictures go in as float32 [1, 3, height, width] instead of TensorFlow's
[1, height, width, 3]; outputs keep TensorFlow's order of values.

Usage: tflite_to_onnx.py MODEL.tflite OUT.onnx INPUT OUTPUT...     names for the graph's input and outputs, in the model's order
"""

import pathlib
import sys

import numpy as np
import onnx
import tflite
from onnx import TensorProto, helper, numpy_helper

TOLERANCE = 1e-4
DTYPES = {tflite.TensorType.FLOAT32: np.float32, tflite.TensorType.FLOAT16: np.float16, tflite.TensorType.INT32: np.int32}
NAMES = {code: name for name, code in vars(tflite.BuiltinOperator).items() if isinstance(code, int)}
# The options that each operator has.
OPERATORS = {
    "ADD": tflite.AddOptions, "CONCATENATION": tflite.ConcatenationOptions, "CONV_2D": tflite.Conv2DOptions,
    "DEPTHWISE_CONV_2D": tflite.DepthwiseConv2DOptions, "DEQUANTIZE": None, "MAX_POOL_2D": tflite.Pool2DOptions, "PAD": None,
    "PRELU": None, "RELU": None, "RESHAPE": None, "RESIZE_BILINEAR": tflite.ResizeBilinearOptions,
}


class Step:
    """One operator: its kind, tensors by number, and options."""

    def __init__(self, kind, operator):
        self.kind = kind
        self.inputs = [operator.Inputs(i) for i in range(operator.InputsLength())]
        self.output = operator.Outputs(0)
        self.options = None
        if OPERATORS[kind] is not None and operator.BuiltinOptions() is not None:
            self.options = OPERATORS[kind]()
            self.options.Init(operator.BuiltinOptions().Bytes, operator.BuiltinOptions().Pos)

    @property
    def activation(self):
        return self.options.FusedActivationFunction() if hasattr(self.options, "FusedActivationFunction") else 0


class Model:
    """A flat description: `shapes` and `constants` by tensor number, `steps` in order."""

    def __init__(self, data):
        model = tflite.Model.GetRootAsModel(data, 0)
        if model.SubgraphsLength() != 1:
            raise ValueError("more than one graph")
        graph = model.Subgraphs(0)
        self.shapes, self.constants, self.steps = {}, {}, []
        for number in range(graph.TensorsLength()):
            tensor = graph.Tensors(number)
            self.shapes[number] = tuple(int(n) for n in tensor.ShapeAsNumpy()) if tensor.ShapeLength() else ()
            raw = model.Buffers(tensor.Buffer()).DataAsNumpy()
            if not isinstance(raw, int) and len(raw):
                self.constants[number] = raw.tobytes(), tensor.Type()
        for number, (raw, kind) in list(self.constants.items()):
            if kind not in DTYPES:
                raise ValueError(f"tensor {number} is of an unknown type {kind}")
            self.constants[number] = np.frombuffer(raw, DTYPES[kind]).reshape(self.shapes[number])
        for number in range(graph.OperatorsLength()):
            operator = graph.Operators(number)
            code = model.OperatorCodes(operator.OpcodeIndex())
            kind = NAMES[max(code.BuiltinCode(), code.DeprecatedBuiltinCode())]
            if kind not in OPERATORS:
                raise ValueError(f"operator {kind} is not known here")
            step = Step(kind, operator)
            if kind == "DEQUANTIZE":
                # Only weights are stored with 16 bits.
                self.constants[step.output] = self.constants[step.inputs[0]].astype(np.float32)
            elif step.activation not in (tflite.ActivationFunctionType.NONE, tflite.ActivationFunctionType.RELU):
                raise ValueError(f"{kind} with the activation {step.activation}")
            else:
                self.steps.append(step)
        self.input = graph.Inputs(0)
        self.outputs = [graph.Outputs(i) for i in range(graph.OutputsLength())]


def same_padding(size, window, stride):
    """TensorFlow's SAME: as much as ceil(size / stride) outputs need, the odd one at the end."""
    total = max((-(-size // stride) - 1) * stride + window - size, 0)
    return total // 2, total - total // 2


def paddings(step, shape, window):
    """((top, bottom), (left, right)) for an input of `shape` [1, height, width, channels]."""
    if step.options.Padding() == tflite.Padding.VALID:
        return (0, 0), (0, 0)
    return same_padding(shape[1], window[0], step.options.StrideH()), same_padding(shape[2], window[1], step.options.StrideW())


def interpolation(old, new, half):
    """Matrix [new, old] that stretches a row of values linearly; `half` puts values in the middle of their pixels."""
    matrix = np.zeros((new, old), np.float32)
    for row in range(new):
        at = min(max((row + 0.5) * old / new - 0.5 if half else row * old / new, 0), old - 1)
        low = int(at)
        matrix[row, low] += 1 - (at - low)
        matrix[row, min(low + 1, old - 1)] += at - low
    return matrix


def build(model, input_name, output_names):
    nodes, weights, names = [], {}, {}

    def weight(array):
        name = f"w{len(weights)}"
        weights[name] = np.ascontiguousarray(array)
        return name

    def op(kind, *inputs, **attributes):
        name = f"{kind.lower()}_{len(nodes)}"
        nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def planes(number):
        """Name of a tensor in ONNX's order."""
        if number in names:
            return names[number]
        constant = model.constants[number]
        return weight(constant.transpose(0, 3, 1, 2) if constant.ndim == 4 else constant)

    def window(step, shape, size):
        (top, bottom), (left, right) = paddings(step, shape, size)
        return {"strides": [step.options.StrideH(), step.options.StrideW()], "pads": [top, left, bottom, right]}

    names[model.input] = input_name
    for step in model.steps:
        first, shape = step.inputs[0], model.shapes[step.inputs[0]]
        if step.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel, bias = model.constants[step.inputs[1]], model.constants[step.inputs[2]]
            groups = 1
            if step.kind == "CONV_2D":
                kernel = kernel.transpose(0, 3, 1, 2)
            else:
                groups, kernel = shape[3], kernel.transpose(3, 0, 1, 2)
            spread = [step.options.DilationHFactor(), step.options.DilationWFactor()]
            if spread != [1, 1]:
                raise ValueError(f"{step.kind} with gaps {spread}")
            x = op("Conv", planes(first), weight(kernel), weight(bias), group=groups, **window(step, shape, kernel.shape[2:]))
        elif step.kind == "MAX_POOL_2D":
            size = [step.options.FilterHeight(), step.options.FilterWidth()]
            x = op("MaxPool", planes(first), kernel_shape=size, **window(step, shape, size))
        elif step.kind == "ADD":
            x = op("Add", planes(first), planes(step.inputs[1]))
        elif step.kind == "RELU":
            x = op("Relu", planes(first))
        elif step.kind == "PRELU":
            slope = model.constants[step.inputs[1]]
            x = op("PRelu", planes(first), weight(slope.transpose(2, 0, 1)))
        elif step.kind == "PAD":
            before, after = model.constants[step.inputs[1]][[0, 3, 1, 2]].T
            x = op("Pad", planes(first), weight(np.concatenate([before, after]).astype(np.int64)))
        elif step.kind == "RESIZE_BILINEAR":
            if step.options.AlignCorners():
                raise ValueError("a resize with aligned corners")
            # As two products with constant matrices: linear either way, and onnx's own evaluator needs minutes for a Resize.
            height, width = model.constants[step.inputs[1]].tolist()
            half = step.options.HalfPixelCenters()
            x = op("MatMul", planes(first), weight(interpolation(shape[2], width, half).T))
            x = op("MatMul", weight(interpolation(shape[1], height, half)), x)
        elif step.kind == "RESHAPE":
            x = op("Transpose", planes(first), perm=[0, 2, 3, 1]) if len(shape) == 4 else planes(first)
            x = op("Reshape", x, weight(np.array(model.shapes[step.output], np.int64)))
        elif step.kind == "CONCATENATION":
            axis = step.options.Axis() % len(shape)
            axis = [0, 2, 3, 1][axis] if len(shape) == 4 else axis
            x = op("Concat", *map(planes, step.inputs), axis=axis)
        if step.activation == tflite.ActivationFunctionType.RELU:
            x = op("Relu", x)
        names[step.output] = x

    outputs = []
    for number, name in zip(model.outputs, output_names, strict=True):
        shape = model.shapes[number]
        if len(shape) == 4:
            # What is one value wide and high has the same order either way.
            if shape[1:3] != (1, 1):
                raise ValueError(f"the output {name} is a picture")
            flat = (1, shape[3])
            names[number] = op("Reshape", names[number], weight(np.array(flat, np.int64)))
            shape = flat
        nodes.append(helper.make_node("Identity", [names[number]], [name]))
        outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    _, height, width, channels = model.shapes[model.input]
    inputs = [helper.make_tensor_value_info(input_name, TensorProto.FLOAT, [1, channels, height, width])]
    initializers = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph(nodes, "converted", inputs, outputs, initializers)
    result = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], producer_name="heimdex")
    result.ir_version = 10
    onnx.checker.check_model(result, full_check=True)
    return result


def reference(model, picture):
    """The same model in float64 numpy, in TensorFlow's own order [height, width, channels], by sums over shifted copies."""
    values = {number: array.astype(np.float64) for number, array in model.constants.items()}
    values[model.input] = picture.astype(np.float64)

    def shifted(x, step, size, fill):
        (top, bottom), (left, right) = paddings(step, x.shape, size)
        x = np.pad(x[0], ((top, bottom), (left, right), (0, 0)), constant_values=fill)
        down, across = step.options.StrideH(), step.options.StrideW()
        rows, columns = (x.shape[0] - size[0]) // down + 1, (x.shape[1] - size[1]) // across + 1
        for i in range(size[0]):
            for j in range(size[1]):
                yield i, j, x[i : i + down * (rows - 1) + 1 : down, j : j + across * (columns - 1) + 1 : across]

    def stretch(x, size, axis, half):
        """Linear interpolation along one axis."""
        old, new = x.shape[axis], int(size)
        at = (np.arange(new) + 0.5) * old / new - 0.5 if half else np.arange(new) * old / new
        at = np.clip(at, 0, old - 1)
        low = np.floor(at).astype(int)
        part = (at - low).reshape([-1 if n == axis else 1 for n in range(x.ndim)])
        return np.take(x, low, axis) * (1 - part) + np.take(x, np.minimum(low + 1, old - 1), axis) * part

    for step in model.steps:
        x = values[step.inputs[0]]
        if step.kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
            kernel = values[step.inputs[1]]
            if step.kind == "CONV_2D":
                y = sum(part @ kernel[:, i, j].T for i, j, part in shifted(x, step, kernel.shape[1:3], 0))
            else:
                y = sum(part * kernel[0, i, j] for i, j, part in shifted(x, step, kernel.shape[1:3], 0))
            y = (y + values[step.inputs[2]])[None]
        elif step.kind == "MAX_POOL_2D":
            size = step.options.FilterHeight(), step.options.FilterWidth()
            y = np.max([part for _, _, part in shifted(x, step, size, -np.inf)], axis=0)[None]
        elif step.kind == "ADD":
            y = x + values[step.inputs[1]]
        elif step.kind == "RELU":
            y = np.maximum(x, 0)
        elif step.kind == "PRELU":
            y = np.where(x < 0, x * values[step.inputs[1]], x)
        elif step.kind == "PAD":
            y = np.pad(x, values[step.inputs[1]].astype(int))
        elif step.kind == "RESIZE_BILINEAR":
            height, width = values[step.inputs[1]]
            y = stretch(stretch(x, height, 1, step.options.HalfPixelCenters()), width, 2, step.options.HalfPixelCenters())
        elif step.kind == "RESHAPE":
            y = x.reshape(model.shapes[step.output])
        elif step.kind == "CONCATENATION":
            y = np.concatenate([values[number] for number in step.inputs], step.options.Axis())
        values[step.output] = np.maximum(y, 0) if step.activation == tflite.ActivationFunctionType.RELU else y
    return [values[number] for number in model.outputs]


def main():
    source, out, input_name, *output_names = sys.argv[1:]
    try:
        model = Model(pathlib.Path(source).read_bytes())
        graph = build(model, input_name, output_names)
    except (KeyError, ValueError) as error:
        sys.exit(f"{source}: cannot be converted: {error}")
    from onnx.reference import ReferenceEvaluator

    random = np.random.default_rng(7)
    _, height, width, channels = model.shapes[model.input]
    smooth = np.kron(random.uniform(-1, 1, (1, height // 16, width // 16, channels)), np.ones((1, 16, 16, 1)))
    worst = 0.0
    for picture in (smooth, random.uniform(-1, 1, (1, height, width, channels))):
        picture = picture.astype(np.float32)
        found = ReferenceEvaluator(graph).run(None, {input_name: picture.transpose(0, 3, 1, 2)})
        for name, ours, wanted in zip(output_names, found, reference(model, picture)):
            # Of the largest value, since logits and coordinates in pixels are far from 1.
            error = np.abs(ours.ravel() - wanted.ravel()).max() / max(1.0, np.abs(wanted).max())
            worst = max(worst, error)
            if not error < TOLERANCE:
                sys.exit(f"{source}: the output {name} differs from numpy by {error:.2e}, more than {TOLERANCE:.0e}")
    pathlib.Path(out).write_bytes(graph.SerializeToString(deterministic=True))
    print(f"{pathlib.Path(out).name}: {pathlib.Path(out).stat().st_size} bytes, largest difference to numpy {worst:.1e}", file=sys.stderr)


if __name__ == "__main__":
    main()
