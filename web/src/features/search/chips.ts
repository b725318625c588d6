/** The operators of a query as chips. This reads the language of `docs/search.md` as far as chips need it: where an operator begins
 *  and ends, and what it says. Whether its value is one that the server takes, the server says. */

export const CHIP_KEYS = ["person", "tag", "text", "said", "title", "after", "before", "duration", "lang"] as const;
export type ChipKey = (typeof CHIP_KEYS)[number];

export interface Chip {
  key: ChipKey;
  /** Without quotes, blanks single. */
  value: string;
  /** It leaves out. */
  excluded: boolean;
}

/** A part of a query; the sources of all parts in their order are the query. */
interface Part {
  source: string;
  kind: "blank" | "words" | "chip";
  chip: Chip | null;
  /** Quotes that were opened and not closed. */
  open: boolean;
}

const BLANK = /[\p{White_Space}\p{Cc}]/u;
const QUOTE = /["“”„＂]/u;
const LETTER_OR_DIGIT = /[\p{Alphabetic}\p{N}]/u;
const OPERATOR = new RegExp(`^(${CHIP_KEYS.join("|")}):`, "i");

/** Takes a query apart without losing anything. */
export function parts(query: string): Part[] {
  const found: Part[] = [];
  const rest = [...query];
  let at = 0;
  const take = (until: (char: string) => boolean) => {
    const from = at;
    while (at < rest.length && !until(rest[at] ?? "")) at += 1;
    return rest.slice(from, at).join("");
  };
  while (at < rest.length) {
    const start = at;
    if (take((char) => !BLANK.test(char)) !== "") {
      found.push({ source: rest.slice(start, at).join(""), kind: "blank", chip: null, open: false });
      continue;
    }
    const next = rest[at + 1];
    const excluded = rest[at] === "-" && next !== undefined && next !== "-" && !BLANK.test(next);
    if (excluded) at += 1;
    const operator = OPERATOR.exec(rest.slice(at, at + 9).join(""));
    const key = (operator?.[1]?.toLowerCase() ?? null) as ChipKey | null;
    if (operator) at += operator[0].length;
    let value: string;
    let open = false;
    if (QUOTE.test(rest[at] ?? "")) {
      at += 1;
      value = take((char) => QUOTE.test(char));
      open = at >= rest.length;
      at = Math.min(at + 1, rest.length);
    } else {
      value = take((char) => BLANK.test(char) || QUOTE.test(char));
    }
    value = value.split(BLANK).filter(Boolean).join(" ");
    // A minus before a word asks that it be not said.
    const asked = key ?? (excluded && LETTER_OR_DIGIT.test(value) ? "said" : null);
    found.push({
      source: rest.slice(start, at).join(""),
      kind: asked ? "chip" : "words",
      chip: asked && value !== "" ? { key: asked, value, excluded } : null,
      open,
    });
  }
  return found;
}

/** The operators of a query that say something, as they stand in it. */
export const chipsOf = (query: string): Chip[] => parts(query).flatMap((part) => part.chip ?? []);

/** Nobody is in the middle of writing it: its quotes are closed and its operators have values. */
export const isFinished = (query: string): boolean => parts(query).every((part) => !part.open && (part.kind !== "chip" || part.chip !== null));

/** The query without its chip of this number; what is beside it stays as it is. */
export function withoutChip(query: string, number: number): string {
  const all = parts(query);
  const chips = all.flatMap((part, place) => (part.chip ? [place] : []));
  const place = chips[number];
  if (place === undefined) return query;
  // Of the blanks around it one stays.
  const after = all[place + 1]?.kind === "blank" ? 2 : 1;
  const before = after === 1 && place === all.length - 1 && all[place - 1]?.kind === "blank" ? 1 : 0;
  all.splice(place - before, after + before);
  return all.map((part) => part.source).join("");
}

/** The query with one more operator at its end. Quotes within the value, which the language cannot say, are left out. */
export function withChip(query: string, { key, value, excluded }: Chip): string {
  const plain = value.split(QUOTE).join(" ").split(BLANK).filter(Boolean).join(" ");
  if (plain === "") return query;
  const all = parts(query);
  const closed = all.at(-1)?.open ? `${query}"` : query;
  const gap = closed === "" || all.at(-1)?.kind === "blank" ? "" : " ";
  return `${closed}${gap}${excluded ? "-" : ""}${key}:${plain.includes(" ") ? `"${plain}"` : plain}`;
}
