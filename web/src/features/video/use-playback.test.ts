import { expect, it } from "vitest";
import { isReady, renewIn } from "./use-playback";

it("renews a signed URL a minute before it ends, and never in a storm", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  expect(renewIn("2026-01-01T00:10:00Z", now)).toBe(9 * 60_000);
  expect(renewIn("2026-01-01T00:00:30Z", now)).toBe(10_000);
  expect(renewIn("2025-12-31T00:00:00Z", now)).toBe(10_000);
});

it("knows a version that is being made from one that can be played", () => {
  expect(isReady(undefined)).toBe(false);
  expect(isReady({ state: "running", progress: 40 })).toBe(false);
  expect(isReady({ url: "https://s3/v", mime_type: "video/mp4", expires_at: "2026-01-01T00:10:00Z", duration_ms: 1, kind: "proxy", sprite: null, captions_url: null, sidecar_url: null })).toBe(true);
});
