"""Sentence vectors by ONNX Runtime from Python: many in batches of like length, then the first one alone."""

import argparse
import json
import time
from pathlib import Path

from embedder import Embedder

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("sentences", type=Path, help="one a line")
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--threads", type=int, required=True)
parser.add_argument("--repeat", type=int, default=3)
parser.add_argument("--vectors", choices=["true", "false"], default="false", help="print the vectors too")
options = parser.parse_args()

sentences = options.sentences.read_text().splitlines()
embedder = Embedder(options.model, options.threads)
batch_s, single_ms, vectors = [], [], None
for _ in range(options.repeat):
    began = time.monotonic()
    vectors = embedder.embed(sentences)
    batch_s.append(time.monotonic() - began)
    began = time.monotonic()
    embedder.embed(sentences[:1])
    single_ms.append((time.monotonic() - began) * 1000)

print(json.dumps({"sentences": len(sentences), "batch_s": batch_s, "single_ms": single_ms,
                  "vectors": vectors.tolist() if options.vectors == "true" else None}))
