import type { Segment } from "@/lib/api/types";

/** A place in the transcript: the words from `from` to `to` (both in it) of the segment at `segment`. */
export interface Found {
  segment: number;
  from: number;
  to: number;
}

const plain = (text: string) => text.normalize("NFC").toLocaleLowerCase();

/** The words of a segment as one line to look in, and where in it each begins. */
interface Line {
  text: string;
  starts: readonly number[];
}

/** A long transcript is looked through with every letter that is typed; its lines are made once. */
const lines = new WeakMap<Segment, Line>();

function lineOf(segment: Segment): Line {
  const known = lines.get(segment);
  if (known) return known;
  const starts: number[] = [];
  let text = segment.words.length === 0 ? plain(segment.text) : "";
  for (const word of segment.words) {
    // As they are written: languages without spaces have none between their words.
    if (text !== "" && /^\s/.test(word.text)) text += " ";
    starts.push(text.length);
    text += plain(word.text.trim());
  }
  const line = { text, starts };
  lines.set(segment, line);
  return line;
}

/** Every place where the words, as they are shown, hold the text; in order, without overlaps. Of a segment without words, the whole. */
export function findIn(segments: readonly Segment[], text: string): Found[] {
  const wanted = plain(text.trim().replace(/\s+/g, " "));
  if (wanted === "") return [];
  const found: Found[] = [];
  segments.forEach((segment, place) => {
    const line = lineOf(segment);
    if (line.starts.length === 0) {
      if (line.text.includes(wanted)) found.push({ segment: place, from: 0, to: 0 });
      return;
    }
    const wordAt = (offset: number) => line.starts.findLastIndex((start) => start <= offset);
    for (let at = line.text.indexOf(wanted); at >= 0; at = line.text.indexOf(wanted, at + wanted.length)) {
      found.push({ segment: place, from: wordAt(at), to: wordAt(at + wanted.length - 1) });
    }
  });
  return found;
}
