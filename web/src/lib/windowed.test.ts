import { describe, expect, it } from "vitest";
import { rowAt } from "./windowed";

describe("the rows of a long list", () => {
  it("are found by where they begin", () => {
    const starts = Float64Array.from([0, 50, 150, 180]);
    expect([-5, 0, 49, 50, 149, 150, 179, 180, 9999].map((y) => rowAt(starts, y))).toEqual([0, 0, 0, 1, 1, 2, 2, 2, 2]);
    expect(rowAt(Float64Array.from([0]), 10)).toBe(0);
  });
});
