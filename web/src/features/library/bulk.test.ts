import { expect, it } from "vitest";
import type { ApiClient, RequestOptions } from "@/lib/api/client";
import { ApiError } from "@/lib/api/errors";
import { changeMany, everyId } from "./bulk";

const server = (answer: (path: string, options: RequestOptions) => unknown) => ({ json: async (path: string, options: RequestOptions = {}) => answer(path, options) }) as unknown as ApiClient;

it("changes many videos a hundred at a time and collects what was refused", async () => {
  const asked: number[] = [];
  const api = server((_, { body }) => {
    const { ids } = body as { ids: string[] };
    asked.push(ids.length);
    return { items: ids.map((video_id) => ({ video_id, error: video_id === "v7" ? { code: "run_active", detail: "It is being indexed." } : null })) };
  });
  const outcome = await changeMany(api, Array.from({ length: 250 }, (_, index) => `v${index}`), "reprocess");
  expect(asked).toEqual([100, 100, 50]);
  expect(outcome.done).toHaveLength(249);
  expect(outcome.refused).toEqual([{ id: "v7", detail: "It is being indexed." }]);
});

it("tells what was done before the connection broke, so that it can be undone", async () => {
  const api = server((_, { body }) => {
    const { ids } = body as { ids: string[] };
    if (ids[0] !== "v0") throw new ApiError(0);
    return { items: ids.map((video_id) => ({ video_id, error: null })) };
  });
  const outcome = await changeMany(api, Array.from({ length: 250 }, (_, index) => `v${index}`), "delete");
  expect([outcome.done.length, outcome.refused.length]).toEqual([100, 150]);
  expect(outcome.refused[0]).toEqual({ id: "v100", detail: new ApiError(0).message });
});

it("reads every id of a filter, page by page", async () => {
  const api = server((_, { query }) => (query?.cursor ? { items: ["c"], next_cursor: null } : { items: ["a", "b"], next_cursor: "more" }));
  expect(await everyId(api, { tag: "sea" })).toEqual(["a", "b", "c"]);
});
