"""Exports a BERT sentence encoder (safetensors) to ONNX and checks the graph against plain numpy.

Graph: input_ids, attention_mask, token_type_ids, each int64 [batch, sequence] -> sentence_embedding,
float32 [batch, hidden]: the mean of the last layer over unmasked tokens, divided by its L2 norm, as
sentence-transformers' Transformer, Pooling(mean), Normalize do (Reimers & Gurevych 2019).
The encoder is BERT (Devlin et al. 2018), post-layer-norm, GELU by erf. No torch is needed.

Usage: minilm_to_onnx.py MODEL_FOLDER OUT.onnx
"""

import json
import math
import pathlib
import struct
import sys

import numpy as np

from onnx_graph import FLOAT, INT64, Graph, load_evaluator, write_if_equal

TOLERANCE = 1e-5


def read_safetensors(path):
    """Tensors by name. The format: a little-endian u64 header length, a JSON header, raw data."""
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    tensors = {}
    for name, info in header.items():
        if info["dtype"] != "F32":
            continue
        start, end = (8 + length + offset for offset in info["data_offsets"])
        tensors[name] = np.frombuffer(data[start:end], "<f4").reshape(info["shape"])
    return tensors


def build(tensors, config):
    hidden, heads = config["hidden_size"], config["num_attention_heads"]
    size, epsilon = hidden // heads, config["layer_norm_eps"]
    g = Graph()

    def norm(x, prefix):
        return g.op(
            "LayerNormalization", x,
            g.weight(tensors[prefix + ".weight"], prefix + ".weight"),
            g.weight(tensors[prefix + ".bias"], prefix + ".bias"),
            axis=-1, epsilon=epsilon,
        )

    words = g.op("Gather", g.weight(tensors["embeddings.word_embeddings.weight"], "words"), "input_ids")
    kinds = g.op("Gather", g.weight(tensors["embeddings.token_type_embeddings.weight"], "types"), "token_type_ids")
    length = g.op("Shape", "input_ids", start=1, end=2)
    zero, one = g.weight(np.array([0], np.int64)), g.weight(np.array([1], np.int64))
    places = g.op("Slice", g.weight(tensors["embeddings.position_embeddings.weight"], "positions"), zero, length, zero)
    x = norm(g.op("Add", g.op("Add", words, kinds), places), "embeddings.LayerNorm")

    mask = g.op("Cast", "attention_mask", to=FLOAT)
    # 0 where a token counts, a large negative number where it is padding: added to the attention scores.
    hide = g.op("Mul", g.op("Sub", mask, g.weight(np.float32(1))), g.weight(np.float32(1e9)))
    hide = g.op("Unsqueeze", hide, g.weight(np.array([1, 2], np.int64)))
    split = g.weight(np.array([0, 0, heads, size], np.int64))
    join = g.weight(np.array([0, 0, hidden], np.int64))
    scale = g.weight(np.float32(1 / math.sqrt(size)))

    for layer in range(config["num_hidden_layers"]):
        p = f"encoder.layer.{layer}."

        def part(name, perm):
            y = g.linear(x, tensors[f"{p}attention.self.{name}.weight"], tensors[f"{p}attention.self.{name}.bias"], p + name)
            return g.op("Transpose", g.op("Reshape", y, split), perm=perm)

        query, key, value = part("query", [0, 2, 1, 3]), part("key", [0, 2, 3, 1]), part("value", [0, 2, 1, 3])
        scores = g.op("Add", g.op("Mul", g.op("MatMul", query, key), scale), hide)
        context = g.op("MatMul", g.op("Softmax", scores, axis=-1), value)
        context = g.op("Reshape", g.op("Transpose", context, perm=[0, 2, 1, 3]), join)
        y = g.linear(context, tensors[p + "attention.output.dense.weight"], tensors[p + "attention.output.dense.bias"], p + "attention.out")
        x = norm(g.op("Add", y, x), p + "attention.output.LayerNorm")
        y = g.linear(x, tensors[p + "intermediate.dense.weight"], tensors[p + "intermediate.dense.bias"], p + "up")
        half = g.op("Mul", y, g.op("Add", g.op("Erf", g.op("Div", y, g.weight(np.float32(math.sqrt(2))))), g.weight(np.float32(1))))
        y = g.op("Mul", half, g.weight(np.float32(0.5)))
        y = g.linear(y, tensors[p + "output.dense.weight"], tensors[p + "output.dense.bias"], p + "down")
        x = norm(g.op("Add", y, x), p + "output.LayerNorm")

    weights = g.op("Unsqueeze", mask, g.weight(np.array([2], np.int64)))
    total = g.op("ReduceSum", g.op("Mul", x, weights), one, keepdims=0)
    count = g.op("Max", g.op("ReduceSum", weights, one, keepdims=0), g.weight(np.float32(1e-9)))
    mean = g.op("Div", total, count)
    length = g.op("Max", g.op("ReduceL2", mean, one, keepdims=1), g.weight(np.float32(1e-12)))
    g.op("Div", mean, length, names=["sentence_embedding"])

    inputs = {name: (INT64, ["batch", "sequence"]) for name in ("input_ids", "attention_mask", "token_type_ids")}
    return g.model("sentence_encoder", inputs, {"sentence_embedding": (FLOAT, ["batch", hidden])})


