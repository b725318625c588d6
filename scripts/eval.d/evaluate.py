#!/usr/bin/env python3
"""Asks a running Heimdex the queries of the golden set and says how good the answers are.

    HEIMDEX_EMAIL=... HEIMDEX_PASSWORD=... evaluate.py API_URL SET_FOLDER OUT_FOLDER [--floors FLOORS.toml] [--no-ablations]

SET_FOLDER is what assemble.py made. Its people and videos are brought into the account where they are missing; the account should have
no other videos, which would be in the answers. OUT_FOLDER gets results.json and results.html. Exit code 1: a figure is below its floor
(each is named), or something failed (which is said).

Figures are of each set of queries by itself (`tuned`, `held_out`, `seen`, `known`, `fresh`: see queries.py) and of `all`.
Every query is asked of all channels together as a person would ask it (`fused`), of each channel alone (`words`, …) and of all but one
(`without words`, …).
"""

import argparse
import json
import os
import sys
import time
import tomllib
from datetime import UTC, datetime
from pathlib import Path

HERE = Path(__file__).parent

import library
import metrics
import page
import queries as asking
from library import Api, Refused
from queries import EVERY, FUSED, NOTHING, SETS, Query

CHANNELS = ("words", "meaning", "seen", "written", "tagged", "who", "titled")
LIMIT = 20
ENOUGH_FOR_INTERVALS = 3


def ways(ablations: bool) -> dict[str, list[str] | None]:
    """Which channels are asked, by the name that the figures have; None: whatever the API does by itself."""
    alone = {channel: [channel] for channel in CHANNELS}
    without = {f"without {channel}": [other for other in CHANNELS if other != channel] for channel in CHANNELS}
    return {FUSED: None, **alone, **(without if ablations else {})}


def ask(api: Api, text: str, channels: list[str] | None) -> dict:
    """Indexed scenes in order, how long it took, and channels that gave no answer."""
    body = {"query": text, "limit": LIMIT} | ({"channels": channels} if channels else {})
    began = time.monotonic()
    answer = api.call("POST", "/search", body)
    took_ms = 1000 * (time.monotonic() - began)
    return {"ranking": [hit["scene_id"] for hit in answer["items"]], "took_ms": took_ms,
            "channels": {report["channel"]: report["status"] for report in answer["channels"]},
            "found_by": [[match["channel"] for match in hit["matches"]] for hit in answer["items"]]}


def warm_up(api: Api, patience_s: float = 30, every_s: float = 0.5) -> list[str]:
    """Until every channel answers, for models are loaded when they are first asked for; returns those that are switched off."""
    deadline = time.monotonic() + patience_s
    while True:
        off = [channel for channel, status in ask(api, "warming up", None)["channels"].items() if status != "ok"]
        if not off or time.monotonic() > deadline:
            return off
        time.sleep(every_s)


def run(api: Api, all_queries: list[Query], matched: dict[str, str], ablations: bool) -> list[dict]:
    """Every query in every way; what is told of each in results.json."""
    named = {scene: name for name, scene in matched.items()}
    rows = []
    for number, query in enumerate(all_queries):
        if sys.stderr.isatty():
            print(f"\r  asking {number + 1} of {len(all_queries)}", end="", file=sys.stderr, flush=True)
        relevant = asking.judged(query, matched)
        row = {"kind": query.kind, "query": query.text, "set": query.set, "relevant": query.relevant,
               **({"beyond": query.beyond} if query.beyond else {}), "ways": {}}
        for way, channels in ways(ablations).items():
            answer = ask(api, query.text, channels)
            if way in CHANNELS and "filters" in answer["channels"]:
                # A query of operators alone asks no channel: none of them found this.
                answer["ranking"] = []
            found = {"hits": [named.get(scene, scene) for scene in answer["ranking"]], "took_ms": round(answer["took_ms"], 2),
                     "trouble": sorted(channel for channel, status in answer["channels"].items() if status in ("timeout", "error"))}
            if relevant:
                found["figures"] = metrics.figures(answer["ranking"], relevant)
            if way == FUSED:
                found["found_by"] = answer["found_by"]
            row["ways"][way] = found
        rows.append(row)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return rows


