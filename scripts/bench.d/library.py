"""A made-up library: who has how many scenes, what is said, seen, written and tagged in them. The same for the same size, on every machine.

What is said is drawn from the real words of the text model's vocabulary, which is in order of frequency, by Zipf's law, and from the
words of the scene's topic. Vectors lie where the models put such texts and pictures: around the embedding of the topic's words, and
between the vectors of the classes that a picture may show. Uniform random vectors would be all equally far from each other, which
no index can do anything about and no real library is like.
"""

import json
import tomllib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnxruntime
from tenants import Owner
from tokenizers import Tokenizer

SEED = 20260131
VERSION = 2
"""Of what is made up. A library of another version is not kept."""
TOPICS, TOPIC_WORDS, WORDS = 2000, 12, 20_000
BATCH = 4000
"""Scenes that are made at a time; a batch is of one owner."""
SILENT = 0.15
"""Scenes without a word."""
TWO_WINDOWS = 30
"""Scenes of that many words have two windows of text."""


class TextModel:
    """The text model of a models folder: mean pooling, length 1."""

    def __init__(self, folder: Path):
        self.name = tomllib.loads((folder / "heimdex-model.toml").read_text())["id"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(max_length=64)
        self._tokenizer.enable_padding()
        self._session = onnxruntime.InferenceSession(str(folder / "model.onnx"), providers=["CPUExecutionProvider"])
        self._inputs = {value.name for value in self._session.get_inputs()}

    def embed(self, texts: list[str]) -> np.ndarray:
        """float32 [texts, dimension]."""
        return np.concatenate([self._some(texts[at:at + 32]) for at in range(0, len(texts), 32)])

    def _some(self, texts: list[str]) -> np.ndarray:
        encoded = self._tokenizer.encode_batch(texts)
        mask = np.array([one.attention_mask for one in encoded], np.int64)
        given = {"input_ids": np.array([one.ids for one in encoded], np.int64), "attention_mask": mask,
                 "token_type_ids": np.zeros_like(mask)}
        out = self._session.run(None, {name: value for name, value in given.items() if name in self._inputs})[0]
        if out.ndim == 3:
            out = (out * mask[:, :, None]).sum(1) / mask.sum(1, keepdims=True)
        return unit(out.astype(np.float32))


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)


def vocabulary(tokenizer: Path) -> list[str]:
    """Whole words of a WordPiece vocabulary, the most frequent first."""
    by_id = sorted(json.loads(tokenizer.read_text())["model"]["vocab"].items(), key=lambda item: item[1])
    return [word for word, _ in by_id if len(word) > 1 and word.isascii() and word.isalpha()][:WORDS]


@dataclass
class Batch:
    """Scenes of one owner; arrays and lists have one element a scene unless they say otherwise."""

    ordinals: np.ndarray
    """Of the owner's scenes, from 0."""
    texts: list[str]
    images: np.ndarray
    affect: np.ndarray
    """[scenes, 3]: valence, arousal, energy."""
    window_scenes: np.ndarray
    """Of each window its scene, as an index into the batch."""
    windows: np.ndarray
    tags: list[list[tuple[int, float]]]
    """(index of the tag, score)"""
    written: list[tuple[int, str]]
    """(index of the scene, line)"""
    faces: list[tuple[int, int, int, int]]
    """(index of the scene, number of the person, pictures with the face, pictures of the scene)"""


