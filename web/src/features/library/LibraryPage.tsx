import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useSearch } from "@tanstack/react-router";
import { CloudUpload, Library, Search, SearchX } from "lucide-react";
import { useDeferredValue, useEffect, useRef, useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { cx } from "@/components/cx";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { keys, videosQuery } from "@/lib/api/queries";
import type { VideoState } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { messages } from "./messages";
import { VideoCard } from "./VideoCard";

const FILTERS = ["all", "processing", "indexed", "failed"] as const;
type Filter = (typeof FILTERS)[number];
const gridClass = "grid grid-cols-[repeat(auto-fill,minmax(min(100%,16rem),1fr))] gap-x-5 gap-y-8";

export function LibraryPage() {
  const t = messages.use();
  useTitle(t.title);
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const { state } = useSearch({ strict: false }) as { state?: VideoState };
  const [typed, setTyped] = useState("");
  const q = useDeferredValue(typed.trim());
  const query = useInfiniteQuery({ ...videosQuery(api, { state, q }), placeholderData: (previous) => previous });
  const videos = query.data?.pages.flatMap((page) => page.items) ?? [];
  const filtered = state !== undefined || q !== "";
  const choose = (filter: Filter) => void navigate({ to: "/library", search: filter === "all" ? {} : { state: filter } });

  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.videos }));

  return (
    <div className="mx-auto w-full max-w-7xl px-4 py-8 sm:px-6">
      <div className="mb-6 flex flex-wrap items-center gap-x-6 gap-y-4">
        <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
        {(videos.length > 0 || filtered) && (
          <>
            <div role="group" aria-label={t.filterLabel} className="thin-scroll -mx-1 flex gap-1 overflow-x-auto px-1 py-1">
              {FILTERS.map((filter) => {
                const active = filter === (state ?? "all");
                return (
                  <button
                    key={filter}
                    type="button"
                    aria-pressed={active}
                    onClick={() => choose(filter)}
                    className={cx(
                      "h-8 rounded-full px-3.5 text-[13px] font-medium whitespace-nowrap transition-colors",
                      active ? "bg-ink text-canvas" : "text-ink-soft hover:bg-sunken hover:text-ink",
                    )}
                  >
                    {t.filters[filter]}
                  </button>
                );
              })}
            </div>
            <label className="relative ml-auto w-full sm:w-56">
              <span className="sr-only">{t.find}</span>
              <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" aria-hidden="true" />
              <input
                type="search"
                value={typed}
                onChange={(event) => setTyped(event.target.value)}
                placeholder={t.find}
                className="h-9 w-full rounded-xl border border-line bg-surface pr-3 pl-9 text-sm placeholder:text-ink-faint hover:border-line-strong"
              />
            </label>
          </>
        )}
      </div>

      {query.error && videos.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <div className={gridClass}>
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
                setTyped("");
                choose("all");
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
          <ul className={gridClass}>
            {videos.map((video) => (
              <VideoCard key={video.video_id} video={video} onExpired={onExpired} />
            ))}
          </ul>
          {query.hasNextPage && <More busy={query.isFetchingNextPage} label={t.more} onMore={() => void query.fetchNextPage()} />}
        </>
      )}
    </div>
  );
}

/** Loads the next page when it comes near; the button is for those who do not scroll. */
function More({ busy, label, onMore }: { busy: boolean; label: string; onMore: () => void }) {
  const ref = useRef<HTMLDivElement>(null);
  const latest = useRef(onMore);
  useEffect(() => {
    latest.current = onMore;
  });
  useEffect(() => {
    if (!ref.current || busy) return;
    const observer = new IntersectionObserver(
      ([entry]) => {
        if (entry?.isIntersecting) latest.current();
      },
      { rootMargin: "600px" },
    );
    observer.observe(ref.current);
    return () => observer.disconnect();
  }, [busy]);
  return (
    <div ref={ref} className="mt-10 grid place-items-center">
      <Button busy={busy} onClick={onMore}>
        {label}
      </Button>
    </div>
  );
}
