import { afterEach, expect, it, vi } from "vitest";
import { heldUploads, holdUpload } from "./elsewhere";

/** As of a browser: a lock is held until what it was asked for has ended. */
function lockManager() {
  const held: { name: string }[] = [];
  return {
    request: async (name: string, _: unknown, work: () => Promise<void>) => {
      const lock = { name };
      held.push(lock);
      await work();
      held.splice(held.indexOf(lock), 1);
    },
    query: async () => ({ held: [...held, { name: "somebody else's" }] }),
  };
}

afterEach(() => vi.unstubAllGlobals());

it("knows which uploads tabs have, and for how long", async () => {
  vi.stubGlobal("navigator", { locks: lockManager() });
  const release = holdUpload("v1");
  holdUpload("v2");
  expect([...(await heldUploads())]).toEqual(["v1", "v2"]);
  release();
  await vi.waitFor(async () => expect([...(await heldUploads())]).toEqual(["v2"]));
});

it("knows of none where the browser has no locks", async () => {
  vi.stubGlobal("navigator", {});
  holdUpload("v1")();
  expect([...(await heldUploads())]).toEqual([]);
});