def summary(rows: list[dict]) -> dict:
    """Figures by set (`all`: of all sets together), way and kind. `silent` is the part of the queries of nothing that nothing was answered to."""
    found: dict = {}
    for name in ("all", *(one for one in SETS if any(row["set"] == one for row in rows))):
        chosen = [row for row in rows if name in ("all", row["set"])]
        found[name] = {}
        for way in rows[0]["ways"]:
            by_kind: dict = {}
            for kind in dict.fromkeys(row["kind"] for row in chosen):
                if kind != NOTHING:
                    by_kind[kind] = of_kind([row for row in chosen if row["kind"] == kind and "beyond" not in row], way)
            counted = [row for row in chosen if row["kind"] != NOTHING and "beyond" not in row]
            by_kind[EVERY] = of_kind(counted, way)
            if silence := [row["ways"][way]["hits"] for row in chosen if row["kind"] == NOTHING]:
                by_kind[NOTHING] = {"queries": len(silence), "silent": metrics.mean([not hits for hits in silence]),
                                    "hits": metrics.mean([len(hits) for hits in silence])}
            found[name][way] = {kind: figures for kind, figures in by_kind.items() if figures}
    return found


def of_kind(rows: list[dict], way: str) -> dict:
    """Means over queries; of the fused ones also within what bounds they would be for other queries of the same sort."""
    if not rows:
        return {}
    each = [row["ways"][way]["figures"] for row in rows]
    figures: dict = {"queries": len(each), **metrics.means(each)}
    if way == FUSED and len(each) >= ENOUGH_FOR_INTERVALS:
        figures["intervals"] = {name: list(metrics.interval([one[name] for one in each])) for name in metrics.NAMES}
    return figures


def latency(rows: list[dict]) -> dict:
    """Of the fused answers as the client sees them, milliseconds."""
    took = [row["ways"][FUSED]["took_ms"] for row in rows]
    return {f"p{percent}": metrics.percentile(took, percent) for percent in (50, 95, 99)} | {"queries": len(took)}


def below(floors: dict, figures: dict, path: tuple[str, ...] = ()) -> list[str]:
    """Every figure that is below its floor or is not there, in a sentence. `floors` has the shape of `figures`, with numbers at its ends."""
    found = []
    for key, floor in floors.items():
        here = (*path, key)
        value = figures.get(key) if isinstance(figures, dict) else None
        if isinstance(floor, dict):
            found += below(floor, value or {}, here)
        elif not isinstance(value, int | float):
            found.append(f"{'.'.join(here)}: there is no such figure")
        elif value < floor:
            found.append(f"{'.'.join(here)} is {value:.3f}, below {floor:.3f}")
    return found


def show(results: dict) -> None:
    """The figures as a table: the first column to the left, the others to the right."""
    figures = results["figures"]
    sets = [name for name in SETS if name in figures]
    print("\n  the sets side by side, all channels together: recall@10 and MRR; of nothing, how many are answered by nothing")
    kinds = [*figures["all"][FUSED]]
    table([["", *(name.replace("_", " ") for name in sets)], *([kind, *(brief(figures[name][FUSED].get(kind)) for name in sets)] for kind in kinds)])
    for name in ("all", *sets):
        print(f"\n  {name.replace('_', ' ')}: all channels together")
        rows = [["", "queries", "recall@1", "recall@5", "recall@10", "MRR", "nDCG@10"]]
        for kind, one in figures[name][FUSED].items():
            if kind != NOTHING:
                rows.append([kind, str(one["queries"]), *(cell(one, name) for name in metrics.NAMES)])
        table(rows)
        if nothing := figures[name][FUSED].get(NOTHING):
            print(f"\n  of {nothing['queries']} queries that nothing fits, {nothing['silent']:.0%} are answered by nothing; {nothing['hits']:.1f} hits a query")
    print("\n  each channel alone, and all but one")
    rows = [["", "recall@1", "recall@5", "recall@10", "MRR", "nDCG@10", "silent"]]
    for way, kinds in figures["all"].items():
        one = kinds[EVERY]
        rows.append([way, *(f"{one[name]:.3f}" for name in metrics.NAMES), f"{kinds[NOTHING]['silent']:.0%}" if NOTHING in kinds else ""])
    table(rows)
    took = results["latency_ms"]
    print(f"\n  latency: p50 {took['p50']:.0f} ms, p95 {took['p95']:.0f} ms, p99 {took['p99']:.0f} ms over {took['queries']} queries, one at a time")
    for remark in results["remarks"]:
        print(f"  note: {remark}")


