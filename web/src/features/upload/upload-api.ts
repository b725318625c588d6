import type { ApiClient } from "@/lib/api/client";
import type { PartUrl, StoredParts, UploadPlan, Video } from "@/lib/api/types";

/** What is announced of a file. `sha256` asks whether it is there already: 409 `duplicate`, unless one more is wanted. */
export interface Announcement {
  filename: string;
  mime_type: string;
  size_bytes: number;
  title?: string;
  sha256?: string;
  allow_duplicate?: boolean;
}

/** The calls of an upload. */
export interface UploadApi {
  /** Whether the person has a video of exactly this size: only then can the file be there already. */
  sameSize: (size_bytes: number, signal: AbortSignal) => Promise<boolean>;
  rename: (video_id: string, title: string) => Promise<unknown>;
  create: (file: Announcement, idempotency_key: string, signal: AbortSignal) => Promise<UploadPlan>;
  partUrls: (video_id: string, part_numbers: number[], signal: AbortSignal) => Promise<PartUrl[]>;
  stored: (video_id: string, signal: AbortSignal) => Promise<StoredParts>;
  complete: (video_id: string, parts: { part_number: number; etag: string }[] | null, signal: AbortSignal) => Promise<Video>;
  abort: (video_id: string) => Promise<void>;
}

export const uploadApi = (api: ApiClient): UploadApi => ({
  sameSize: async (size_bytes, signal) => (await api.json<{ items: unknown[] }>("/videos/ids", { query: { size_bytes, limit: 1 }, signal })).items.length > 0,
  rename: (id, title) => api.json(`/videos/${id}`, { method: "PATCH", body: { title } }),
  create: (body, key, signal) => api.json("/videos/uploads", { method: "POST", body, headers: { "idempotency-key": key }, signal }),
  partUrls: async (id, part_numbers, signal) =>
    (await api.json<{ parts: PartUrl[] }>(`/videos/${id}/uploads/parts`, { method: "POST", body: { part_numbers }, signal })).parts,
  stored: (id, signal) => api.json(`/videos/${id}/uploads/parts`, { signal }),
  complete: (id, parts, signal) => api.json(`/videos/${id}/uploads/complete`, { method: "POST", body: parts ? { parts } : {}, signal }),
  abort: (id) => api.json(`/videos/${id}/uploads`, { method: "DELETE" }),
});
