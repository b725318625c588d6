"""How right the answers are: cuts against the known ones, words against the known text."""

import json
import re
from pathlib import Path

CUT_TOLERANCE_FRAMES = 2


def of(video: Path) -> dict | None:
    """The truth that lies beside a video, as `scripts/sample` writes it."""
    path = video.with_suffix(".truth.json")
    return json.loads(path.read_text()) if path.exists() else None


def cut_score(found: list[int], truth: dict) -> dict:
    """Precision, recall and F1 of cut positions (first frames of the new scene).

    A hard cut is found within two frames; a fade by one cut anywhere in it. Each true place takes one cut, what is left over is false.
    """
    places = [(cut["frame"] - CUT_TOLERANCE_FRAMES, cut["frame"] + CUT_TOLERANCE_FRAMES) for cut in truth["cuts"]]
    places += [(fade["start_frame"], fade["end_frame"]) for fade in truth["fades"]]
    left, hits, missed = sorted(found), 0, []
    for first, last in sorted(places):
        match = next((frame for frame in left if first <= frame <= last), None)
        if match is None:
            missed.append((first + last) // 2)
        else:
            hits += 1
            left.remove(match)
    precision = hits / len(found) if found else 0.0
    recall = hits / len(places) if places else 1.0
    f1 = 2 * precision * recall / (precision + recall) if hits else 0.0
    return {"f1": f1, "precision": precision, "recall": recall, "true": len(places), "found": len(found), "missed": missed, "false": left}


def words(text: str) -> list[str]:
    """Lower case, letters and digits only, apostrophes dropped, hyphens parting words."""
    return re.findall(r"[^\W_]+", re.sub(r"[’']", "", text.lower()))


def word_error_rate(heard: str, reference: str) -> float:
    """Substitutions, deletions and insertions per word of the reference (Levenshtein distance over words)."""
    given, wanted = words(heard), words(reference)
    row = list(range(len(given) + 1))
    for number, word in enumerate(wanted, 1):
        diagonal, row[0] = row[0], number
        for column, other in enumerate(given, 1):
            diagonal, row[column] = row[column], min(row[column] + 1, row[column - 1] + 1, diagonal + (word != other))
    return row[-1] / max(1, len(wanted))
