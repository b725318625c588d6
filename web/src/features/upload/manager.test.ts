import { describe, expect, it, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import type { PartUrl, StoredParts, Video } from "@/lib/api/types";
import { UploadManager, type UploadItem } from "./manager";
import { PendingStore } from "./pending";
import { PutError } from "./put-part";
import type { Announcement, UploadApi } from "./upload-api";

const PART = 10;

/** A server and a store in memory, with switches for what goes wrong. */
class World {
  readonly storage = new Map<string, string>();
  readonly stored = new Map<number, { etag: string; size_bytes: number }>();
  readonly puts: number[] = [];
  failPut: (part_number: number, attempt: number) => unknown = () => null;
  gate: Promise<void> | null = null;
  parallel = 0;
  fourInFlight: () => void = () => undefined;
  peak = 0;
  size_bytes = 0;
  completed = 0;
  urlsAsked = 0;
  #now = 0;
  #attempts = new Map<number, number>();

  /** The SHA-256 of a video that is there already. */
  twin: string | null = null;
  hashed = 0;

  readonly api = {
    sameSize: vi.fn(async () => this.twin !== null),
    rename: vi.fn(async () => undefined),
    create: vi.fn(async ({ size_bytes, sha256 }: Announcement) => {
      if (sha256 !== undefined && sha256 === this.twin) throw new ApiError(409, { code: "duplicate", detail: "It is here.", video_id: "v0" });
      this.size_bytes = size_bytes;
      return { video_id: "v1", upload: { part_size_bytes: PART, part_count: Math.ceil(size_bytes / PART), expires_at: "" } };
    }),
    partUrls: vi.fn(async (_id: string, numbers: number[]): Promise<PartUrl[]> => {
      this.urlsAsked += 1;
      return numbers.map((part_number) => ({ part_number, url: `put:${part_number}`, size_bytes: PART, expires_at: "2100-01-01T00:00:00Z" }));
    }),
    stored: vi.fn(
      async (): Promise<StoredParts> => ({
        part_size_bytes: PART,
        part_count: Math.ceil(this.size_bytes / PART),
        size_bytes: this.size_bytes,
        filename: "rain.mp4",
        parts: [...this.stored].map(([part_number, part]) => ({ part_number, ...part })),
      }),
    ),
    complete: vi.fn(async () => {
      const count = Math.ceil(this.size_bytes / PART);
      const missing = Array.from({ length: count }, (_, index) => index + 1).filter((number) => !this.stored.has(number));
      if (missing.length > 0) throw new ApiError(409, { code: "upload_parts_missing", detail: "Parts are missing.", missing });
      this.completed += 1;
      return {} as Video;
    }),
    abort: vi.fn(async () => undefined),
  } satisfies UploadApi;

  manager(user = "ann") {
    return new UploadManager({
      api: this.api,
      putPart: async (url, body, onProgress, signal) => {
        const number = Number(url.slice(4));
        this.puts.push(number);
        this.parallel += 1;
        if (this.parallel === 4) this.fourInFlight();
        this.peak = Math.max(this.peak, this.parallel);
        try {
          const gate = this.gate;
          await new Promise((resolve) => setImmediate(resolve));
          await Promise.race([gate ?? Promise.resolve(), new Promise((_, reject) => signal.addEventListener("abort", () => reject(new DOMException("stopped", "AbortError"))))]);
          const attempt = (this.#attempts.get(number) ?? 0) + 1;
          this.#attempts.set(number, attempt);
          const failure = this.failPut(number, attempt);
          if (failure) throw failure;
          onProgress(body.size);
          this.stored.set(number, { etag: `"${number}"`, size_bytes: body.size });
          return `"${number}"`;
        } finally {
          this.parallel -= 1;
        }
      },
      pending: new PendingStore({ getItem: (key) => this.storage.get(key) ?? null, setItem: (key, value) => void this.storage.set(key, value) }, user),
      now: () => (this.#now += 1000),
      wait: async () => undefined,
      online: async () => undefined,
      newKey: () => "key",
      hash: async () => {
        this.hashed += 1;
        return "5a".repeat(32);
      },
      changed: () => undefined,
    });
  }
}

const rain = (size = 95) => new File([new Uint8Array(size)], "rain.mp4", { lastModified: 1234 });
const until = (manager: UploadManager, done: (items: readonly UploadItem[]) => boolean) =>
  new Promise<void>((resolve) => {
    if (done(manager.items())) return resolve();
    const stop = manager.subscribe(() => {
      if (!done(manager.items())) return;
      stop();
      resolve();
    });
  });
const is = (status: UploadItem["status"]) => (items: readonly UploadItem[]) => items[0]?.status === status;

describe("the upload queue", () => {
  it("sends every part once, four at a time, completes, and forgets the upload", async () => {
    const world = new World();
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect([...world.puts].sort((a, b) => a - b)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(world.peak).toBe(4);
    expect(world.urlsAsked).toBe(2);
    expect(world.completed).toBe(1);
    expect(manager.items()[0]).toMatchObject({ sent_bytes: 95, video_id: "v1", resumed: false });
    expect(manager.unfinished()).toEqual([]);
  });

  it("retries a part that fails for a while, and only that part", async () => {
    const world = new World();
    world.failPut = (number, attempt) => (number === 3 && attempt <= 3 ? new PutError([0, 503, 403][attempt - 1] ?? 0) : null);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(world.puts.filter((number) => number === 3)).toHaveLength(4);
    expect(world.puts).toHaveLength(13);
  });

  it("stops with a sentence when the store keeps refusing, and goes on from there when asked", async () => {
    const world = new World();
    world.failPut = (number) => (number === 10 ? new PutError(400) : null);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("failed"));
    expect(manager.items()[0]?.error).toMatch(/^A part of the file did not arrive\./);
    world.failPut = () => null;
    const before = world.puts.length;
    manager.resume(manager.items()[0]?.id ?? 0);
    await until(manager, is("done"));
    expect(world.puts.slice(before)).toEqual([10]);
    expect(world.api.create).toHaveBeenCalledTimes(1);
  });

  it("tells the server's own sentence when it refuses the upload", async () => {
    const world = new World();
    world.api.create.mockRejectedValueOnce(new ApiError(429, { code: "upload_quota", detail: "You have used your 3 uploads for today." }));
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("failed"));
    expect(manager.items()[0]?.error).toBe("You have used your 3 uploads for today.");
  });

  it("pauses and resumes without sending a stored part again", async () => {
    const world = new World();
    let open = () => {};
    const manager = world.manager();
    world.failPut = (number) => {
      if (number === 4) world.gate = new Promise((resolve) => (open = resolve));
      return null;
    };
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, (items) => (items[0]?.sent_bytes ?? 0) >= 40);
    manager.pause(manager.items()[0]?.id ?? 0);
    expect(manager.items()[0]?.status).toBe("paused");
    world.gate = null;
    open();
    const kept = new Set(world.stored.keys());
    const before = world.puts.length;
    manager.resume(manager.items()[0]?.id ?? 0);
    await until(manager, is("done"));
    expect(world.puts.slice(before).some((number) => kept.has(number))).toBe(false);
    expect(world.completed).toBe(1);
  });

  it("goes on after a reload when the same file is chosen again", async () => {
    const world = new World();
    world.gate = new Promise(() => undefined);
    const before = world.manager();
    before.add([{ file: rain(), mime_type: "video/mp4" }]);
    await new Promise<void>((resolve) => (world.fourInFlight = resolve));
    for (const number of [1, 2, 3, 4, 5, 6]) world.stored.set(number, { etag: `"${number}"`, size_bytes: PART });
    world.gate = null;
    world.puts.length = 0;

    const after = world.manager();
    expect(after.unfinished()).toMatchObject([{ video_id: "v1", name: "rain.mp4", size_bytes: 95, last_modified_ms: 1234 }]);
    after.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(after, is("done"));
    expect([...world.puts].sort((a, b) => a - b)).toEqual([7, 8, 9, 10]);
    expect(after.items()[0]?.resumed).toBe(true);
    expect(world.api.create).toHaveBeenCalledTimes(1);
  });

  it("begins anew when the server has given the old upload up, and shows nobody else's", async () => {
    const world = new World();
    new PendingStore({ getItem: (key) => world.storage.get(key) ?? null, setItem: (key, value) => void world.storage.set(key, value) }, "ann").remember("gone", rain());
    expect(world.manager("bob").unfinished()).toEqual([]);
    world.api.stored.mockRejectedValueOnce(new ApiError(404, { code: "not_found" }));
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(manager.items()[0]?.video_id).toBe("v1");
    expect(manager.unfinished()).toEqual([]);
  });

  it("sends what the server still misses when completing", async () => {
    const world = new World();
    const manager = world.manager();
    let lost = false;
    const complete = world.api.complete.getMockImplementation();
    world.api.complete.mockImplementation(async () => {
      if (!lost) world.stored.delete(2);
      lost = true;
      return (await complete?.()) as Video;
    });
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(world.puts.filter((number) => number === 2)).toHaveLength(2);
    expect(world.completed).toBe(1);
  });

  it("counts an upload as done when only the last answer was lost", async () => {
    const world = new World();
    new PendingStore({ getItem: (key) => world.storage.get(key) ?? null, setItem: (key, value) => void world.storage.set(key, value) }, "ann").remember("v0", rain());
    world.api.stored.mockRejectedValueOnce(new ApiError(409, { code: "upload_not_open" }));
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(manager.items()[0]?.video_id).toBe("v0");
    expect(world.puts).toEqual([]);
    expect(manager.unfinished()).toEqual([]);
  });

  it("removes a cancelled upload from the store and from memory", async () => {
    const world = new World();
    world.gate = new Promise(() => undefined);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, (items) => items[0]?.video_id === "v1");
    manager.cancel(manager.items()[0]?.id ?? 0);
    expect(manager.items()).toEqual([]);
    expect(world.api.abort).toHaveBeenCalledWith("v1");
    expect(manager.unfinished()).toEqual([]);
  });

  it("computes no hash where nothing has the file's size", async () => {
    const world = new World();
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(world.hashed).toBe(0);
    expect(world.api.create.mock.calls[0]?.[0]).toEqual({ filename: "rain.mp4", mime_type: "video/mp4", size_bytes: 95 });
  });

  it("names the video that has the same bytes, sends nothing, and sends it when the person wants it twice", async () => {
    const world = new World();
    world.twin = "5a".repeat(32);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("duplicate"));
    expect(manager.items()[0]).toMatchObject({ twin_id: "v0", video_id: null });
    expect(world.puts).toEqual([]);
    expect(manager.busy).toBe(false);
    manager.sendAnyway(manager.items()[0]?.id ?? 0);
    await until(manager, is("done"));
    expect(world.api.create.mock.calls[1]?.[0]).toMatchObject({ allow_duplicate: true });
    expect(world.completed).toBe(1);
  });

  it("sends a file of the same size and other bytes without a question", async () => {
    const world = new World();
    world.twin = "00".repeat(32);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(world.hashed).toBe(1);
    expect(world.api.create).toHaveBeenCalledTimes(1);
  });

  it("goes on with the unfinished upload the person says the file belongs to, in a browser that knows nothing of it", async () => {
    const world = new World();
    world.size_bytes = 95;
    for (const number of [1, 2, 3]) world.stored.set(number, { etag: `"${number}"`, size_bytes: PART });
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4", video_id: "v1" }]);
    await until(manager, is("done"));
    expect([...world.puts].sort((a, b) => a - b)).toEqual([4, 5, 6, 7, 8, 9, 10]);
    expect(world.api.create).not.toHaveBeenCalled();
  });

  it("gives a title before the announcement, and afterwards", async () => {
    const world = new World();
    world.gate = new Promise(() => undefined);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    const id = manager.items()[0]?.id ?? 0;
    manager.pause(id);
    await manager.retitle(id, "  Long rain ");
    manager.resume(id);
    await until(manager, (items) => items[0]?.video_id === "v1");
    expect(world.api.create.mock.calls.at(-1)?.[0].title).toBe("Long rain");
    await manager.retitle(id, "Rain at last");
    expect(world.api.rename).toHaveBeenCalledWith("v1", "Rain at last");
    expect(manager.items()[0]?.title).toBe("Rain at last");
  });

  it("says the very same again when the answer to the announcement was lost, and gives a later title afterwards", async () => {
    const world = new World();
    const manager = world.manager();
    // The server has heard it: from now on the library has a video of this size, which is this one.
    world.api.create.mockRejectedValueOnce(new ApiError(0));
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("failed"));
    world.twin = "00".repeat(32);
    const id = manager.items()[0]?.id ?? 0;
    await manager.retitle(id, "Long rain");
    manager.resume(id);
    await until(manager, is("done"));
    expect(world.api.create.mock.calls[1]?.[0]).toEqual(world.api.create.mock.calls[0]?.[0]);
    expect(world.api.rename).toHaveBeenCalledExactlyOnceWith("v1", "Long rain");
  });

  it("gives the title that was written before an unfinished upload was taken up", async () => {
    const world = new World();
    world.size_bytes = 95;
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4", video_id: "v1" }]);
    await manager.retitle(manager.items()[0]?.id ?? 0, "Long rain");
    await until(manager, is("done"));
    expect(world.api.rename).toHaveBeenCalledExactlyOnceWith("v1", "Long rain");
  });

  it("shows the old title again when the server refuses the new one", async () => {
    const world = new World();
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    world.api.rename.mockRejectedValueOnce(new ApiError(422, { detail: "No such title." }));
    await expect(manager.retitle(manager.items()[0]?.id ?? 0, "bad")).rejects.toThrow("No such title.");
    expect(manager.items()[0]?.title).toBeNull();
  });

  it("is done when another tab has sent the rest of the same file", async () => {
    const world = new World();
    const manager = world.manager();
    world.failPut = (number) => (number === 6 ? new PutError(404) : null);
    const urls = world.api.partUrls.getMockImplementation();
    world.api.partUrls.mockImplementation(async (id, numbers) => {
      if (world.puts.includes(6)) throw new ApiError(409, { code: "upload_not_open", detail: "It is complete." });
      return (await urls?.(id, numbers)) ?? [];
    });
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, (items) => is("done")(items) || is("failed")(items));
    expect(manager.items()[0]).toMatchObject({ status: "done", error: null });
    expect(manager.unfinished()).toEqual([]);
  });

  it("gets a new URL when the store refuses one that has ended while the machine slept", async () => {
    const world = new World();
    world.failPut = (number, attempt) => (number === 5 && attempt === 1 ? new PutError(403) : null);
    const manager = world.manager();
    manager.add([{ file: rain(), mime_type: "video/mp4" }]);
    await until(manager, is("done"));
    expect(world.api.partUrls.mock.calls.filter(([, numbers]) => numbers.includes(5)).length).toBeGreaterThanOrEqual(2);
    expect(world.completed).toBe(1);
  });

  it("takes the same file only once", async () => {
    const world = new World();
    const manager = world.manager();
    const file = rain();
    manager.add([{ file, mime_type: "video/mp4" }, { file, mime_type: "video/mp4" }]);
    expect(manager.items()).toHaveLength(1);
    await until(manager, is("done"));
  });
});
