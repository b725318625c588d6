/** Uploads that were begun and not finished, remembered so that choosing the same file again goes on with them. No file
 *  content and no secret is kept: names, sizes and dates only. */
export interface PendingUpload {
  user_id: string;
  video_id: string;
  name: string;
  size_bytes: number;
  last_modified_ms: number;
}

const KEY = "heimdex.uploads";

const isPending = (value: unknown): value is PendingUpload => {
  if (!value || typeof value !== "object") return false;
  const entry = value as Record<string, unknown>;
  return (
    typeof entry.user_id === "string" &&
    typeof entry.video_id === "string" &&
    typeof entry.name === "string" &&
    typeof entry.size_bytes === "number" &&
    typeof entry.last_modified_ms === "number"
  );
};

export class PendingStore {
  readonly #storage: Pick<Storage, "getItem" | "setItem">;
  readonly #userId: string;

  constructor(storage: Pick<Storage, "getItem" | "setItem">, userId: string) {
    this.#storage = storage;
    this.#userId = userId;
  }

  #all(): PendingUpload[] {
    try {
      const parsed: unknown = JSON.parse(this.#storage.getItem(KEY) ?? "[]");
      return Array.isArray(parsed) ? parsed.filter(isPending) : [];
    } catch {
      return [];
    }
  }

  #write(entries: PendingUpload[]) {
    try {
      this.#storage.setItem(KEY, JSON.stringify(entries.slice(-50)));
    } catch {
      // A full or forbidden storage costs the resume after a reload, nothing else.
    }
  }

  list(): PendingUpload[] {
    return this.#all().filter((entry) => entry.user_id === this.#userId);
  }

  find(file: Pick<File, "name" | "size" | "lastModified">): PendingUpload | undefined {
    return this.list().find((entry) => entry.name === file.name && entry.size_bytes === file.size && entry.last_modified_ms === file.lastModified);
  }

  remember(video_id: string, file: Pick<File, "name" | "size" | "lastModified">) {
    const entry = { user_id: this.#userId, video_id, name: file.name, size_bytes: file.size, last_modified_ms: file.lastModified };
    this.#write([...this.#all().filter((other) => other.video_id !== video_id), entry]);
  }

  forget(video_id: string) {
    this.#write(this.#all().filter((entry) => entry.video_id !== video_id));
  }
}
