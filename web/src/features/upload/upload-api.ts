import type { ApiClient } from "@/lib/api/client";
import type { PartUrl, StoredParts, UploadPlan, Video } from "@/lib/api/types";

/** The five calls of an upload. */
export interface UploadApi {
  create: (file: { filename: string; mime_type: string; size_bytes: number }, idempotency_key: string, signal: AbortSignal) => Promise<UploadPlan>;
  partUrls: (video_id: string, part_numbers: number[], signal: AbortSignal) => Promise<PartUrl[]>;
  stored: (video_id: string, signal: AbortSignal) => Promise<StoredParts>;
  complete: (video_id: string, parts: { part_number: number; etag: string }[] | null, signal: AbortSignal) => Promise<Video>;
  abort: (video_id: string) => Promise<void>;
}

export const uploadApi = (api: ApiClient): UploadApi => ({
  create: (body, key, signal) => api.json("/videos/uploads", { method: "POST", body, headers: { "idempotency-key": key }, signal }),
  partUrls: async (id, part_numbers, signal) =>
    (await api.json<{ parts: PartUrl[] }>(`/videos/${id}/uploads/parts`, { method: "POST", body: { part_numbers }, signal })).parts,
  stored: (id, signal) => api.json(`/videos/${id}/uploads/parts`, { signal }),
  complete: (id, parts, signal) => api.json(`/videos/${id}/uploads/complete`, { method: "POST", body: parts ? { parts } : {}, signal }),
  abort: (id) => api.json(`/videos/${id}/uploads`, { method: "DELETE" }),
});
