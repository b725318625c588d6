import { QueryClient, QueryObserver, type InfiniteData } from "@tanstack/react-query";
import { describe, expect, it, vi } from "vitest";
import type { ApiClient } from "./api/client";
import { keys } from "./api/queries";
import type { Page, Video } from "./api/types";
import { patchLists, refreshLists, removeFromLists, renewPage, withNewFirstPage } from "./video-lists";

type List = InfiniteData<Page<Video>, string | null>;
const video = (video_id: string, more: Partial<Video> = {}) => ({ video_id, title: video_id, ...more }) as Video;
const list = (...pages: string[][]): List => ({
  pages: pages.map((ids, index) => ({ items: ids.map((id) => video(id)), next_cursor: index + 1 < pages.length ? `c${index + 1}` : null })),
  pageParams: pages.map((_, index) => (index === 0 ? null : `c${index}`)),
});
const ids = (data: List | undefined) => data?.pages.map((page) => page.items.map((each) => each.video_id).join(""));
const key = keys.videoList({});

describe("lists of videos in the cache", () => {
  it("are changed and emptied page by page, and pages without the video stay the very same", () => {
    const client = new QueryClient();
    const before = list(["a", "b"], ["c"]);
    client.setQueryData(key, before);
    patchLists(client, "c", (old) => ({ ...old, title: "new" }));
    const after = client.getQueryData<List>(key);
    expect(after?.pages[1]?.items[0]?.title).toBe("new");
    expect(after?.pages[0]).toBe(before.pages[0]);
    removeFromLists(client, new Set(["a", "c"]));
    expect(ids(client.getQueryData<List>(key))).toEqual(["b", ""]);
  });

  it("take a new first page without losing or repeating what it pushes down", () => {
    const merged = withNewFirstPage(list(["b", "c"], ["d", "e"], ["f"]), { items: [video("a"), video("d")], next_cursor: "x" });
    expect(ids(merged)).toEqual(["adbc", "e", "f"]);
    expect(merged.pages[0]?.next_cursor).toBe("c1");
  });

  it("of many pages cost one request when something changes, and none when nobody looks", async () => {
    const client = new QueryClient();
    const json = vi.fn(async () => ({ items: [video("new")], next_cursor: "c1" }));
    const api = { json } as unknown as ApiClient;
    client.setQueryData(key, list(["a"], ["b"], ["c"], ["d"], ["e"]));
    refreshLists(api, client);
    expect(json).not.toHaveBeenCalled();
    expect(ids(client.getQueryData<List>(key))).toEqual(["a"]);

    client.setQueryData(key, list(["a"], ["b"], ["c"], ["d"], ["e"]));
    const stop = new QueryObserver(client, { queryKey: key, enabled: true, staleTime: Infinity }).subscribe(() => undefined);
    refreshLists(api, client);
    await vi.waitFor(() => expect(ids(client.getQueryData<List>(key))).toEqual(["newa", "b", "c", "d", "e"]));
    expect(json).toHaveBeenCalledTimes(1);
    stop();
  });

  it("get back what was not deleted, or was brought back, where it was", () => {
    const client = new QueryClient();
    client.setQueryData(key, list(["a", "b"], ["c", "d", "e"], ["f"], ["g", "h"]));
    const putBack = removeFromLists(client, new Set(["b", "c", "d", "h"]));
    expect(ids(client.getQueryData<List>(key))).toEqual(["a", "e", "f", "g"]);
    // Meanwhile something new has come.
    client.setQueryData<List>(key, (now) => now && withNewFirstPage(now, { items: [video("new"), video("a")], next_cursor: "x" }));
    putBack(["d", "h"]);
    expect(ids(client.getQueryData<List>(key))).toEqual(["newa", "de", "f", "gh"]);
    putBack(["b", "c", "d", "h"]);
    expect(ids(client.getQueryData<List>(key))).toEqual(["newab", "cde", "f", "gh"]);
  });

  it("of many pages do not get back a deleted video from an answer that was on its way", async () => {
    const client = new QueryClient();
    const answers: ((page: Page<Video>) => void)[] = [];
    const api = { json: () => new Promise<Page<Video>>((answer) => answers.push(answer)) } as unknown as ApiClient;
    client.setQueryData(key, list(["a"], ["b"], ["c"], ["d"]));
    const stop = new QueryObserver(client, { queryKey: key, enabled: true, staleTime: Infinity }).subscribe(() => undefined);
    refreshLists(api, client);
    removeFromLists(client, new Set(["a"]));
    refreshLists(api, client);
    answers[1]?.({ items: [video("new")], next_cursor: null });
    await vi.waitFor(() => expect(ids(client.getQueryData<List>(key))).toEqual(["new", "b", "c", "d"]));
    answers[0]?.({ items: [video("a")], next_cursor: null });
    await new Promise((resolve) => setImmediate(resolve));
    expect(ids(client.getQueryData<List>(key))).toEqual(["new", "b", "c", "d"]);
    stop();
  });

  it("get new signatures for the one page that needs them", async () => {
    const client = new QueryClient();
    client.setQueryData(key, list(["a"], ["b"], ["c"]));
    // The answer was written before the event.
    patchLists(client, "b", (old) => ({ ...old, state: "indexed" }));
    const json = vi.fn(async () => ({ items: [video("b", { poster_url: "https://s3/b?new", state: "processing" })], next_cursor: "c2" }));
    await renewPage({ json } as unknown as ApiClient, client, {}, "b");
    expect(json).toHaveBeenCalledWith("/videos", { query: { limit: 100, cursor: "c1" } });
    expect(client.getQueryData<List>(key)?.pages[1]?.items[0]).toMatchObject({ poster_url: "https://s3/b?new", state: "indexed" });
    expect(ids(client.getQueryData<List>(key))).toEqual(["a", "b", "c"]);
  });
});
