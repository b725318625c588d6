import { expect, it } from "vitest";
import { renewIn } from "./use-playback";

it("renews a signed URL a minute before it ends, and never in a storm", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(renewIn("2026-01-01T00:10:00Z", now)).toBe(9 * 60_000);
  expect(renewIn("2026-01-01T00:00:30Z", now)).toBe(10_000);
  expect(renewIn("2025-12-31T00:00:00Z", now)).toBe(10_000);
});
