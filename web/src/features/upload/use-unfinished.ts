import { useInfiniteQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { videosQuery } from "@/lib/api/queries";
import { useServices } from "@/lib/services";
import { heldUploads } from "./elsewhere";
import type { UploadItem, UploadManager } from "./manager";

export interface UnfinishedUpload {
  video_id: string;
  name: string;
  size_bytes: number;
  /** Null where this browser knows nothing of the file: only the server remembers the upload. */
  last_modified_ms: number | null;
}

/** A tab that is closed says nothing. */
const ASK_AGAIN_MS = 1000;

/** The uploads that other tabs are sending at this moment. */
function useElsewhere(): ReadonlySet<string> {
  const [held, setHeld] = useState<ReadonlySet<string>>(() => new Set());
  useEffect(() => {
    let here = true;
    const ask = () => {
      heldUploads().then(
        (now) => here && setHeld((last) => (last.size === now.size && [...now].every((id) => last.has(id)) ? last : now)),
        () => undefined,
      );
    };
    ask();
    const timer = setInterval(ask, ASK_AGAIN_MS);
    return () => {
      here = false;
      clearInterval(timer);
    };
  }, []);
  return held;
}

/** What was begun and not finished: by this browser, which knows the very file, and besides what only the server has kept,
 *  because another browser began it or this one was killed before it had written it down. */
export function useUnfinished(manager: UploadManager, items: readonly UploadItem[]): UnfinishedUpload[] {
  const { api } = useServices();
  const uploading = useInfiniteQuery({ ...videosQuery(api, { state: "uploading" }), refetchOnMount: "always" }).data?.pages[0]?.items ?? [];
  const elsewhere = useElsewhere();
  const own = manager.unfinished();
  const known = new Set([...own.map((entry) => entry.video_id), ...items.map((item) => item.video_id)]);
  const others = uploading
    .filter((video) => video.state === "uploading" && !known.has(video.video_id))
    .map((video) => ({ video_id: video.video_id, name: video.original_filename, size_bytes: video.size_bytes, last_modified_ms: null }));
  return [...own, ...others].filter((entry) => !elsewhere.has(entry.video_id));
}
