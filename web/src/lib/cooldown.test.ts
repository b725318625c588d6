import { describe, expect, it } from "vitest";
import { secondsLeft } from "./cooldown";

describe("waiting for the next mail", () => {
  it("counts whole seconds down to none", () => {
    expect([61_000, 60_000, 59_001, 1_000, 1, 0, -5].map((ms) => secondsLeft(1e12 + ms, 1e12))).toEqual([60, 60, 60, 1, 1, 0, 0]);
  });

  it("ends within a minute though the clock was set back a year", () => {
    expect(secondsLeft(1e12 + 365 * 86_400_000, 1e12)).toBe(60);
  });
});
