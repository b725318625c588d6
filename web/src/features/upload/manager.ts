import { ApiError, sentence } from "@/lib/api/errors";
import type { StoredParts } from "@/lib/api/types";
import { messages } from "./messages";
import type { PendingStore } from "./pending";
import { PutError } from "./put-part";
import { SpeedMeter } from "./speed";
import { transfer, type Plan, type StoredPart, type TransferDeps } from "./transfer";
import type { Announcement } from "./upload-api";

export type UploadStatus = "queued" | "checking" | "uploading" | "paused" | "finishing" | "done" | "failed" | "duplicate";

/** What the page shows of one file. */
export interface UploadItem {
  id: number;
  name: string;
  /** What the person wants it to be called; null: as the file. */
  title: string | null;
  size_bytes: number;
  status: UploadStatus;
  sent_bytes: number;
  bytes_per_s: number | null;
  eta_s: number | null;
  error: string | null;
  video_id: string | null;
  /** It went on from parts that were already stored. */
  resumed: boolean;
  /** The video that has the same bytes, while the person has not said what to do. */
  twin_id: string | null;
}

/** A file to send. `video_id`: the unfinished upload that the person says it belongs to. */
export interface Chosen {
  file: File;
  mime_type: string;
  video_id?: string | undefined;
}

interface Entry extends UploadItem {
  file: File;
  mime_type: string;
  idempotency_key: string;
  takes_up: string | null;
  allow_duplicate: boolean;
  /** What was said under the idempotency key. The server may have heard it although no answer came, so a further try says the very same. */
  announced: Announcement | null;
  /** The title that the server knows of. */
  told_title: string | null;
  controller: AbortController;
  meter: SpeedMeter;
  shown_ms: number;
}

export interface ManagerDeps extends TransferDeps {
  pending: PendingStore;
  newKey: () => string;
  /** SHA-256 of a file, or null when it cannot be computed here. */
  hash: (file: File, signal: AbortSignal) => Promise<string | null>;
  /** Called when a video exists on the server or has begun its indexing, so that lists are read again. */
  changed: () => void;
}

const PARALLEL_FILES = 2;
const SHOW_EVERY_MS = 100;

/** All uploads of this tab. It lives beside the pages, so that moving around does not stop it. */
export class UploadManager {
  #entries: Entry[] = [];
  #items: readonly UploadItem[] = [];
  #next = 1;
  readonly #listeners = new Set<() => void>();

