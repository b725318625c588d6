import { infiniteQueryOptions, queryOptions, skipToken } from "@tanstack/react-query";
import type { Language } from "@/lib/i18n/i18n";
import type { ApiClient } from "./client";
import type { ApiToken, Jobs, Me, OutboxMail, OwnTag, Page, PastSearch, Person, PersonScene, PersonWithPhotos, SavedSearch, Scenes, Share, SharedMoment, Sprite, Transcript, Usage, Video, VideoSort, VideoState } from "./types";

/** Signed picture URLs live ten minutes; what carries them is read again before that. */
const SIGNED_STALE_MS = 8 * 60_000;
const minute = 60_000;

export interface VideoFilter {
  state?: VideoState | undefined;
  q?: string | undefined;
  tag?: string | undefined;
  /** RFC 3339 times. */
  created_after?: string | undefined;
  created_before?: string | undefined;
  sort?: VideoSort | undefined;
}

/** Videos a page. */
export const PAGE_SIZE = 100;

export const videoListParams = (filter: VideoFilter, cursor: string | null, limit = PAGE_SIZE) => ({ ...filter, limit, cursor });

export const keys = {
  me: ["me"] as const,
  usage: ["usage"] as const,
  tokens: ["tokens"] as const,
  outbox: ["outbox"] as const,
  people: ["people"] as const,
  everyPerson: ["person"] as const,
  person: (id: string) => ["person", id] as const,
  looking: ["looking"] as const,
  videos: ["videos"] as const,
  videoList: (filter: VideoFilter) => ["videos", filter] as const,
  ownTags: ["own-tags"] as const,
  sprite: (id: string) => ["sprite-of", id] as const,
  video: (id: string) => ["video", id] as const,
  jobs: (id: string) => ["jobs", id] as const,
  everyScene: ["scenes"] as const,
  scenes: (id: string) => ["scenes", id] as const,
  transcript: (id: string) => ["transcript", id] as const,
  playback: (id: string) => ["playback", id] as const,
  shares: (id: string) => ["shares", id] as const,
  shared: (token: string) => ["shared", token] as const,
  search: ["search"] as const,
  savedSearches: ["saved-searches"] as const,
  searchHistory: ["search-history"] as const,
};

export const meQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.me, queryFn: ({ signal }) => api.json<Me>("/users/me", { signal }), staleTime: 5 * minute });

export const usageQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.usage, queryFn: ({ signal }) => api.json<Usage>("/users/me/usage", { signal }), staleTime: minute / 2 });

export const tokensQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.tokens, queryFn: async ({ signal }) => (await api.json<{ items: ApiToken[] }>("/users/me/tokens", { signal })).items });

/** Mails come while another page is looked at: asked for anew whenever the person comes back. */
export const outboxQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.outbox, queryFn: async ({ signal }) => (await api.json<{ items: OutboxMail[] }>("/outbox", { signal })).items });

