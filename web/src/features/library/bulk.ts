import type { ApiClient } from "@/lib/api/client";
import { sentence } from "@/lib/api/errors";
import { videoListParams, type VideoFilter } from "@/lib/api/queries";
import type { BulkAction, BulkResults } from "@/lib/api/types";

/** As many as the server takes at once. */
const AT_ONCE = 100;

export interface Outcome {
  done: string[];
  /** What the server says of those it refused. */
  refused: { id: string; detail: string }[];
}

/** One change of many videos, a hundred at a time. What one of them refuses does not stop the others. Where a whole request fails, what
 *  came before it is done all the same, and can be told and undone; the rest counts as refused. */
export async function changeMany(api: ApiClient, ids: readonly string[], action: BulkAction, tags: string[] = []): Promise<Outcome> {
  const outcome: Outcome = { done: [], refused: [] };
  for (let start = 0; start < ids.length; start += AT_ONCE) {
    const body = { ids: ids.slice(start, start + AT_ONCE), action, ...(tags.length > 0 ? { tags } : {}) };
    let items: BulkResults["items"];
    try {
      ({ items } = await api.json<BulkResults>("/videos/bulk", { method: "POST", body }));
    } catch (error) {
      outcome.refused.push(...ids.slice(start).map((id) => ({ id, detail: sentence(error) })));
      return outcome;
    }
    for (const { video_id, error } of items) {
      if (error) outcome.refused.push({ id: video_id, detail: error.detail });
      else outcome.done.push(video_id);
    }
  }
  return outcome;
}

/** Every id of a list, however long it is. */
export async function everyId(api: ApiClient, filter: VideoFilter): Promise<string[]> {
  const all: string[] = [];
  let cursor: string | null = null;
  do {
    const page: { items: string[]; next_cursor: string | null } = await api.json("/videos/ids", { query: videoListParams(filter, cursor, 5000) });
    all.push(...page.items);
    cursor = page.next_cursor;
  } while (cursor);
  return all;
}
