export interface Piece {
  text: string;
  marked: boolean;
}

/** Cuts a text into marked and plain pieces. Ranges are in UTF-16 code units, as strings are here; they may overlap, be
 *  out of order or reach past the end: the pieces always join to the text. */
export function pieces(text: string, ranges: readonly { start: number; end: number }[]): Piece[] {
  const sorted = ranges
    .map(({ start, end }) => ({ start: Math.max(0, Math.min(text.length, start)), end: Math.max(0, Math.min(text.length, end)) }))
    .filter(({ start, end }) => start < end)
    .sort((a, b) => a.start - b.start);
  const out: Piece[] = [];
  let at = 0;
  for (const { start, end } of sorted) {
    if (end <= at) continue;
    const from = Math.max(at, start);
    if (from > at) out.push({ text: text.slice(at, from), marked: false });
    const last = out.at(-1);
    if (last?.marked) last.text += text.slice(from, end);
    else out.push({ text: text.slice(from, end), marked: true });
    at = end;
  }
  if (at < text.length) out.push({ text: text.slice(at), marked: false });
  return out;
}

/** A long text shortened around its first mark, on word borders, to about `max` code units. */
export function excerpt(text: string, ranges: readonly { start: number; end: number }[], max = 260): { text: string; ranges: { start: number; end: number }[] } {
  if (text.length <= max) return { text, ranges: [...ranges] };
  const first = ranges.reduce((least, range) => Math.min(least, range.start), ranges.length > 0 ? Infinity : 0);
  let from = Math.max(0, Math.min(first - 60, text.length - max));
  if (from > 0) {
    const space = text.indexOf(" ", from);
    if (space >= 0 && space <= first) from = space + 1;
  }
  let to = Math.min(text.length, from + max);
  if (to < text.length) {
    const space = text.lastIndexOf(" ", to);
    if (space > from + max / 2) to = space;
  }
  const lead = from > 0 ? "… " : "";
  const shift = from - lead.length;
  return {
    text: lead + text.slice(from, to) + (to < text.length ? " …" : ""),
    ranges: ranges
      .filter((range) => range.end > from && range.start < to)
      .map((range) => ({ start: Math.max(from, range.start) - shift, end: Math.min(to, range.end) - shift })),
  };
}
