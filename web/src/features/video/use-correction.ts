import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useCallback } from "react";
import type { ApiClient } from "@/lib/api/client";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Segment, Transcript } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

async function correct(api: ApiClient, client: QueryClient, videoId: string, run_id: string, segment: Segment, text: string | null): Promise<Segment> {
  try {
    const body = { run_id, was: segment.text, text };
    const next = await api.json<Segment>(`/videos/${videoId}/transcript/segments/${segment.segment_no}`, { method: "PATCH", body });
    client.setQueryData<Transcript>(keys.transcript(videoId), (old) =>
      old?.run_id === run_id ? { ...old, segments: old.segments.map((one) => (one.segment_no === next.segment_no ? next : one)) } : old,
    );
    // A transcript that is being read was perhaps read before this.
    if (client.isFetching({ queryKey: keys.transcript(videoId) }) > 0) void client.invalidateQueries({ queryKey: keys.transcript(videoId) });
    // Their texts are those of the words.
    void client.invalidateQueries({ queryKey: keys.scenes(videoId) });
    return next;
  } catch (error) {
    if (error instanceof ApiError && error.status === 409) void client.invalidateQueries({ queryKey: keys.transcript(videoId) });
    throw error;
  }
}

/** Corrects a sentence of the visible run; a toast offers to take it back. */
export function useCorrection(videoId: string, run_id: string | null | undefined) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const save = useCallback(
    async (segment: Segment, text: string) => {
      if (!run_id) return;
      const next = await correct(api, client, videoId, run_id, segment, text);
      const undo = () => {
        correct(api, client, videoId, run_id, next, segment.edited ? segment.text : null).catch((error: unknown) => showToast({ tone: "bad", text: sentence(error) }));
      };
      showToast({ tone: "good", text: t.corrected, action: { label: t.undo, run: undo } });
    },
    [api, client, run_id, t, videoId],
  );
  return run_id ? save : undefined;
}
