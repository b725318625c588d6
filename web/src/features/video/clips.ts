import { queryOptions } from "@tanstack/react-query";
import type { ApiClient } from "@/lib/api/client";
import type { Clip } from "@/lib/api/types";

/** As the server allows. */
export const LONGEST_CLIP_MS = 30 * 60_000;
/** While it is made: a clip is a matter of seconds, and looked at only while the dialog is open. */
const ASK_AGAIN_MS = 2000;
/** A signed address lives ten minutes. */
const RENEW_MS = 8 * 60_000;

/** How far a clip is, and where its file is once it is made. */
export const clipQuery = (api: ApiClient, videoId: string, clipId: string | undefined) =>
  queryOptions({
    queryKey: ["clip", clipId],
    queryFn: ({ signal }) => api.json<Clip>(`/videos/${videoId}/clips/${clipId}`, { signal }),
    enabled: clipId !== undefined,
    refetchInterval: ({ state }) => (state.data?.state === "ready" ? RENEW_MS : state.data?.state === "failed" ? false : ASK_AGAIN_MS),
  });
