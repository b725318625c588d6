import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { rowsNear, sliceOf } from "./windowing";

describe("a long list", () => {
  it("draws what the window shows, with a little around it, and keeps the height of the whole", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: 6 }), fc.integer({ min: 40, max: 400 }), fc.integer({ min: -600_000, max: 900 }), (count, columns, row_px, top_px) => {
        const total_px = Math.ceil(count / columns) * row_px;
        const rows = rowsNear(top_px, 860, { columns, row_px });
        const { first, last, before_px, after_px } = sliceOf(count, rows);
        expect(before_px + Math.ceil((last - first) / columns) * row_px + after_px).toBe(total_px);
        expect(last).toBeGreaterThan(first);
        expect(last - first).toBeLessThanOrEqual((Math.ceil(860 / row_px) + 6) * columns);
        // Whatever of the list is in the window is drawn.
        const seen_from = Math.max(0, -top_px);
        const seen_to = Math.min(total_px, 860 - top_px);
        if (seen_to > seen_from) {
          expect(before_px).toBeLessThanOrEqual(seen_from);
          expect(total_px - after_px).toBeGreaterThanOrEqual(seen_to);
        }
      }),
    );
  });

  it("of 5,000 videos has at most a hundred in the document on a desktop and on a phone", () => {
    for (const layout of [{ columns: 4, row_px: 290 }, { columns: 1, row_px: 72 }, { columns: 1, row_px: 300 }]) {
      for (const top_px of [200, -1000, -300_000]) {
        const { first, last } = sliceOf(5000, rowsNear(top_px, 1200, layout));
        expect(last - first).toBeLessThanOrEqual(100);
      }
    }
  });
});
