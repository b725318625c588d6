import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { currentAt, indexAt } from "./follow";

describe("following the player", () => {
  it("finds the same place as looking one by one", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(10_000)), fc.integer({ min: -100, max: 11_000 }), (values, at) => {
        const starts = values.sort((a, b) => a - b);
        expect(indexAt(starts, at)).toBe(starts.findLastIndex((start) => start <= at));
      }),
    );
  });

  it("keeps a sentence current through a short pause and lets it go in a long one", () => {
    const starts = [1000, 5000];
    const ends = [2000, 6000];
    expect([0, 1000, 1999, 3400, 3600, 5000, 7500, 7501].map((at) => currentAt(starts, ends, at))).toEqual([-1, 0, 0, 0, -1, 1, 1, -1]);
  });
});
