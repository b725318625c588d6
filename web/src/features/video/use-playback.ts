import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { keys } from "@/lib/api/queries";
import type { Playback, PlaybackPreparing } from "@/lib/api/types";
import { useServices } from "@/lib/services";

/** The signed URL is renewed this long before it ends. */
const RENEW_BEFORE_MS = 60_000;
/** The event stream tells when a version for browsers is there; this is for when the stream is gone. */
const ASK_AGAIN_MS = 15_000;

/** How long to wait before asking again, never less than ten seconds (a clock that is wrong must not make a storm). */
export const renewIn = (expires_at: string, now_ms: number) => Math.max(10_000, Date.parse(expires_at) - now_ms - RENEW_BEFORE_MS);

export const isReady = (answer: Playback | PlaybackPreparing | undefined): answer is Playback => answer !== undefined && "url" in answer;

/** Where the video is played from, or how far the version is that is being made for it. */
export function usePlayback(videoId: string, enabled: boolean) {
  const { api } = useServices();
  const client = useQueryClient();
  const query = useQuery({
    queryKey: keys.playback(videoId),
    queryFn: ({ signal }) => api.json<Playback | PlaybackPreparing>(`/videos/${videoId}/playback`, { signal }),
    enabled,
    staleTime: 5 * 60_000,
    refetchOnWindowFocus: false,
    refetchInterval: ({ state }) => (state.data && !isReady(state.data) ? ASK_AGAIN_MS : false),
  });
  const ready = isReady(query.data) ? query.data : undefined;
  const expires_at = ready?.expires_at;
  useEffect(() => {
    if (!expires_at) return;
    const timer = setTimeout(() => void client.invalidateQueries({ queryKey: keys.playback(videoId) }), renewIn(expires_at, Date.now()));
    return () => clearTimeout(timer);
  }, [client, expires_at, videoId]);
  return { ready, preparing: isReady(query.data) ? undefined : query.data, error: query.error, refetch: query.refetch };
}
