import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { keys } from "@/lib/api/queries";
import type { Hit, SearchPage } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import type { Picture } from "./picture";

/** What is searched for: by a picture with the operators of a query beside it, scenes like another one, or by a query. */
export interface Asked {
  q: string;
  /** Only its scenes. */
  video: string | undefined;
  /** A scene that others are to be like. */
  like: string | undefined;
  picture: Picture | null;
}

type ResultPage = Pick<SearchPage, "items" | "next_cursor" | "notes" | "channels" | "took_ms">;

export const isAsked = ({ q, like, picture }: Asked) => q !== "" || like !== undefined || picture !== null;

/** Pages of hits. What is asked anew cancels what was asked before. */
export function useResults(asked: Asked) {
  const { q, video, like, picture } = asked;
  const { api } = useServices();
  const client = useQueryClient();
  const key = [...keys.search, q, video ?? "", like ?? "", picture?.id ?? 0];
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: async ({ signal, pageParam }): Promise<ResultPage> => {
      if (like) {
        const { items } = await api.json<{ items: Hit[] }>(`/scenes/${encodeURIComponent(like)}/similar`, { signal });
        return { items, next_cursor: null, notes: [], channels: [], took_ms: 0 };
      }
      if (picture) {
        return api.json<ResultPage>("/search/image", { method: "POST", body: picture.file, query: { q, video, limit: 20, cursor: pageParam }, signal });
      }
      const only = video ? { filters: { video_ids: [video] }, per_video: 1000 } : {};
      return api.json<ResultPage>("/search", { method: "POST", body: { query: q, limit: 20, ...only, ...(pageParam ? { cursor: pageParam } : {}) }, signal });
    },
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    enabled: isAsked(asked),
    // While the next letters are typed, what was found stays to be seen.
    placeholderData: (previous) => previous,
    // Thumbnails are signed for ten minutes; each search counts, so it is not repeated for coming back.
    staleTime: 8 * 60_000,
    refetchOnWindowFocus: false,
  });
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: key }));
  return { query, hits: query.data?.pages.flatMap((page) => page.items) ?? [], first: query.data?.pages[0], onExpired };
}
