import { ApiError } from "@/lib/api/errors";
import { backoffMs } from "@/lib/sse";
import { PutError } from "./put-part";
import { partRange, partsLeft } from "./plan";
import type { UploadApi } from "./upload-api";

export const PARALLEL_PARTS = 4;
const TRIES = 7;
const URL_BATCH = 8;
/** A URL this close to its end is not used for a part that may take a while. */
const URL_MARGIN_MS = 60_000;

export interface TransferDeps {
  api: UploadApi;
  putPart: (url: string, body: Blob, onProgress: (sent_bytes: number) => void, signal: AbortSignal) => Promise<string | null>;
  now: () => number;
  /** Waits, rejecting when the signal aborts. */
  wait: (ms: number, signal: AbortSignal) => Promise<void>;
  /** Resolves at once when the browser believes to be online, else when it is again. */
  online: (signal: AbortSignal) => Promise<void>;
}

export interface Plan {
  video_id: string;
  part_size_bytes: number;
  part_count: number;
  size_bytes: number;
}

export interface StoredPart {
  part_number: number;
  etag: string | null;
  size_bytes: number;
}

/** Errors that another try can mend: no answer, an overloaded store, an expired URL, parts that were put together meanwhile (the server
 *  then says so when it is asked for another URL). */
function isPassing(error: unknown): boolean {
  if (error instanceof ApiError) return error.isTransient;
  if (error instanceof PutError) return error.status === 0 || error.status === 403 || error.status === 404 || error.status === 408 || error.status === 429 || error.status >= 500;
  return false;
}

/** What the server says it lacks, or has in another form than was sent. */
function partsToSendAgain({ code, problem }: ApiError): number[] {
  if (code === "upload_parts_missing") return [...(problem.missing ?? [])];
  if (code === "upload_etag_mismatch" && problem.part_number !== undefined) return [problem.part_number];
  return [];
}

/** Signed URLs, asked for in batches when the first of them is needed. */
class PartUrls {
  readonly #urls = new Map<number, { url: string; expires_ms: number }>();
  #asking: Promise<void> = Promise.resolve();

  constructor(
    private readonly deps: TransferDeps,
    private readonly video_id: string,
    /** The parts not stored yet. */
    private readonly left: ReadonlySet<number>,
    private readonly signal: AbortSignal,
  ) {}

  drop(part_number: number) {
    this.#urls.delete(part_number);
  }

  #fresh(part_number: number): string | null {
    const known = this.#urls.get(part_number);
    return known && known.expires_ms - URL_MARGIN_MS > this.deps.now() ? known.url : null;
  }

  async get(part_number: number): Promise<string> {
    const asked = this.#asking.then(async () => {
      if (this.#fresh(part_number)) return;
      const others = [...this.left].filter((next) => next !== part_number && !this.#fresh(next));
      const numbers = [part_number, ...others].slice(0, URL_BATCH);
      for (const part of await this.deps.api.partUrls(this.video_id, numbers, this.signal)) {
        this.#urls.set(part.part_number, { url: part.url, expires_ms: Date.parse(part.expires_at) });
      }
    });
    // A failed batch fails its own part only; the next one asks again.
    this.#asking = asked.catch(() => undefined);
    await asked;
    const url = this.#urls.get(part_number)?.url;
    if (!url) throw new ApiError(0);
    return url;
  }
}

/** Sends what is missing of one file, four parts at a time, and completes the upload. `onProgress` gets the bytes safe in
 *  the store plus those on their way. Throws the first error that no further try can mend. */
export async function transfer(
  deps: TransferDeps,
  plan: Plan,
  file: Blob,
  stored: readonly StoredPart[],
  onProgress: (sent_bytes: number) => void,
  onFinishing: () => void,
  signal: AbortSignal,
): Promise<void> {
  const queue = partsLeft(plan, stored);
  const left = new Set(queue);
  const etags = new Map<number, string | null>();
  const sent = new Map<number, number>();
  for (const part of stored) {
    if (left.has(part.part_number)) continue;
    etags.set(part.part_number, part.etag);
    sent.set(part.part_number, part.size_bytes);
  }
  const report = () => onProgress([...sent.values()].reduce((sum, bytes) => sum + bytes, 0));
  report();

  // One failed part stops its three neighbours, which would otherwise go on unseen.
  const stop = new AbortController();
  const forward = () => stop.abort();
  signal.addEventListener("abort", forward);
  if (signal.aborted) stop.abort();

  const urls = new PartUrls(deps, plan.video_id, left, stop.signal);
  const sendPart = async (part_number: number) => {
    const { start, end } = partRange(part_number, plan.part_size_bytes, plan.size_bytes);
    for (let attempt = 0; ; attempt += 1) {
      try {
        await deps.online(stop.signal);
        const url = await urls.get(part_number);
        const etag = await deps.putPart(
          url,
          file.slice(start, end),
          (bytes) => {
            sent.set(part_number, Math.min(bytes, end - start));
            report();
          },
          stop.signal,
        );
        etags.set(part_number, etag);
        sent.set(part_number, end - start);
        left.delete(part_number);
        report();
        return;
      } catch (error) {
        sent.delete(part_number);
        report();
        if (stop.signal.aborted || !isPassing(error) || attempt + 1 >= TRIES) throw error;
        urls.drop(part_number);
        await deps.wait(backoffMs(attempt, 500, 20_000), stop.signal);
      }
    }
  };

  const sendAll = async (numbers: number[]) => {
    const lane = async () => {
      for (let next = numbers.shift(); next !== undefined; next = numbers.shift()) await sendPart(next);
    };
    try {
      await Promise.all(Array.from({ length: PARALLEL_PARTS }, lane));
    } catch (error) {
      stop.abort();
      throw error;
    }
  };

  try {
    await sendAll(queue);
    onFinishing();
    for (let attempt = 0; ; attempt += 1) {
      const parts = [...etags].sort(([a], [b]) => a - b).map(([part_number, etag]) => ({ part_number, etag }));
      const known = parts.every((part): part is { part_number: number; etag: string } => part.etag !== null);
      try {
        await deps.api.complete(plan.video_id, known ? parts : null, stop.signal);
        return;
      } catch (error) {
        if (stop.signal.aborted || !(error instanceof ApiError) || attempt + 1 >= TRIES) throw error;
        const again = partsToSendAgain(error);
        if (again.length > 0) await sendAll(again);
        else if (error.isTransient) await deps.wait(backoffMs(attempt, 500, 20_000), stop.signal);
        else throw error;
      }
    }
  } finally {
    signal.removeEventListener("abort", forward);
  }
}
