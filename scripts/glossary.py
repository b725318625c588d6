#!/usr/bin/env python3
"""Writes api/src/search/glossary/terms.tsv: what common things are called in other languages, with their English names.

    scripts/glossary.py PACKAGE TOKENIZER

PACKAGE is the unpacked npm package emojibase-data 17.0.0 (`npm pack emojibase-data@17.0.0`; MIT, its names are Unicode's CLDR's, under the
Unicode License v3): pictograms are of what people film, too. TOKENIZER is `tokenizer.json` of the offline text model.

Left out is what is no thing by itself (clocks, families, faces, "umbrella with rain drops"), and names in Latin letters that the text
model's own vocabulary has as a word: "pain" is bread in French, but whoever asks for it in English should not get bread.
"""

import json
import re
import sys
import unicodedata
from difflib import SequenceMatcher
from pathlib import Path

LANGUAGES = ["de", "fr", "es", "it", "pt", "nl", "sv", "pl", "ru", "uk", "ko", "ja", "zh", "zh-hant"]
PEOPLE = 1
GROUPS = {PEOPLE, 3, 4, 5, 6, 7}
"""People, animals and plants, food, places and vehicles, activities, objects."""
SOMEBODY = {"baby", "child", "police officer", "guard", "construction worker", "prince", "princess", "ballet dancer"}
NO_THING = re.compile(
    r"[:’'\d]|^(man|woman|men|women|oncoming|person|people|first|last|new|full|waxing|waning|no) |o’clock|thirty$| button$| sign$|symbol"
    r"|suit$|with | and |in | behind | on |face$|medium|input|zodiac|not done")
OTHERWISE = {"hourglass done": "hourglass", "lady beetle": "ladybird", "soccer ball": "football ball", "mx claus": None, "low battery": None,
             "airplane arrival": None, "airplane departure": None, "kaaba": "Kaaba", "moai": "Easter Island statue", "link": None, "locked": "padlock",
             "unlocked": None, "thong sandal": "flip-flop sandal", "flying disc": "frisbee", "spouting whale": "whale", "two-hump camel": "camel",
             "foggy": "fog", "high voltage": "lightning", "cheese wedge": "cheese", "water wave": "wave", "poultry leg": "chicken leg", "piñata": "pinata"}

IN_TWO = {"traffic light": ("1F6A5", "1F6A6")}
"""Things that are there lying and standing: what both are called is the thing."""


def common(one: str, other: str) -> str:
    """The words of both, or the letters where no spaces are written."""
    if words := [word for word in one.split() if word in other.split()]:
        return " ".join(words)
    match = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    return one[match.a:match.a + match.size].split("的")[-1]


def plain(text: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def main() -> None:
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    package, tokenizer = Path(sys.argv[1]), Path(sys.argv[2])
    known = set(json.loads(tokenizer.read_text())["model"]["vocab"])
    english = {}
    for each in json.loads((package / "en/data.json").read_text()):
        label = each["label"].lower()
        # Of people those who do something: the others are faces, hands and families.
        somebody = each.get("group") != PEOPLE or each["hexcode"].startswith("1F9D1-200D") or label in SOMEBODY
        if each.get("group") in GROUPS and somebody and not NO_THING.search(label) and len(label.split()) <= 2:
            english[each["hexcode"]] = OTHERWISE.get(label, label)
    english = {code: label for code, label in english.items() if label}
    names: dict[str, dict[str, str]] = {label: {} for label in [*english.values(), *IN_TWO]}
    for language in LANGUAGES:
        taken = set()
        called = {each["hexcode"]: each["label"] for each in json.loads((package / language / "data.json").read_text())}
        in_two = [(thing, common(called[one], called[other])) for thing, (one, other) in IN_TWO.items()]
        for label, name in [*((english.get(code), name) for code, name in called.items()), *in_two]:
            name = re.sub(r"\s*[(（].*?[)）]", "", name).strip().lower()
            latin = re.fullmatch(r"[a-z' -]+", plain(name))
            if label is None or not name or len(name.split()) > 3 or name in taken or (latin and plain(name) in known):
                continue
            taken.add(name)
            names[label].setdefault(language, name)
    out = Path(__file__).parent.parent / "api/src/search/glossary/terms.tsv"
    rows = ["\t".join([label, *(of.get(language, "") for language in LANGUAGES)]) for label, of in sorted(names.items()) if of]
    out.write_text("\n".join(["\t".join(["en", *LANGUAGES]), *rows]) + "\n")
    print(f"{len(rows)} things, {sum(len(of) for of in names.values())} names")


if __name__ == "__main__":
    main()
