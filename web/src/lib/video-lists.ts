import type { InfiniteData, QueryClient } from "@tanstack/react-query";
import type { ApiClient } from "./api/client";
import { keys, videoListParams, type VideoFilter } from "./api/queries";
import type { Page, Video } from "./api/types";

/** The lists of videos in the cache. A library of thousands is fifty pages: no single change reads all of them again. */
type List = InfiniteData<Page<Video>, string | null>;

/** Lists of so many pages are read again as a whole. */
const SMALL_PAGES = 3;

function mapPages(client: QueryClient, change: (page: Page<Video>) => Page<Video>) {
  client.setQueriesData<List>({ queryKey: keys.videos }, (list) => {
    if (!list) return list;
    const pages = list.pages.map(change);
    return pages.some((page, index) => page !== list.pages[index]) ? { ...list, pages } : list;
  });
}

/** Changes one video wherever it is listed. */
export function patchLists(client: QueryClient, id: string, patch: (video: Video) => Video) {
  mapPages(client, (page) =>
    page.items.some((video) => video.video_id === id) ? { ...page, items: page.items.map((video) => (video.video_id === id ? patch(video) : video)) } : page,
  );
}

/** Takes videos out of every list, before the server is asked. */
export function removeFromLists(client: QueryClient, ids: ReadonlySet<string>) {
  mapPages(client, (page) => (page.items.some((video) => ids.has(video.video_id)) ? { ...page, items: page.items.filter((video) => !ids.has(video.video_id)) } : page));
}

/** The first page as it is now, with what it no longer holds behind it: that has only moved down. */
export function withNewFirstPage(list: List, first: Page<Video>): List {
  const [old, ...rest] = list.pages;
  if (!old) return list;
  const fresh = new Map(first.items.map((video) => [video.video_id, video]));
  const later = rest.map((page) => (page.items.some((video) => fresh.has(video.video_id)) ? { ...page, items: page.items.filter((video) => !fresh.has(video.video_id)) } : page));
  return { ...list, pages: [{ ...old, items: [...first.items, ...old.items.filter((video) => !fresh.has(video.video_id))] }, ...later] };
}

/** Videos came, went or changed: small lists are read again, of a long one that is looked at only its first page, and one
 *  that nobody looks at is cut down to it. */
export function refreshLists(api: ApiClient, client: QueryClient) {
  for (const query of client.getQueryCache().findAll({ queryKey: keys.videos })) {
    const list = query.state.data as List | undefined;
    if (!list || list.pages.length <= SMALL_PAGES) {
      void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
    } else if (query.isActive()) {
      const filter = (query.queryKey[1] ?? {}) as VideoFilter;
      void api
        .json<Page<Video>>("/videos", { query: videoListParams(filter, null) })
        .then((first) => client.setQueryData<List>(query.queryKey, (now) => now && withNewFirstPage(now, first)))
        // What did not arrive is asked for by the next change.
        .catch(() => undefined);
    } else {
      client.setQueryData<List>(query.queryKey, { pages: list.pages.slice(0, 1), pageParams: list.pageParams.slice(0, 1) });
      void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
    }
  }
}

/** New signatures for the pictures around one video: only the page that holds it is read again. */
export async function renewPage(api: ApiClient, client: QueryClient, filter: VideoFilter, id: string) {
  const queryKey = keys.videoList(filter);
  const list = client.getQueryData<List>(queryKey);
  const index = list?.pages.findIndex((page) => page.items.some((video) => video.video_id === id)) ?? -1;
  if (!list || index < 0) return;
  const fresh = await api.json<Page<Video>>("/videos", { query: videoListParams(filter, list.pageParams[index] ?? null) });
  const byId = new Map(fresh.items.map((video) => [video.video_id, video]));
  client.setQueryData<List>(queryKey, (now) => now && { ...now, pages: now.pages.map((page) => ({ ...page, items: page.items.map((video) => byId.get(video.video_id) ?? video) })) });
}
