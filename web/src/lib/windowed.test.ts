import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { rowAt, rowsIn, startsOf } from "./windowed";

const equal = (count: number, row_px: number) => startsOf(count, row_px, new Map());

describe("the rows of a long list", () => {
  it("are found by where they begin", () => {
    const starts = Float64Array.from([0, 50, 150, 180]);
    expect([-5, 0, 49, 50, 149, 150, 179, 180, 9999].map((y) => rowAt(starts, y))).toEqual([0, 0, 0, 1, 1, 2, 2, 2, 2]);
    expect(rowAt(Float64Array.from([0]), 10)).toBe(0);
  });

  it("begin where those before them end, measured or not", () => {
    expect([...startsOf(4, 40, new Map([[1, 100]]))]).toEqual([0, 40, 140, 180, 220]);
  });

  it("are drawn where the window shows them, with a little around it", () => {
    const heights = fc.array(fc.integer({ min: 20, max: 400 }), { minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(heights, fc.integer({ min: -900, max: 60_000 }), (rows, above_px) => {
        const starts = startsOf(rows.length, 50, new Map(rows.entries()));
        const total_px = starts[rows.length] as number;
        const { first, end } = rowsIn(starts, above_px, 860, 2);
        expect(end).toBeGreaterThan(first);
        // Whatever of the list is in the window is drawn.
        const seen_from = Math.max(0, above_px);
        const seen_to = Math.min(total_px, above_px + 860);
        if (seen_to > seen_from) {
          expect(starts[first]).toBeLessThanOrEqual(seen_from);
          expect(starts[end]).toBeGreaterThanOrEqual(seen_to);
        }
        // And no more than two rows besides, on either side.
        expect(rows.slice(first, end).filter((_, index) => (starts[first + index + 1] ?? 0) <= above_px || (starts[first + index] ?? 0) > above_px + 860).length).toBeLessThanOrEqual(5);
      }),
    );
  });

  it("of 5,000 videos are at most a hundred on a desktop and on a phone", () => {
    for (const [columns, row_px] of [[4, 290], [1, 72], [1, 300]] as const) {
      for (const above_px of [-200, 1000, 300_000]) {
        const { first, end } = rowsIn(equal(Math.ceil(5000 / columns), row_px), above_px, 1200, 2);
        expect((end - first) * columns).toBeLessThanOrEqual(100);
      }
    }
  });
});
