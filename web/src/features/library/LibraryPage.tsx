import { keepPreviousData, useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { CloudUpload, Library, SearchX } from "lucide-react";
import { useEffect, useMemo, useRef, useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { sentence } from "@/lib/api/errors";
import { videosQuery } from "@/lib/api/queries";
import { useServices } from "@/lib/services";
import { useStable } from "@/lib/stable";
import { useTitle } from "@/lib/title";
import { showToast } from "@/lib/toast";
import { renewPage } from "@/lib/video-lists";
import { everyId } from "./bulk";
import { filterOf, isNarrowed, readSearch, type LibrarySearch } from "@/lib/library-search";
import { messages } from "./messages";
import { choose, extend, NOTHING, toggle, without } from "./selection";
import { SelectionBar } from "./SelectionBar";
import { TagsDialog } from "./TagsDialog";
import { Toolbar } from "./Toolbar";
import { UsageLine } from "./UsageLine";
import { useActions } from "./use-actions";
import { VideoList } from "./VideoList";
import { useView } from "./view";

/** So long after the last letter the list is asked for. */
const TYPING_MS = 250;
/** Pictures of a page that could not be renewed are not asked for again before. */
const RENEW_REST_MS = 10_000;

export function LibraryPage() {
  const t = messages.use();
  useTitle(t.title);
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const search = readSearch(useSearch({ strict: false }) as Record<string, unknown>);
  const filter = filterOf(search);
  const [typed, setTyped] = useState(search.q ?? "");
  /** What was asked for while typing: when the address says it, the person has gone on typing already. */
  const [sent, setSent] = useState<string | null>(null);
  // The address can change by itself: back, forward, the way to the whole library.
  const [asked, setAsked] = useState(search.q);
  if (search.q !== asked) {
    setAsked(search.q);
    if ((search.q ?? "") !== (sent ?? typed.trim())) setTyped(search.q ?? "");
    setSent(null);
  }
  const [view, setView] = useView();
  const [selection, setSelection] = useState(NOTHING);
  const [tagging, setTagging] = useState<readonly string[] | null>(null);
  const actions = useActions();
  const query = useInfiniteQuery({ ...videosQuery(api, filter), placeholderData: keepPreviousData });
  const pages = query.data?.pages;
  const videos = useMemo(() => pages?.flatMap((page) => page.items) ?? [], [pages]);
  const filtered = isNarrowed(search);

  /** Counts what is asked of the list, so that an answer to what was asked before chooses nothing. */
  const choosing = useRef(0);
  const change = (next: Partial<LibrarySearch>) => {
    setSelection(NOTHING);
    choosing.current += 1;
    // Of the address as it is by then: another filter may have been chosen since the last letter.
    void navigate({ to: "/library", search: (now) => ({ ...readSearch({ ...now }), ...next }), replace: true });
  };
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);
  const type = (text: string) => {
    setTyped(text);
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      setSent(text.trim());
      change({ q: text.trim() || undefined });
    }, TYPING_MS);
  };

  const renewed = useRef(0);
  const onExpired = (id: string) => {
    if (Date.now() - renewed.current < RENEW_REST_MS) return;
    renewed.current = Date.now();
    // A picture that stays away leaves its empty place; the next one that is missed asks again.
    renewPage(api, client, filter, id).catch(() => undefined);
  };

  const select = (id: string, range: boolean) => {
    const order = () => videos.map((video) => video.video_id);
    setSelection((now) => (range ? extend(now, order(), id) : toggle(now, id)));
  };
  const selectAll = () => {
    const mine = (choosing.current += 1);
    everyId(api, filter).then(
      (ids) => choosing.current === mine && setSelection(choose(ids)),
      (error: unknown) => showToast({ tone: "bad", text: sentence(error) }),
    );
  };
  const chosen = [...selection.ids];

  // Wherever the focus is on the page: a closed dialog has left it nowhere. The listener is set once and must see the newest list.
  const onKey = (event: KeyboardEvent) => {
    if (event.defaultPrevented || !(event.target instanceof Element) || event.target.closest("input:not([type=checkbox]), textarea, select, dialog")) return;
    if (event.key === "Escape" && selection.ids.size > 0) setSelection(NOTHING);
    else if (event.key === "a" && (event.ctrlKey || event.metaKey) && videos.length > 0) {
      event.preventDefault();
      selectAll();
    }
  };
  const latestKey = useRef(onKey);
  useEffect(() => {
    latestKey.current = onKey;
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => latestKey.current(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);

  const remove = (ids: readonly string[]) => {
    setSelection((now) => without(now, new Set(ids)));
    void actions.remove(ids);
  };
  // Cards are not rendered again for a page that has come or a row that has gone.
  const card = {
    onSelect: useStable(select),
    onTags: useStable((id: string) => setTagging([id])),
    onRemove: useStable((id: string) => remove([id])),
    onReprocess: useStable((id: string) => void actions.reprocess([id])),
    onExpired: useStable(onExpired),
  };

  return (
    <div className="mx-auto w-full max-w-7xl px-4 py-8 sm:px-6">
      <div className="mb-4 flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
        <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
        <UsageLine />
      </div>
      {(videos.length > 0 || filtered || typed !== "") && <Toolbar search={search} typed={typed} view={view} onTyped={type} onSearch={change} onView={setView} />}
      {selection.ids.size > 0 && (
        <SelectionBar
          count={selection.ids.size}
          busy={actions.busy}
          onAll={selectAll}
          onTags={() => setTagging(chosen)}
          onReprocess={() => void actions.reprocess(chosen)}
          onRemove={() => remove(chosen)}
          onClear={() => setSelection(NOTHING)}
        />
      )}

      {query.error && videos.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <div className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,16rem),1fr))] gap-x-5 gap-y-8">
          <LoadingLabel />
          {Array.from({ length: 8 }, (_, index) => (
            <div key={index} className="grid gap-2.5">
              <Skeleton className="aspect-video rounded-2xl" />
              <Skeleton className="h-4 w-3/4" />
            </div>
          ))}
        </div>
      ) : videos.length === 0 && filtered ? (
        <EmptyState
          icon={<SearchX />}
          title={t.nothing}
          action={
            <Button
              onClick={() => {
                window.clearTimeout(timer.current);
                setTyped("");
                void navigate({ to: "/library", search: {} });
              }}
            >
              {t.clear}
            </Button>
          }
        >
          {t.nothingMore}
        </EmptyState>
      ) : videos.length === 0 ? (
        <EmptyState
          icon={<Library />}
          title={t.emptyTitle}
          action={
            <Link to="/upload" className={buttonClass("primary")}>
              <CloudUpload aria-hidden="true" />
              {t.upload}
            </Link>
          }
        >
          {t.empty}
        </EmptyState>
      ) : (
        <>
          <VideoList
            videos={videos}
            view={view}
            more={query.hasNextPage}
            onMore={() => {
              if (!query.isFetchingNextPage) void query.fetchNextPage();
            }}
            chosen={selection.ids}
            selecting={selection.ids.size > 0}
            {...card}
          />
          {query.isFetchNextPageError && (
            <div className="mt-6 grid place-items-center">
              <Button onClick={() => void query.fetchNextPage()}>{t.more}</Button>
            </div>
          )}
        </>
      )}
      {tagging && <TagsDialog ids={tagging} known={videos.filter((video) => tagging.includes(video.video_id))} onClose={() => setTagging(null)} onChanged={actions.changed} />}
    </div>
  );
}
