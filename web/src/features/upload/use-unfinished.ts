import { useInfiniteQuery } from "@tanstack/react-query";
import { videosQuery } from "@/lib/api/queries";
import { useServices } from "@/lib/services";
import type { UploadItem, UploadManager } from "./manager";

export interface UnfinishedUpload {
  video_id: string;
  name: string;
  size_bytes: number;
  /** Null where this browser knows nothing of the file: only the server remembers the upload. */
  last_modified_ms: number | null;
}

/** What was begun and not finished: by this browser, which knows the very file, and besides what only the server has kept,
 *  because another browser began it or this one was killed before it had written it down. */
export function useUnfinished(manager: UploadManager, items: readonly UploadItem[]): UnfinishedUpload[] {
  const { api } = useServices();
  const uploading = useInfiniteQuery({ ...videosQuery(api, { state: "uploading" }), refetchOnMount: "always" }).data?.pages[0]?.items ?? [];
  const own = manager.unfinished();
  const known = new Set([...own.map((entry) => entry.video_id), ...items.map((item) => item.video_id)]);
  const others = uploading
    .filter((video) => video.state === "uploading" && !known.has(video.video_id))
    .map((video) => ({ video_id: video.video_id, name: video.original_filename, size_bytes: video.size_bytes, last_modified_ms: null }));
  return [...own, ...others];
}
