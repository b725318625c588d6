import { describe, expect, it } from "vitest";
import type { Segment } from "@/lib/api/types";
import { findIn } from "./find";

const segment = (segment_no: number, words: string[]): Segment => ({
  segment_no,
  start_ms: segment_no * 1000,
  end_ms: segment_no * 1000 + 900,
  text: words.join("").trim(),
  edited: false,
  words: words.map((text, index) => ({ start_ms: index, end_ms: index + 1, text, probability: 1 })),
});

describe("finding in the transcript", () => {
  it("finds words, parts of words and sentences, whatever their case", () => {
    const said = [segment(0, [" It", " was", " the", " best,"]), segment(1, [" It", " was", " the", " worst"])];
    expect(findIn(said, "WAS the")).toEqual([
      { segment: 0, from: 1, to: 2 },
      { segment: 1, from: 1, to: 2 },
    ]);
    expect(findIn(said, "  the   best ")).toEqual([{ segment: 0, from: 2, to: 3 }]);
    expect(findIn(said, "ors")).toEqual([{ segment: 1, from: 3, to: 3 }]);
    expect(findIn(said, "best, it")).toEqual([]);
    expect(findIn(said, "  ")).toEqual([]);
  });

  it("finds in languages without spaces, and more than once in a sentence", () => {
    expect(findIn([segment(0, ["東", "京", "は", "東", "京"])], "東京")).toEqual([
      { segment: 0, from: 0, to: 1 },
      { segment: 0, from: 3, to: 4 },
    ]);
    expect(findIn([segment(0, [" 비가", " 온다"])], "비가 온")).toEqual([{ segment: 0, from: 0, to: 1 }]);
  });
});
