"""Writes what a classifier's classes mean, as vectors of a text model: the second half of a ConSE model.

ConSE (Norouzi et al., "Zero-Shot Learning by Convex Combination of Semantic Embeddings", 2013) puts a picture where the texts of
its likeliest classes are. Names and definitions of ImageNet-1k's classes are WordNet's, as the timm package carries them. A class
is several sentences, and its vector their mean: a name alone says little ("crane", "suit"), and a definition alone nothing of how
people ask. ImageNet has no class for a person, but people are in nearly all of its pictures of what is worn; for these classes
(`WORN`) two sentences say so.

Usage: class_vectors.py TIMM_INFO_FOLDER TEXT_MODEL_FOLDER OUT_FOLDER
Writes classes.tsv (synset, name; in the order of the classifier's outputs) and classes.f32 (little-endian float32 [classes,
dimension], each row of length 1). The text model runs on onnx's own evaluator, on texts of like length together.
"""

import pathlib
import sys

import numpy as np

from onnx_graph import load_evaluator

# Texts run at once.
BATCH = 32
MAX_TOKENS = 256
# By the first of a class's names.
WORN = """
abaya; academic gown; apron; ballplayer; bathing cap; bearskin; bikini; bolo tie; bonnet; bow tie; brassiere; breastplate; bulletproof vest;
cardigan; cloak; cowboy boot; cowboy hat; crash helmet; cuirass; feather boa; football helmet; fur coat; gasmask; gown; groom; hoopskirt;
jean; jersey; kimono; knee pad; lab coat; maillot; mask; military uniform; miniskirt; mortarboard; neck brace; necklace; overskirt;
oxygen mask; pajama; pickelhaube; poncho; sarong; scuba diver; seat belt; shower cap; ski mask; snorkel; sombrero; stethoscope; stole; suit;
sunglass; sunglasses; sweatshirt; swimming trunks; trench coat; vestment; wig; Windsor tie
"""


def read_table(path):
    return dict(line.split("\t") for line in path.read_text().splitlines())


def sentences(names, definition, worn):
    """What is said of a class: once as a person asks for a picture of it, once as a dictionary has it."""
    name = names.split(",")[0]
    said = [f"a photo of a {name}", f"{names}: {definition}"]
    if name in worn:
        said += [f"a man or a woman with a {name}", f"a person wearing a {name}"]
    return said


def embed(folder, texts):
    """Vectors of length 1, in the order of the texts."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.enable_padding()
    run = load_evaluator(str(folder / "model.onnx"), fast=True)
    vectors = [None] * len(texts)
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    for start in range(0, len(order), BATCH):
        batch = order[start : start + BATCH]
        encoded = tokenizer.encode_batch([texts[index] for index in batch])
        ids = np.array([e.ids for e in encoded], np.int64)
        mask = np.array([e.attention_mask for e in encoded], np.int64)
        found = run({"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)})
        for index, vector in zip(batch, found):
            vectors[index] = vector
    return np.stack(vectors)


def main():
    info, model, out = (pathlib.Path(argument) for argument in sys.argv[1:])
    synsets = (info / "imagenet_synsets.txt").read_text().split()
    names, definitions = read_table(info / "imagenet_synset_to_lemma.txt"), read_table(info / "imagenet_synset_to_definition.txt")
    worn = {name.strip() for name in WORN.split(";")}
    if strangers := worn - {names[synset].split(",")[0] for synset in synsets}:
        sys.exit(f"no class is called {sorted(strangers)}")

    said = [sentences(names[synset], definitions[synset], worn) for synset in synsets]
    vectors = iter(embed(model, [text for texts in said for text in texts]))
    means = np.stack([np.mean([next(vectors) for _ in texts], axis=0) for texts in said])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    means.astype("<f4").tofile(out / "classes.f32")
    (out / "classes.tsv").write_text("".join(f"{synset}\t{names[synset]}\n" for synset in synsets))


if __name__ == "__main__":
    main()