  constructor(private readonly deps: ManagerDeps) {}

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };

  items = (): readonly UploadItem[] => this.#items;

  get busy(): boolean {
    return this.#entries.some((entry) => entry.status === "checking" || entry.status === "uploading" || entry.status === "finishing" || entry.status === "queued");
  }

  add(files: Chosen[]) {
    for (const { file, mime_type, video_id } of files) {
      const same = this.#entries.find((entry) => entry.status !== "done" && entry.name === file.name && entry.size_bytes === file.size && entry.file.lastModified === file.lastModified);
      if (same) {
        if (same.status === "failed" || same.status === "paused") this.resume(same.id);
        continue;
      }
      this.#entries.push({
        id: this.#next++,
        name: file.name,
        title: null,
        size_bytes: file.size,
        status: "queued",
        sent_bytes: 0,
        bytes_per_s: null,
        eta_s: null,
        error: null,
        video_id: null,
        resumed: false,
        twin_id: null,
        takes_up: video_id ?? null,
        allow_duplicate: false,
        announced: null,
        told_title: null,
        file,
        mime_type,
        idempotency_key: this.deps.newKey(),
        controller: new AbortController(),
        meter: new SpeedMeter(),
        shown_ms: 0,
      });
    }
    this.#pump();
  }

  pause(id: number) {
    const entry = this.#entry(id);
    if (!entry || (entry.status !== "checking" && entry.status !== "uploading" && entry.status !== "queued")) return;
    entry.status = "paused";
    entry.controller.abort();
    this.#pump();
  }

  resume(id: number) {
    const entry = this.#entry(id);
    if (!entry || (entry.status !== "paused" && entry.status !== "failed")) return;
    entry.status = "queued";
    entry.error = null;
    this.#pump();
  }

  /** Sends a file although the library has one with the same bytes. */
  sendAnyway(id: number) {
    const entry = this.#entry(id);
    if (entry?.status !== "duplicate") return;
    entry.status = "queued";
    entry.twin_id = null;
    entry.allow_duplicate = true;
    this.#beginAnew(entry);
    this.#pump();
  }

  /** Gives a video its title, whether it has been announced yet or not. */
  async retitle(id: number, title: string) {
    const entry = this.#entry(id);
    const next = title.trim().slice(0, 200);
    if (!entry || next === "") return;
    const before = entry.title;
    entry.title = next;
    this.#emit();
    if (!entry.video_id) return;
    try {
      await this.deps.api.rename(entry.video_id, next);
    } catch (error) {
      if (entry.title === next) entry.title = before;
      this.#emit();
      throw error;
    }
    entry.told_title = next;
    this.deps.changed();
  }

  /** Stops an upload and removes its parts from the store. */
  cancel(id: number) {
    const entry = this.#entry(id);
    if (!entry) return;
    this.#entries = this.#entries.filter((other) => other !== entry);
    entry.controller.abort();
    // Should this not arrive: the server removes abandoned uploads by itself after a day.
    if (entry.video_id && entry.status !== "done") this.discard(entry.video_id).catch(() => undefined);
    this.#pump();
  }

  /** Gives up an upload that an earlier visit began. */
  async discard(video_id: string) {
    this.deps.pending.forget(video_id);
    this.#emit();
    try {
      await this.deps.api.abort(video_id);
    } finally {
      this.deps.changed();
    }
  }

  dismiss(id: number) {
    this.#entries = this.#entries.filter((entry) => entry.id !== id || entry.status !== "done");
    this.#emit();
  }

  stopAll() {
    for (const entry of this.#entries) entry.controller.abort();
    this.#entries = [];
    this.#emit();
  }

  /** Begun in an earlier visit and not taken up yet. */
  unfinished() {
    const taken = new Set(this.#entries.map((entry) => entry.video_id));
    return this.deps.pending.list().filter((entry) => !taken.has(entry.video_id));
  }

  #entry(id: number) {
    return this.#entries.find((entry) => entry.id === id);
  }

  #emit() {
    this.#items = this.#entries.map(({ id, name, title, size_bytes, status, sent_bytes, bytes_per_s, eta_s, error, video_id, resumed, twin_id }) => ({
      id, name, title, size_bytes, status, sent_bytes, bytes_per_s, eta_s, error, video_id, resumed, twin_id,
    }));
    for (const listener of this.#listeners) listener();
  }

  #pump() {
    const running = this.#entries.filter((entry) => entry.status === "checking" || entry.status === "uploading" || entry.status === "finishing").length;
    for (const entry of this.#entries.filter((candidate) => candidate.status === "queued").slice(0, Math.max(0, PARALLEL_FILES - running))) {
      entry.status = "uploading";
      entry.controller = new AbortController();
      entry.meter.reset();
      void this.#run(entry, entry.controller.signal);
    }
    this.#emit();
  }

  async #run(entry: Entry, signal: AbortSignal) {
    try {
      const begun = await this.#begin(entry, signal);
      this.#emit();
      if (begun) await this.#send(entry, begun.plan, begun.stored, signal);
      entry.status = "done";
      entry.sent_bytes = entry.size_bytes;
      if (entry.video_id) this.deps.pending.forget(entry.video_id);
      this.deps.changed();
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof ApiError && error.code === "duplicate" && error.problem.video_id) {
        entry.status = "duplicate";
        entry.twin_id = error.problem.video_id;
        return;
      }
      if (error instanceof ApiError && entry.video_id && (error.status === 404 || error.status === 410)) {
        // The server has given this upload up; the next try starts a new one.
        this.deps.pending.forget(entry.video_id);
        this.#beginAnew(entry);
      }
      entry.status = "failed";
      entry.error = error instanceof PutError ? messages.now().notArrived : sentence(error);
    } finally {
      entry.bytes_per_s = null;
      entry.eta_s = null;
      this.#pump();
    }
  }

  /** Takes up what an earlier try or visit has stored, or begins anew. Null: it was complete already, and only the
   *  answer got lost. */
  async #begin(entry: Entry, signal: AbortSignal): Promise<{ plan: Plan; stored: StoredPart[] } | null> {
    const known = entry.video_id ?? entry.takes_up ?? this.deps.pending.find(entry.file)?.video_id;
    if (known) {
      const found = await this.#storedOf(known, signal);
      if (found === "complete" || found?.size_bytes === entry.size_bytes) {
        entry.video_id = known;
        if (found !== "complete") this.deps.pending.remember(known, entry.file);
        await this.#tellTitle(entry, signal);
        if (found === "complete") return null;
        entry.resumed = found.parts.length > 0;
        return { plan: { ...found, video_id: known }, stored: found.parts };
      }
      this.deps.pending.forget(known);
      entry.takes_up = null;
      if (entry.video_id) this.#beginAnew(entry);
    }
    const announced = (entry.announced ??= await this.#announcement(entry, signal));
    const { video_id, upload } = await this.deps.api.create(announced, entry.idempotency_key, signal).catch((error: unknown) => {
      // A refusal has made nothing, and the next try may say something else.
      if (error instanceof ApiError && !error.isTransient) entry.announced = null;
      throw error;
    });
    entry.video_id = video_id;
    entry.told_title = announced.title ?? null;
    this.deps.pending.remember(video_id, entry.file);
    this.deps.changed();
    await this.#tellTitle(entry, signal);
    return { plan: { video_id, part_size_bytes: upload.part_size_bytes, part_count: upload.part_count, size_bytes: entry.size_bytes }, stored: [] };
  }

  async #send(entry: Entry, plan: Plan, stored: StoredPart[], signal: AbortSignal) {
    try {
      await transfer(this.deps, plan, entry.file, stored, (bytes) => this.#progress(entry, bytes), () => this.#finishing(entry), signal);
    } catch (error) {
      // Another tab has sent the rest of the same file and completed it.
      if (!(error instanceof ApiError && error.code === "upload_not_open")) throw error;
    }
  }

  /** What the store has of an upload; null: the server has given it up. */
  async #storedOf(video_id: string, signal: AbortSignal): Promise<StoredParts | "complete" | null> {
    try {
      return await this.deps.api.stored(video_id, signal);
    } catch (error) {
      if (!(error instanceof ApiError) || error.isTransient || error.status === 401) throw error;
      return error.code === "upload_not_open" ? "complete" : null;
    }
  }

  #beginAnew(entry: Entry) {
    entry.video_id = null;
    entry.idempotency_key = this.deps.newKey();
    entry.announced = null;
    entry.told_title = null;
  }

  async #announcement(entry: Entry, signal: AbortSignal): Promise<Announcement> {
    const announced: Announcement = { filename: entry.name, mime_type: entry.mime_type, size_bytes: entry.size_bytes };
    if (entry.allow_duplicate) announced.allow_duplicate = true;
    else {
      const sha256 = await this.#fingerprint(entry, signal);
      if (sha256 !== null) announced.sha256 = sha256;
    }
    if (entry.title !== null) announced.title = entry.title;
    return announced;
  }

  /** The title may have been given before the upload was taken up, or while its announcement was on its way. */
  async #tellTitle(entry: Entry, signal: AbortSignal) {
    const { video_id, title } = entry;
    if (video_id === null || title === null || title === entry.told_title) return;
    await this.deps.api.rename(video_id, title);
    entry.told_title = title;
    signal.throwIfAborted();
  }

  /** The file's hash, computed only where the library has a video of the same size. Null otherwise. */
  async #fingerprint(entry: Entry, signal: AbortSignal): Promise<string | null> {
    const possible = await this.deps.api.sameSize(entry.size_bytes, signal);
    signal.throwIfAborted();
    if (!possible) return null;
    entry.status = "checking";
    this.#emit();
    const sha256 = await this.deps.hash(entry.file, signal);
    signal.throwIfAborted();
    entry.status = "uploading";
    this.#emit();
    return sha256;
  }

  #progress(entry: Entry, bytes: number) {
    const now = this.deps.now();
    entry.sent_bytes = bytes;
    entry.meter.add(now, bytes);
    if (now - entry.shown_ms < SHOW_EVERY_MS && bytes < entry.size_bytes) return;
    entry.shown_ms = now;
    entry.bytes_per_s = entry.meter.bytesPerSecond;
    entry.eta_s = entry.meter.eta(entry.size_bytes - bytes);
    this.#emit();
  }

  #finishing(entry: Entry) {
    entry.status = "finishing";
    this.#emit();
  }
}
