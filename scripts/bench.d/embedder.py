"""all-MiniLM-L6-v2 by ONNX Runtime, as one writes it in Python: tokenizers, numpy and a session."""

from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

MAX_TOKENS = 256


class Embedder:
    def __init__(self, model: Path, threads: int):
        settings = onnxruntime.SessionOptions()
        settings.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(model / "model.onnx"), settings, providers=["CPUExecutionProvider"])
        self.tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
        self.tokenizer.enable_truncation(MAX_TOKENS)
        self.tokenizer.enable_padding()

    def embed(self, texts: list[str], batch: int = 32) -> np.ndarray:
        """Vectors of norm 1 in the order of the texts; texts of like length share a batch."""
        order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        vectors = np.empty((len(texts), 384), dtype=np.float32)
        for at in range(0, len(order), batch):
            chosen = order[at:at + batch]
            encoded = self.tokenizer.encode_batch([texts[index] for index in chosen])
            ids = np.array([one.ids for one in encoded], dtype=np.int64)
            mask = np.array([one.attention_mask for one in encoded], dtype=np.int64)
            inputs = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
            vectors[chosen] = self.session.run(["sentence_embedding"], inputs)[0]
        return vectors
