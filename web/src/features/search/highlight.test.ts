import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { excerpt, pieces } from "./highlight";

const ranges = fc.array(fc.record({ start: fc.integer({ min: -5, max: 80 }), end: fc.integer({ min: -5, max: 80 }) }));

describe("highlighted words", () => {
  it("are cut out where the ranges say, in UTF-16 code units", () => {
    expect(pieces("it was 🎬 the best", [{ start: 7, end: 9 }, { start: 14, end: 18 }])).toEqual([
      { text: "it was ", marked: false },
      { text: "🎬", marked: true },
      { text: " the ", marked: false },
      { text: "best", marked: true },
    ]);
  });

  it("always join to the text, with marks exactly on the covered units", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), ranges, (text, marks) => {
        const cut = pieces(text, marks);
        expect(cut.map((piece) => piece.text).join("")).toBe(text);
        let at = 0;
        for (const piece of cut) {
          for (let unit = at; unit < at + piece.text.length; unit += 1) {
            expect(piece.marked).toBe(marks.some(({ start, end }) => start <= unit && unit < end));
          }
          at += piece.text.length;
        }
      }),
    );
  });

  it("stay on their words when a long text is shortened", () => {
    const text = `${"word ".repeat(200)}needle ${"word ".repeat(200)}`;
    const start = text.indexOf("needle");
    const short = excerpt(text, [{ start, end: start + 6 }]);
    expect(short.text.length).toBeLessThan(280);
    expect(short.ranges.map((range) => short.text.slice(range.start, range.end))).toEqual(["needle"]);
    expect(short.text.startsWith("… word")).toBe(true);
  });

  it("keep a short text whole", () => {
    expect(excerpt("short", [{ start: 0, end: 5 }])).toEqual({ text: "short", ranges: [{ start: 0, end: 5 }] });
  });
});