export const videosQuery = (api: ApiClient, filter: VideoFilter) =>
  infiniteQueryOptions({
    queryKey: keys.videoList(filter),
    queryFn: ({ signal, pageParam }) => api.json<Page<Video>>("/videos", { query: videoListParams(filter, pageParam), signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    // Live events and what the person does keep it true, and pictures renew their own page (`video-lists.ts`).
    staleTime: Infinity,
    refetchOnReconnect: false,
  });

/** The tags the person has given, the most used first. */
export const ownTagsQuery = (api: ApiClient) =>
  queryOptions({ queryKey: keys.ownTags, queryFn: async ({ signal }) => (await api.json<{ items: OwnTag[] }>("/videos/tags", { query: { limit: 200 }, signal })).items, staleTime: minute });

/** Small pictures to look through a video without playing it. */
export const spriteQuery = (api: ApiClient, id: string) =>
  queryOptions({ queryKey: keys.sprite(id), queryFn: ({ signal }) => api.json<Sprite>(`/videos/${id}/sprite`, { signal }), staleTime: SIGNED_STALE_MS, retry: false });

export const peopleQuery = (api: ApiClient, kind: "named" | "unknown") =>
  infiniteQueryOptions({
    queryKey: [...keys.people, kind],
    queryFn: ({ signal, pageParam }) => api.json<Page<Person>>("/people", { query: { limit: 48, cursor: pageParam, kind }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: minute,
  });

/** Everybody who has a name, by name: to choose from, and to see whether a name is taken. */
export const everybodyQuery = (api: ApiClient) =>
  queryOptions({
    queryKey: [...keys.people, "everybody"],
    queryFn: async ({ signal }) => {
      const all: Person[] = [];
      let cursor: string | null = null;
      do {
        const page: Page<Person> = await api.json("/people", { query: { limit: 100, cursor, kind: "named" }, signal });
        all.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor);
      return all;
    },
    staleTime: minute,
  });

/** How far the search for a person in the library is, in percent, or null while there is none: written by live events only. */
export const lookingQuery = (id: string) =>
  queryOptions({ queryKey: [...keys.looking, id], queryFn: skipToken, initialData: null as number | null, staleTime: Infinity });

export const personQuery = (api: ApiClient, id: string) =>
  queryOptions({ queryKey: keys.person(id), queryFn: ({ signal }) => api.json<PersonWithPhotos>(`/people/${id}`, { signal }), staleTime: minute });

export const personScenesQuery = (api: ApiClient, id: string) =>
  infiniteQueryOptions({
    queryKey: [...keys.person(id), "scenes"],
    queryFn: ({ signal, pageParam }) => api.json<Page<PersonScene>>(`/people/${id}/scenes`, { query: { limit: 24, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: SIGNED_STALE_MS,
  });

export const videoQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: keys.video(id),
    queryFn: ({ signal }) => api.json<Video>(`/videos/${id}`, { signal }),
    staleTime: SIGNED_STALE_MS,
  });

export const jobsQuery = (api: ApiClient, id: string) =>
  queryOptions({ queryKey: keys.jobs(id), queryFn: ({ signal }) => api.json<Jobs>(`/videos/${id}/jobs`, { signal }), staleTime: minute });

/** Tags are called as in `language`. */
export const scenesQuery = (api: ApiClient, id: string, language: Language) =>
  queryOptions({
    queryKey: [...keys.scenes(id), language],
    queryFn: async ({ signal }) => (await api.json<Scenes>(`/videos/${id}/scenes`, { query: { language }, signal })).items,
    staleTime: SIGNED_STALE_MS,
  });

export const transcriptQuery = (api: ApiClient, id: string) =>
  queryOptions({
    queryKey: keys.transcript(id),
    queryFn: ({ signal }) => api.json<Transcript>(`/videos/${id}/transcript`, { query: { format: "json" }, signal }),
    staleTime: 10 * minute,
  });

export const savedSearchesQuery = (api: ApiClient) =>
  infiniteQueryOptions({
    queryKey: keys.savedSearches,
    queryFn: ({ signal, pageParam }) => api.json<Page<SavedSearch>>("/searches/saved", { query: { limit: 50, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    staleTime: minute,
  });

/** Every search adds to it: asked for anew whenever it is looked at. */
export const searchHistoryQuery = (api: ApiClient) =>
  infiniteQueryOptions({
    queryKey: keys.searchHistory,
    queryFn: ({ signal, pageParam }) => api.json<Page<PastSearch>>("/searches/history", { query: { limit: 20, cursor: pageParam }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
  });

/** Links to moments of a video that still work. */
export const sharesQuery = (api: ApiClient, id: string) =>
  queryOptions({ queryKey: keys.shares(id), queryFn: async ({ signal }) => (await api.json<{ items: Share[] }>(`/videos/${id}/shares`, { signal })).items });

/** The clip is a matter of seconds, and no event stream tells of somebody else's. */
const SHARED_AGAIN_MS = 3000;

export const sharedMomentQuery = (api: ApiClient, token: string) =>
  queryOptions({
    queryKey: keys.shared(token),
    queryFn: ({ signal }) => api.json<SharedMoment>(`/shares/${encodeURIComponent(token)}`, { signal }),
    staleTime: SIGNED_STALE_MS,
    refetchInterval: ({ state }) => (state.data?.state === "preparing" ? SHARED_AGAIN_MS : false),
  });
