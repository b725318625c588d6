"""results.json as one page that needs nothing else: tables, and plots as inline SVG."""

from html import escape

from queries import EVERY, FRESH, FUSED, HELD_OUT, KNOWN, NOTHING, SEEN, SETS, TUNED

LABELS = {"recall_at_1": "recall@1", "recall_at_5": "recall@5", "recall_at_10": "recall@10", "mrr": "MRR", "ndcg_at_10": "nDCG@10"}
NAMES = {
    "all": "All queries", TUNED: "Tuned: the half that weights and curves were chosen by", HELD_OUT: "Held out: the other half, which was looked at as well",
    SEEN: "Seen: written after those, and looked at since", KNOWN: "Known: written after that one, and looked at since",
    FRESH: "Fresh: written last by somebody who had seen no results",
}
STYLE = """
:root { color-scheme: light dark; --line: #8886; --bar: #3b74c4; --second: #c47f2b; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; margin: 1rem 0; } th, td { padding: .2rem .7rem; border-bottom: 1px solid var(--line); text-align: right; }
th:first-child, td:first-child { text-align: left; } .wide td { text-align: left; vertical-align: top; } svg { max-width: 100%; height: auto; }
svg text { font: 12px system-ui, sans-serif; fill: currentColor; } .scroll { overflow-x: auto; } .miss { color: #c33; }
"""


def render(results: dict) -> str:
    figures, took, about = results["figures"], results["latency_ms"], results["set"]
    parts = [
        "<!doctype html><html lang=en><meta charset=utf-8><meta name=viewport content='width=device-width'>",
        f"<title>Golden set</title><style>{STYLE}</style><h1>How good search is on the golden set</h1>",
        f"<p>{escape(results['at'])}: {about['queries']} queries of {about['videos']} videos with {about['scenes']} scenes, "
        f"{about['matched']} of which were indexed as such.</p>",
        "".join(f"<p>{escape(remark)}</p>" for remark in results["remarks"]),
        "<h2>By kind of query, all channels together</h2><p>Whiskers: bootstrap, 95 %.</p>", kinds_plot(figures["all"][FUSED]),
    ]
    parts += ["<h2>By set of queries</h2><p>recall@10 and MRR; of nothing, how many are answered by nothing. In brackets how many queries.</p>", sets_table(figures)]
    parts += [f"<h3>{NAMES[name]}</h3>{figures_table(figures[name][FUSED])}" for name in NAMES if name in figures]
    parts += [
        "<h2>What each channel finds alone</h2><p>recall@10 by kind of query.</p>", heat(figures["all"]),
        "<h2>What is lost without a channel</h2><p>MRR of all channels together less MRR without one: to the right, the channel helps.</p>", ablations_plot(figures["all"]),
        "<h2>Latency</h2>", f"<p>p50 {took['p50']:.1f} ms, p95 {took['p95']:.1f} ms, p99 {took['p99']:.1f} ms.</p>",
        latency_plot([row["ways"][FUSED]["took_ms"] for row in results["queries"]]),
        "<h2>Every query</h2><div class=scroll>", queries_table(results["queries"]), "</div></html>",
    ]
    return "\n".join(parts) + "\n"


def svg(width: float, height: float, body: list[str], what: str) -> str:
    return f"<svg viewBox='0 0 {width:g} {height:g}' width='{width:g}' height='{height:g}' role=img aria-label='{escape(what)}'>{''.join(body)}</svg>"


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}'>{escape(words)}</text>"


def bar(x: float, y: float, width: float, height: float, colour: str) -> str:
    return f"<rect x='{x:.1f}' y='{y:.1f}' width='{max(width, 0):.1f}' height='{height:.1f}' fill='{colour}'/>"


def line(x1: float, y1: float, x2: float, y2: float) -> str:
    return f"<path d='M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}' stroke='currentColor'/>"


def kinds_plot(kinds: dict) -> str:
    """Two bars a kind: recall@10 and MRR."""
    left, scale, body, y = 110, 520, [], 6
    for kind, one in kinds.items():
        if kind == NOTHING:
            continue
        body.append(text(left - 8, y + 17, kind, "end"))
        for name, colour in (("recall_at_10", "var(--bar)"), ("mrr", "var(--second)")):
            body.append(bar(left, y, scale * one[name], 10, colour))
            if name in one.get("intervals", {}):
                low, high = one["intervals"][name]
                body.append(line(left + scale * low, y + 5, left + scale * high, y + 5))
            body.append(text(left + scale + 8, y + 10, f"{one[name]:.2f} {LABELS[name]}"))
            y += 12
        y += 6
    return svg(left + scale + 130, y, body, "recall at 10 and mean reciprocal rank by kind of query")


def sets_table(figures: dict) -> str:
    """A column a set, a row a kind."""
    sets = [name for name in SETS if name in figures]
    rows = []
    for kind in figures["all"][FUSED]:
        cells = []
        for name in sets:
            one = figures[name][FUSED].get(kind)
            cells.append("–" if not one else f"{one['silent']:.0%} <small>({one['queries']})</small>" if kind == NOTHING
                         else f"{one['recall_at_10']:.3f} · {one['mrr']:.3f} <small>({one['queries']})</small>")
        rows.append(f"<tr><td>{escape(kind)}{''.join(f'<td>{cell}' for cell in cells)}")
    head = "".join(f"<th>{name.replace('_', ' ')}" for name in sets)
    return f"<div class=scroll><table><tr><th>{head}{''.join(rows)}</table></div>"


