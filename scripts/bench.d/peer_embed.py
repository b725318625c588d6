"""Sentence vectors by ONNX Runtime from Python: batches of like length, then one at a time."""

import argparse
import json
import statistics
import time
from pathlib import Path

from embedder import Embedder

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("sentences", type=Path, help="one a line")
parser.add_argument("--model", type=Path, required=True)
parser.add_argument("--threads", type=int, required=True)
options = parser.parse_args()

sentences = options.sentences.read_text().splitlines()
embedder = Embedder(options.model, options.threads)
embedder.embed(sentences[:32])

began, cpu = time.monotonic(), time.process_time()
vectors = embedder.embed(sentences)
wall_s, cpu_s = time.monotonic() - began, time.process_time() - cpu

singles = []
for sentence in sentences[:200]:
    began = time.monotonic()
    embedder.embed([sentence])
    singles.append(time.monotonic() - began)

print(json.dumps({"wall_s": wall_s, "cpu_s": cpu_s, "sentences": len(sentences),
                  "single_ms": statistics.median(singles) * 1000, "first": vectors[0].tolist()}))