def brief(one: dict | None) -> str:
    """A kind of a set in one cell."""
    if not one:
        return "–"
    return f"{one['silent']:.0%} ({one['queries']})" if "silent" in one else f"{one['recall_at_10']:.2f} {one['mrr']:.2f} ({one['queries']})"


def cell(one: dict, name: str) -> str:
    low, high = one.get("intervals", {}).get(name, (None, None))
    return f"{one[name]:.3f}" if low is None else f"{one[name]:.3f} [{low:.2f}–{high:.2f}]"


def table(rows: list[list[str]]) -> None:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        print("  " + "  ".join(text.ljust(width) if column == 0 else text.rjust(width) for column, (text, width) in enumerate(zip(row, widths))).rstrip())


def remarks(people: dict, off: list[str], unmatched: list[str], rows: list[dict]) -> list[str]:
    """What a reader of the figures has to know."""
    said = [f"{name}: of the photographs {one['accepted']} accepted, rejected: {', '.join(one['rejected'])}" for name, one in people.items() if one["rejected"]]
    if off:
        said.append(f"these channels are switched off: {', '.join(off)}")
    if unmatched:
        said.append(f"golden scenes that no indexed scene covers by half: {', '.join(unmatched)}")
    if trouble := sum(bool(way["trouble"]) for row in rows for way in row["ways"].values()):
        said.append(f"in {trouble} answers a channel failed or took too long")
    if beyond := sum("beyond" in row for row in rows):
        said.append(f"{beyond} queries are beyond the offline models and in no figure; they are listed with the others")
    return said


def evaluate(url: str, folder: Path, ablations: bool) -> dict:
    golden = json.loads((folder / "golden.json").read_text())
    videos, all_queries = golden["videos"], asking.read(HERE)
    names = {f"{video['name']}/{scene['number']}" for video in videos for scene in video["scenes"]}
    if faults := asking.wrong(all_queries, names):
        raise Refused("what is asked: " + "; ".join(faults))
    api = Api(url)
    api.sign_in(os.environ["HEIMDEX_EMAIL"], os.environ["HEIMDEX_PASSWORD"])
    faces = api.call("GET", "/config")["features"]["faces"]
    people = library.enroll(api, golden["people"], folder) if faces else {}
    began = time.monotonic()
    ids = library.upload(api, videos, folder)
    library.wait_until_indexed(api, ids)
    # Whoever comes for a second measurement signed in long ago.
    api.sign_in(os.environ["HEIMDEX_EMAIL"], os.environ["HEIMDEX_PASSWORD"])
    print(f"  {len(ids)} videos are indexed, after {time.monotonic() - began:.0f} s")
    matched, scenes = library.match(api, videos, ids)
    off = warm_up(api)
    rows = run(api, all_queries, matched, ablations)
    return {"schema": "heimdex-golden-results/2", "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "set": {"videos": len(videos), "scenes": len(names), "indexed_scenes": scenes, "matched": len(matched), "queries": len(all_queries)},
            "people": people, "remarks": remarks(people, off, sorted(names - matched.keys()), rows),
            "figures": summary(rows), "latency_ms": latency(rows), "queries": rows}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url")
    parser.add_argument("folder", type=Path, help="what assemble.py made")
    parser.add_argument("out", type=Path, help="for results.json and results.html")
    parser.add_argument("--floors", type=Path, help="figures that must be reached, by the names that results.json has under `figures`")
    parser.add_argument("--no-ablations", action="store_true", help="do not ask all channels but one")
    options = parser.parse_args()
    floors = tomllib.loads(options.floors.read_text()) if options.floors else {}
    try:
        results = evaluate(options.url, options.folder, not options.no_ablations)
    except (Refused, OSError) as error:
        print(f"  {error}", file=sys.stderr)
        return 1
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")
    (options.out / "results.html").write_text(page.render(results))
    show(results)
    print(f"\n  written to {options.out}/results.json and results.html")
    missed = below(floors, results["figures"])
    for one in missed:
        print(f"  {one}", file=sys.stderr)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
