"""What the exporters share: a graph that is put together node by node, and the end of every export, the comparison."""

import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

OPSET, IR_VERSION = 18, 10
INT64, FLOAT = TensorProto.INT64, TensorProto.FLOAT


class Graph:
    """Collects nodes and weights; every method returns the name of what it computed."""

    def __init__(self):
        self.nodes, self.weights, self.count = [], {}, 0

    def weight(self, array, name=None):
        name = name or f"c{len(self.weights)}"
        self.weights[name] = np.ascontiguousarray(array)
        return name

    def op(self, kind, *inputs, outputs=1, names=None, **attributes):
        self.count += 1
        names = names or [f"{kind.lower()}_{self.count}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=f"{kind}_{self.count}", **attributes))
        return names[0] if len(names) == 1 else names

    def linear(self, x, weight, bias, name):
        product = self.op("MatMul", x, self.weight(weight.T, name + ".weight"))
        return self.op("Add", product, self.weight(bias, name + ".bias"))

    def model(self, name, inputs, outputs):
        """The checked model. `inputs` and `outputs`: {name: (element type, shape)}; a name in a shape is any length."""
        infos = [
            [helper.make_tensor_value_info(key, kind, shape) for key, (kind, shape) in part.items()]
            for part in (inputs, outputs)
        ]
        initializers = [numpy_helper.from_array(array, key) for key, array in self.weights.items()]
        graph = helper.make_graph(self.nodes, name, *infos, initializers)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], producer_name="heimdex")
        model.ir_version = IR_VERSION
        onnx.checker.check_model(model, full_check=True)
        return model


class Erf(OpRun):
    """The error function for whole arrays, within 1.5e-7 (Abramowitz, Stegun, "Handbook of Mathematical Functions", 7.1.26).
    onnx's own asks `math.erf` number by number, which takes minutes where this takes seconds."""

    op_domain = ""

    def _run(self, x):
        t = 1 / (1 + 0.3275911 * np.abs(x))
        series = ((((1.061405429 * t - 1.453152027) * t + 1.421413741) * t - 0.284496736) * t + 0.254829592) * t
        return ((np.sign(x) * (1 - series * np.exp(-x * x))).astype(x.dtype),)


def load_evaluator(model, fast=False):
    """onnx's own evaluator, node by node (no ONNX Runtime needed), of a model or a file's name: feeds by name -> the first
    output. `fast` takes `Erf` for onnx's own."""
    evaluator = ReferenceEvaluator(model, new_ops=[Erf] if fast else None)
    return lambda feeds: evaluator.run(None, feeds)[0]


def write_if_equal(model, out, found, expected, tolerance):
    """Writes the model to `out`, unless what the graph found is further than `tolerance` from the independent result."""
    error = np.abs(found - expected).max()
    if not error < tolerance:
        sys.exit(f"{out}: the exported graph differs from numpy by {error:.2e}, more than {tolerance:.0e}")
    out.write_bytes(model.SerializeToString(deterministic=True))
    print(f"{out.name}: {out.stat().st_size} bytes, largest difference to numpy {error:.1e}", file=sys.stderr)