class Library:
    def __init__(self, models: Path):
        self.text_model = TextModel(models / "all-minilm-l6-v2")
        pictures = models / "efficientnet-lite0-conse"
        self.image_model = tomllib.loads((pictures / "heimdex-model.toml").read_text())["id"]
        self.words = np.array(vocabulary(models / "all-minilm-l6-v2" / "tokenizer.json"), dtype=object)
        classes = np.fromfile(pictures / "classes.f32", np.float32).reshape(1000, -1)
        self._mean = classes.mean(0)
        self.classes = unit(classes - self._mean)
        self.dimension = self.classes.shape[1]
        names = [line.split("\t") for line in (pictures / "classes.tsv").read_text().splitlines()]
        self.tags = [cells[-1].split(",")[0].strip().lower() for cells in names[:300]]
        random = np.random.default_rng(SEED)
        self.topics = random.integers(300, len(self.words), (TOPICS, TOPIC_WORDS))
        self.centers = self.text_model.embed([" ".join(self.words[topic[:6]]) for topic in self.topics])
        # Zipf, bounded: the n-th word is said 1/n as often as the first.
        self._zipf = np.cumsum(1 / np.arange(1, len(self.words) + 1))
        self._zipf /= self._zipf[-1]

    def embed_for_pictures(self, texts: list[str]) -> np.ndarray:
        """Texts in the space of pictures, as `worker/models/src/image/conse.rs` puts them there; float32 [texts, dimension]."""
        return unit(self.text_model.embed(texts) - self._mean)

    def batches(self, number: int, owner: Owner):
        """An owner's scenes, batch by batch; a video is about few things."""
        random = np.random.default_rng([SEED, number])
        for start in range(0, owner.scenes, BATCH):
            yield self._batch(random, owner, np.arange(start, min(start + BATCH, owner.scenes)))

    def _batch(self, random: np.random.Generator, owner: Owner, ordinals: np.ndarray) -> Batch:
        count = len(ordinals)
        videos, video = np.unique(ordinals // owner.scenes_a_video, return_inverse=True)
        topics = random.integers(0, TOPICS, (len(videos), 4))[video, random.integers(0, 4, count)]
        lengths = np.clip(random.lognormal(2.8, 0.5, count), 3, 60).astype(int) * (random.random(count) >= SILENT)
        total = int(lengths.sum())
        scene_of_word = np.repeat(np.arange(count), lengths)
        common = np.searchsorted(self._zipf, random.random(total))
        own = self.topics[topics[scene_of_word], random.integers(0, TOPIC_WORDS, total)]
        said = self.words[np.where(random.random(total) < 0.35, own, common)]
        ends = np.cumsum(lengths)
        texts = [" ".join(said[end - length:end]) for end, length in zip(ends, lengths)]
        window_scenes = np.repeat(np.arange(count), np.where(lengths >= TWO_WINDOWS, 2, np.minimum(lengths, 1)))
        windows = self._around(random, self.centers, self.centers[topics[window_scenes]])
        shown = random.integers(0, 1000, (len(videos), 12))[video[:, None], random.integers(0, 12, (count, 3))]
        weights = random.dirichlet((2.0, 1.0, 0.5), count).astype(np.float32)
        images = self._around(random, self.classes, (self.classes[shown] * weights[:, :, None]).sum(1))
        tagged = shown % len(self.tags)
        scores = random.beta(2, 3, (count, 3))
        tags = [list(dict(zip(own.tolist(), score.tolist())).items()) for own, score in zip(tagged, scores)]
        written = [(int(scene), " ".join(self.words[np.searchsorted(self._zipf, random.random(random.integers(1, 6)))]).title())
                   for scene in np.flatnonzero(random.random(count) < 0.3)]
        faces = [(int(scene), min(int(random.zipf(1.5)) - 1, owner.people - 1), int(random.integers(1, 9)), 8)
                 for scene in np.flatnonzero(random.random(count) < 0.4)]
        return Batch(ordinals, texts, images, random.random((count, 3)), window_scenes, windows, tags, written, faces)

    def _around(self, random: np.random.Generator, others: np.ndarray, centers: np.ndarray) -> np.ndarray:
        """Vectors near their centers: drawn towards two others, and a little to any side."""
        count = len(centers)
        drawn = others[random.integers(0, len(others), (count, 2))].mean(1)
        noise = random.standard_normal((count, self.dimension), np.float32) / np.sqrt(self.dimension)
        return unit(0.65 * unit(centers) + 0.35 * drawn + 0.35 * noise).astype(np.float32)