def figures_table(kinds: dict) -> str:
    head = "".join(f"<th>{label}" for label in ("", "queries", *LABELS.values()))
    rows = []
    for kind, one in kinds.items():
        if kind == NOTHING:
            continue
        cells = []
        for name in LABELS:
            low, high = one.get("intervals", {}).get(name, (None, None))
            cells.append(f"<td>{one[name]:.3f}" + (f" <small>{low:.2f}–{high:.2f}</small>" if low is not None else ""))
        rows.append(f"<tr><td>{escape(kind)}<td>{one['queries']}{''.join(cells)}")
    table = f"<div class=scroll><table><tr>{head}{''.join(rows)}</table></div>"
    if nothing := kinds.get(NOTHING):
        table += f"<p>Of {nothing['queries']} queries that nothing fits, {nothing['silent']:.0%} are answered by nothing; {nothing['hits']:.1f} hits a query.</p>"
    return table


def heat(ways: dict) -> str:
    """Kinds downwards, channels across; the darker, the more is found."""
    alone = [way for way in ways if not way.startswith("without ")]
    kinds = [kind for kind in ways[FUSED] if kind != NOTHING]
    left, top, wide, high = 110, 24, 82, 26
    body = [text(left + wide * (column + 0.5), 16, way, "middle") for column, way in enumerate(alone)]
    for row, kind in enumerate(kinds):
        body.append(text(left - 8, top + high * row + 17, kind, "end"))
        for column, way in enumerate(alone):
            value = ways[way].get(kind, {}).get("recall_at_10", 0)
            x, y = left + wide * column, top + high * row
            body.append(f"<rect x='{x}' y='{y}' width='{wide - 2}' height='{high - 2}' fill='var(--bar)' fill-opacity='{0.06 + 0.7 * value:.2f}'/>")
            body.append(text(x + wide / 2, y + 17, f"{value:.2f}", "middle"))
    return svg(left + wide * len(alone), top + high * len(kinds), body, "recall at 10 by kind of query and channel")


def ablations_plot(ways: dict) -> str:
    lost = {way.removeprefix("without "): ways[FUSED][EVERY]["mrr"] - kinds[EVERY]["mrr"] for way, kinds in ways.items() if way.startswith("without ")}
    if not lost:
        return "<p>Not asked.</p>"
    widest = max(0.01, *(abs(value) for value in lost.values()))
    middle, reach, body = 340, 200, []
    for row, (channel, value) in enumerate(lost.items()):
        y, length = 4 + 20 * row, reach * abs(value) / widest
        body += [text(100, y + 12, channel, "end"), bar(middle if value >= 0 else middle - length, y, length, 14, "var(--bar)" if value >= 0 else "var(--second)"),
                 text(middle + reach + 10, y + 12, f"{value:+.3f}")]
    return svg(640, 8 + 20 * len(lost), [*body, line(middle, 0, middle, 8 + 20 * len(lost))], "what is lost without a channel")


def latency_plot(took: list[float]) -> str:
    """How much of the queries is answered within how many milliseconds."""
    ordered, width, height = sorted(took), 560, 160
    most = max(ordered[-1], 0.001)
    points = " ".join(f"{40 + width * one / most:.1f},{10 + height * (1 - (number + 1) / len(ordered)):.1f}" for number, one in enumerate(ordered))
    body = [f"<polyline points='40,{10 + height} {points}' fill='none' stroke='var(--bar)' stroke-width='2'/>", line(40, 10, 40, 10 + height), line(40, 10 + height, 40 + width, 10 + height),
            text(34, 18, "100 %", "end"), text(34, 14 + height, "0", "end"), text(40 + width, 26 + height, f"{most:.0f} ms", "end")]
    return svg(60 + width, 36 + height, body, "part of the queries answered within a time")


def queries_table(rows: list[dict]) -> str:
    out = ["<table class=wide><tr><th>kind<th>query<th>wanted<th>place<th>found first"]
    for row in rows:
        fused = row["ways"][FUSED]
        places = [number for number, hit in enumerate(fused["hits"], 1) if hit in row["relevant"]]
        place = ", ".join(map(str, places)) or ("none" if row["relevant"] else f"{len(fused['hits'])} hits")
        good = bool(places) if row["relevant"] else not fused["hits"]
        notes = "" if row["set"] == TUNED else f" ({row['set'].replace('_', ' ')})"
        notes += f" (beyond: {row['beyond']})" if "beyond" in row else ""
        first = "; ".join(f"{hit} [{', '.join(by)}]" for hit, by in list(zip(fused["hits"], fused.get("found_by", [])))[:3])
        out.append(f"<tr><td>{escape(row['kind'])}<td>{escape(row['query'])}<small>{escape(notes)}</small><td>{escape(', '.join(row['relevant']))}"
                   f"<td{'' if good else ' class=miss'}>{escape(place)}<td>{escape(first)}")
    return "".join(out) + "</table>"
