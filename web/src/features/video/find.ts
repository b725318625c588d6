import type { Segment } from "@/lib/api/types";

/** A place in the transcript: the words from `from` to `to` (both in it) of the segment at `segment`. */
export interface Found {
  segment: number;
  from: number;
  to: number;
}

const plain = (text: string) => text.normalize("NFC").toLocaleLowerCase();

/** Every place where the words, as they are shown, hold the text; in order, without overlaps. Of a segment without words, the whole. */
export function findIn(segments: readonly Segment[], text: string): Found[] {
  const wanted = plain(text.trim().replace(/\s+/g, " "));
  if (wanted === "") return [];
  const found: Found[] = [];
  segments.forEach((segment, place) => {
    if (segment.words.length === 0) {
      if (plain(segment.text).includes(wanted)) found.push({ segment: place, from: 0, to: 0 });
      return;
    }
    const starts: number[] = [];
    let line = "";
    for (const word of segment.words) {
      // As they are written: languages without spaces have none between their words.
      if (line !== "" && /^\s/.test(word.text)) line += " ";
      starts.push(line.length);
      line += plain(word.text.trim());
    }
    const wordAt = (offset: number) => starts.findLastIndex((start) => start <= offset);
    for (let at = line.indexOf(wanted); at >= 0; at = line.indexOf(wanted, at + wanted.length)) {
      found.push({ segment: place, from: wordAt(at), to: wordAt(at + wanted.length - 1) });
    }
  });
  return found;
}
