"""What is asked, read from queries.toml, seen.toml, known.toml and fresh.toml and judged in terms of indexed scenes."""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path

NOTHING = "nothing"
"""The kind of queries that nothing answers."""
EVERY = "every"
"""All other kinds together."""
FUSED = "fused"
"""All channels together, as a person asks."""

TUNED, HELD_OUT, SEEN, KNOWN, FRESH = "tuned", "held_out", "seen", "known", "fresh"
"""The sets: both halves of queries.toml; seen.toml and known.toml, which were fresh until something was chosen by them; and fresh.toml."""
SETS = (TUNED, HELD_OUT, SEEN, KNOWN, FRESH)


@dataclass(frozen=True)
class Query:
    kind: str
    text: str
    set: str
    """One of `SETS`."""
    relevant: dict[str, int] = field(default_factory=dict)
    """Golden scenes (`VIDEO/N`) with grades."""
    beyond: str | None = None
    """Why the offline models cannot answer it; then it counts in no figure."""


def read(folder: Path) -> list[Query]:
    """All sets; `folder` holds the four files."""
    return of_file(folder / "queries.toml") + [
        query for name in (SEEN, KNOWN, FRESH) for query in of_file(folder / f"{name}.toml", name)]


def of_file(path: Path, otherwise: str = TUNED) -> list[Query]:
    """The queries of a file, of the set `otherwise` where they are not held out."""
    return [Query(kind, one["query"], HELD_OUT if one.get("held_out") else otherwise, one.get("relevant", {}), one.get("beyond"))
            for kind, table in tomllib.loads(path.read_text()).items() for one in table["queries"]]


def wrong(queries: list[Query], scenes: set[str]) -> list[str]:
    """What is wrong with the queries; empty when nothing is."""
    found, places = [], {}
    for query in queries:
        where = f"{query.kind}: “{query.text}”"
        if (query.kind == NOTHING) != (not query.relevant):
            found.append(f"{where}: only queries of the kind `{NOTHING}` have no relevant scenes")
        if unknown := sorted(set(query.relevant) - scenes):
            found.append(f"{where}: no such scenes: {', '.join(unknown)}")
        if not set(query.relevant.values()) <= {1, 2}:
            found.append(f"{where}: a grade is 1 or 2")
        if query.set in (SEEN, KNOWN, FRESH):
            continue
        place = places.get(query.kind, 0)
        places[query.kind] = place + 1
        if (query.set == HELD_OUT) != (place % 2 == 1):
            found.append(f"{where}: every second query of a kind is held out, and only those of queries.toml")
    texts = [" ".join(query.text.casefold().split()) for query in queries]
    found += [f"“{text}” is asked twice" for text in sorted({text for text in texts if texts.count(text) > 1})]
    return found


def judged(query: Query, matched: dict[str, str]) -> dict[str, int]:
    """Indexed scenes with grades. A golden scene that is none of the indexed ones stays under its own name, where no hit can find it."""
    grades: dict[str, int] = {}
    for name, grade in query.relevant.items():
        scene = matched.get(name, name)
        grades[scene] = max(grade, grades.get(scene, 0))
    return grades
