import { expect, it } from "vitest";
import { createApiClient } from "@/lib/api/client";
import { PutError } from "./put-part";
import { transfer } from "./transfer";
import { uploadApi } from "./upload-api";

const HOUR_MS = 3_600_000;
const PART = 10;
const answer = (status: number, body: unknown) => new Response(JSON.stringify(body), { status, headers: { "content-type": "application/json" } });

/** A server whose tokens and URLs end after an hour, and a machine that sleeps longer than that after the first part. */
it("goes on after a sleep: one new token for all, and new URLs for those that have ended", async () => {
  let now = 0;
  let held = "first";
  let valid = "first";
  let refreshed = 0;
  let completed = 0;
  const refused: string[] = [];
  const arrived = new Set<number>();

  const api = createApiClient(
    {
      token: async () => held,
      refresh: async () => {
        refreshed += 1;
        held = valid;
        return held;
      },
      ended: () => {
        throw new Error("the session must not end");
      },
    },
    async (path, options) => {
      const { authorization } = options?.headers as Record<string, string>;
      if (authorization !== `Bearer ${valid}`) {
        refused.push(String(path));
        return answer(401, { code: "invalid_token" });
      }
      if (String(path).endsWith("/complete")) {
        completed += 1;
        return answer(202, {});
      }
      const { part_numbers } = JSON.parse(String(options?.body)) as { part_numbers: number[] };
      const ends_ms = now + HOUR_MS;
      return answer(200, { parts: part_numbers.map((part_number) => ({ part_number, url: `${part_number}:${ends_ms}`, size_bytes: PART, expires_at: new Date(ends_ms).toISOString() })) });
    },
  );

  await transfer(
    {
      api: uploadApi(api),
      now: () => now,
      wait: async () => undefined,
      online: async () => undefined,
      putPart: async (url) => {
        const [part, ends_ms] = url.split(":").map(Number);
        if (now > (ends_ms ?? 0)) throw new PutError(403);
        arrived.add(part ?? 0);
        if (arrived.size === 1) {
          now += HOUR_MS + 60_000;
          valid = "second";
        }
        return `"${part}"`;
      },
    },
    { video_id: "v", part_size_bytes: PART, part_count: 20, size_bytes: 200 },
    new Blob([new Uint8Array(200)]),
    [],
    () => undefined,
    () => undefined,
    new AbortController().signal,
  );
  expect(arrived.size).toBe(20);
  expect(refused.length).toBeGreaterThan(0);
  expect(refreshed).toBe(1);
  expect(completed).toBe(1);
});