def reference(tensors, config, ids, mask):
    """The same encoder in float64 numpy, written from the paper and not from the graph above."""
    t = {name: array.astype(np.float64) for name, array in tensors.items()}
    erf = np.vectorize(math.erf)
    heads = config["num_attention_heads"]

    def norm(x, prefix):
        centred = x - x.mean(-1, keepdims=True)
        return centred / np.sqrt(centred.var(-1, keepdims=True) + config["layer_norm_eps"]) * t[prefix + ".weight"] + t[prefix + ".bias"]

    def dense(x, prefix):
        return np.einsum("...i,oi->...o", x, t[prefix + ".weight"]) + t[prefix + ".bias"]

    rows = []
    # One sentence at a time and without its padding: this also proves that the graph's mask works.
    for row, keep in zip(ids, mask.astype(bool)):
        row = row[keep]
        x = t["embeddings.word_embeddings.weight"][row] + t["embeddings.position_embeddings.weight"][: len(row)]
        x = norm(x + t["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for layer in range(config["num_hidden_layers"]):
            p = f"encoder.layer.{layer}."
            parts = [np.split(dense(x, f"{p}attention.self.{n}"), heads, axis=-1) for n in ("query", "key", "value")]
            outputs = []
            for q, k, v in zip(*parts):
                scores = q @ k.T / math.sqrt(q.shape[-1])
                scores = np.exp(scores - scores.max(-1, keepdims=True))
                outputs.append(scores / scores.sum(-1, keepdims=True) @ v)
            x = norm(x + dense(np.concatenate(outputs, -1), p + "attention.output.dense"), p + "attention.output.LayerNorm")
            up = dense(x, p + "intermediate.dense")
            up = 0.5 * up * (1 + erf(up / math.sqrt(2)))
            x = norm(x + dense(up, p + "output.dense"), p + "output.LayerNorm")
        mean = x.mean(0)
        rows.append(mean / np.linalg.norm(mean))
    return np.stack(rows)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    config = json.loads((folder / "config.json").read_text())
    tensors = read_safetensors(folder / "model.safetensors")
    model = build(tensors, config)

    random = np.random.default_rng(7)
    lengths = [3, 17, 64]
    ids = random.integers(1000, config["vocab_size"], (len(lengths), max(lengths)), dtype=np.int64)
    mask = np.zeros_like(ids)
    for row, length in enumerate(lengths):
        ids[row, 0], ids[row, length - 1], ids[row, length:] = 101, 102, 0
        mask[row, :length] = 1
    found = load_evaluator(model)({"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
    write_if_equal(model, out, found, reference(tensors, config, ids, mask), TOLERANCE)


if __name__ == "__main__":
    main()
