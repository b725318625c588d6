import type { InfiniteData, Query, QueryClient } from "@tanstack/react-query";
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

/** Takes videos out of every list, before the server is asked. What it answers puts those back that are not gone, or are back again. */
export function removeFromLists(client: QueryClient, ids: ReadonlySet<string>): (back: readonly string[]) => void {
  // An answer that is on its way was written while they were there.
  for (const query of client.getQueryCache().findAll({ queryKey: keys.videos })) reading.get(query)?.abort();
  const before = client.getQueriesData<List>({ queryKey: keys.videos });
  mapPages(client, (page) => (page.items.some((video) => ids.has(video.video_id)) ? { ...page, items: page.items.filter((video) => !ids.has(video.video_id)) } : page));
  return (back) => {
    for (const [queryKey, old] of before) {
      if (old && back.length > 0) client.setQueryData<List>(queryKey, (now) => now && withAgain(now, old, new Set(back)));
    }
  };
}

/** A list with videos that it had before, each behind what it stood behind. Those of a page that is no longer loaded come with it. */
function withAgain(now: List, old: List, ids: ReadonlySet<string>): List {
  const there = new Set(now.pages.flatMap((page) => page.items.map((video) => video.video_id)));
  const pages = now.pages.map((page, index) => {
    const items = [...page.items];
    const earlier = new Set<string>();
    for (const video of old.pages[index]?.items ?? []) {
      if (ids.has(video.video_id) && !there.has(video.video_id)) items.splice(items.findLastIndex((each) => earlier.has(each.video_id)) + 1, 0, video);
      earlier.add(video.video_id);
    }
    return items.length > page.items.length ? { ...page, items } : page;
  });
  return { ...now, pages };
}

/** The first page as it is now, with what it no longer holds behind it: that has only moved down. */
export function withNewFirstPage(list: List, first: Page<Video>): List {
  const [old, ...rest] = list.pages;
  if (!old) return list;
  const fresh = new Map(first.items.map((video) => [video.video_id, video]));
  const later = rest.map((page) => (page.items.some((video) => fresh.has(video.video_id)) ? { ...page, items: page.items.filter((video) => !fresh.has(video.video_id)) } : page));
  return { ...list, pages: [{ ...old, items: [...first.items, ...old.items.filter((video) => !fresh.has(video.video_id))] }, ...later] };
}

/** First pages that are being read; a later reading of the same list takes the place of an earlier one. */
const reading = new WeakMap<Query, AbortController>();

/** Videos came, went or changed: small lists are read again, of a long one that is looked at only its first page, and one
 *  that nobody looks at is cut down to it. */
export function refreshLists(api: ApiClient, client: QueryClient) {
  for (const query of client.getQueryCache().findAll({ queryKey: keys.videos })) {
    const list = query.state.data as List | undefined;
    if (!list || list.pages.length <= SMALL_PAGES) {
      void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
    } else if (query.isActive()) {
      const filter = (query.queryKey[1] ?? {}) as VideoFilter;
      reading.get(query)?.abort();
      const controller = new AbortController();
      reading.set(query, controller);
      const { signal } = controller;
      void api
        .json<Page<Video>>("/videos", { query: videoListParams(filter, null), signal })
        .then((first) => {
          if (!signal.aborted) client.setQueryData<List>(query.queryKey, (now) => now && withNewFirstPage(now, first));
        })
        // What did not arrive is asked for by the next change.
        .catch(() => undefined);
    } else {
      client.setQueryData<List>(query.queryKey, { pages: list.pages.slice(0, 1), pageParams: list.pageParams.slice(0, 1) });
      void client.invalidateQueries({ queryKey: query.queryKey, exact: true });
    }
  }
}

/** New signatures for the pictures around one video: only the page that holds it is read again, and of that nothing else is taken, since
 *  a live event may have told newer things meanwhile. */
export async function renewPage(api: ApiClient, client: QueryClient, filter: VideoFilter, id: string) {
  const queryKey = keys.videoList(filter);
  const list = client.getQueryData<List>(queryKey);
  const index = list?.pages.findIndex((page) => page.items.some((video) => video.video_id === id)) ?? -1;
  if (!list || index < 0) return;
  const fresh = await api.json<Page<Video>>("/videos", { query: videoListParams(filter, list.pageParams[index] ?? null) });
  const byId = new Map(fresh.items.map((video) => [video.video_id, video]));
  const renewed = (video: Video) => {
    const poster_url = byId.get(video.video_id)?.poster_url;
    return poster_url && poster_url !== video.poster_url ? { ...video, poster_url } : video;
  };
  client.setQueryData<List>(queryKey, (now) => now && { ...now, pages: now.pages.map((page) => ({ ...page, items: page.items.map(renewed) })) });
}
