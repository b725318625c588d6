"""The dictionary put together of small dictionaries in the formats of the large ones."""

import gzip
import json
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).parent
DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
NAMES = [f"{one}-{other}" for name in ("deu", "fra", "spa", "ita", "nld", "pol", "por", "swe") for one, other in ((name, "eng"), ("eng", name))]
ENTRIES = {
    "deu-eng": {"Brücke": "Brücke <fem>\n [naut.] bridge <n>\n         Note: of a ship\n", "Band": "Band\n1. ribbon, tape\n2. band\n",
                "Tuch-Laden": "Tuch-Laden\ndraper's shop\n", "der": "der\nthat one\n"},
    "eng-deu": {"band": "band\nBand\n", "tape": "tape\nBand\n"},
    "pol-eng": {"kot": "kot\ncat\n", "nocny": "nocny\nmający związek z nocą\nnocturnal\n"},
    "fra-eng": {"café": "café /kafe/\ncafé\n", "JavaMer": "mer\nJavaSea\n"},
    "jpn-eng": {
        "リンゴ": "リンゴ\n(noun (common) (futsuumeishi))\n\n         Note: word usually written using kana aloneapple\n",
        "犬": "犬\n(noun)\n1. dog (Canis (lupus) familiaris)\n2. snoop\n",
        "飲む": "飲む\n(Godan verb with `mu' ending)\nto drink, to gulp\n",
    },
}
CEDICT = """# CC-CEDICT
咖啡館 咖啡馆 [ka1 fei1 guan3] /café/coffee shop/
駅 駅 [yi4] /Japanese variant of 驛/
火車 火车 [huo3 che1] /train/CL:列[lie4]/
"""
FORMS = """
class DefaultDictionaryFactory:
    def get_dictionary(self, language):
        return {"en": {"bridges": "bridge", "drapers": "draper"}, "de": {"brücken": "Brücke", "dem": "der"}}.get(language, {})
"""
VOCABULARY = ["the", "of", "cat", "dog", "train", "bridge", "band", "tape", "ribbon", "apple", "coffee", "shop", "cafe", "java", "sea", "nocturnal", "drink",
              "gulp", "snoop", "variant", "draper"]


def dictd(folder: Path, name: str, entries: dict[str, str]) -> None:
    texts, index = b"", []
    for head, text in entries.items():
        index.append(f"{head}\t{number(len(texts))}\t{number(len(text.encode()))}\n")
        texts += text.encode()
    (folder / f"freedict-{name}.dict.dz").write_bytes(gzip.compress(texts))
    (folder / f"freedict-{name}.index").write_text("".join(index), encoding="utf-8")


def number(value: int) -> str:
    return (number(value // 64) if value >= 64 else "") + DIGITS[value % 64]


class Dictionary(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            for language in [*NAMES, "jpn-eng"]:
                dictd(home, language, ENTRIES.get(language, {}))
            package = home / "simplemma/strategies/dictionaries"
            package.mkdir(parents=True)
            (package / "dictionary_factory.py").write_text(FORMS)
            for language in "german french spanish italian dutch polish portuguese swedish chinese japanese".split():
                (home / f"{language}.txt").write_text("der\n" if language == "german" else "")
            (home / "cedict.gz").write_bytes(gzip.compress(CEDICT.encode()))
            (home / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {word: rank for rank, word in enumerate(VOCABULARY)}}}))
            subprocess.run([sys.executable, HERE / "dictionary.py", home, home, home, home / "cedict.gz", home / "tokenizer.json", home / "words.tsv"],
                           check=True, capture_output=True)
            cls.lines = (home / "words.tsv").read_bytes().splitlines()
        cls.called = {tuple(line.decode().split("\t")[:2]): line.decode().split("\t")[2] for line in cls.lines}

    def test_lines_are_in_the_order_of_their_bytes(self):
        self.assertEqual(self.lines, sorted(self.lines))
        self.assertEqual(len(self.called), len(self.lines))

    def test_what_both_directions_name_comes_first(self):
        self.assertEqual(set(self.called["de", "band"].split()), {"band", "tape"}, "and the ribbon is left out")

    def test_forms_are_called_as_their_word(self):
        self.assertEqual(self.called["de", "brücken"], "bridge")
        self.assertEqual((self.called["de", "der"], self.called["de", "dem"]), ("", ""), "words that say nothing, and their forms")
        self.assertEqual(self.called["ja", "飲"], self.called["ja", "飲む"], "verbs by their stems, too")

    def test_notes_and_asides_are_no_translations(self):
        self.assertEqual(self.called["ja", "リンゴ"], "apple")
        self.assertEqual(self.called["ja", "犬"].split()[0], "dog")
        self.assertEqual(self.called["zh", "火车"], "train")
        self.assertNotIn(("zh", "駅"), self.called)

    def test_definitions_in_another_language_are_left_out(self):
        self.assertEqual(self.called["pl", "nocny"], "nocturnal")

    def test_accents_and_lost_spaces_are_mended(self):
        self.assertEqual(self.called["fr", "café"], "cafe")
        self.assertEqual(self.called["fr", "javamer"], "java sea")
        self.assertIn("cafe", self.called["zh", "咖啡馆"])

    def test_words_with_hyphens_are_several(self):
        self.assertEqual(self.called["de", "tuch laden"], "draper shop")

    def test_words_of_english_are_known_with_their_forms(self):
        self.assertTrue({("en", "bridge"), ("en", "bridges"), ("en", "the")} <= self.called.keys())


if __name__ == "__main__":
    unittest.main()
