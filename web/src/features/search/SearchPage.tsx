import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useSearch } from "@tanstack/react-router";
import { SearchX, Telescope } from "lucide-react";
import type { KeyboardEvent } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { keys } from "@/lib/api/queries";
import type { SearchPage as Results } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { HitCard } from "./HitCard";
import { messages } from "./messages";

/** Arrow keys go from hit to hit, and from the first one back to the box. */
function moveAmongHits(event: KeyboardEvent<HTMLOListElement>) {
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("[data-testid=hit] a")];
  const at = links.indexOf(event.target as HTMLElement);
  if (at < 0) return;
  event.preventDefault();
  const next = links[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) next.focus();
  else if (event.key === "ArrowUp") document.querySelector<HTMLElement>("[role=combobox]")?.focus();
}

export function SearchPage() {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const { q = "" } = useSearch({ strict: false }) as { q?: string };
  useTitle(q === "" ? t.title : `${q} · ${t.title}`);
  const key = [...keys.search, q];
  const query = useInfiniteQuery({
    queryKey: key,
    queryFn: ({ signal, pageParam }) =>
      api.json<Results>("/search", { method: "POST", body: { query: q, limit: 20, ...(pageParam ? { cursor: pageParam } : {}) }, signal }),
    initialPageParam: null as string | null,
    getNextPageParam: (last) => last.next_cursor,
    enabled: q !== "",
    // Thumbnails are signed for ten minutes; each search counts, so it is not repeated for coming back.
    staleTime: 8 * 60_000,
    refetchOnWindowFocus: false,
  });
  const hits = query.data?.pages.flatMap((page) => page.items) ?? [];
  const first = query.data?.pages[0];
  const degraded = first?.channels.some((channel) => channel.status === "timeout" || channel.status === "error") ?? false;
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: key }));

  if (q === "") {
    return (
      <>
        <h1 className="sr-only">{t.title}</h1>
        <EmptyState icon={<Telescope />} title={t.startTitle}>
          <p>{t.start}</p>
          <p className="mt-2 text-sm text-ink-faint">{t.operators}</p>
          <p className="mt-2 hidden text-sm text-ink-faint sm:block">{t.examples}</p>
        </EmptyState>
      </>
    );
  }

  return (
    <div className="mx-auto w-full max-w-4xl px-4 py-8 sm:px-6">
      <h1 className="text-xl font-semibold tracking-tight text-balance [overflow-wrap:anywhere]">{t.results(q)}</h1>
      <p className="nums mt-1 mb-5 min-h-5 text-[13px] text-ink-faint" role="status">
        {first && hits.length > 0 && t.count(hits.length, query.hasNextPage, Math.round(first.took_ms))}
      </p>
      {degraded && (
        <Notice tone="warn" className="mb-4">
          {t.degraded}
        </Notice>
      )}
      {first?.notes.map((note) => (
        <Notice key={`${note.code} ${note.value ?? ""}`} tone="info" className="mb-4">
          {t.notes[note.code]?.(note.value ?? "") ?? note.detail}
        </Notice>
      ))}
      {query.error && hits.length === 0 ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <div className="grid gap-3">
          <LoadingLabel />
          {[0, 1, 2].map((index) => (
            <Skeleton key={index} className="h-36 rounded-2xl" />
          ))}
        </div>
      ) : hits.length === 0 ? (
        <EmptyState
          icon={<SearchX />}
          title={t.noneTitle}
          action={
            <Link to="/library" className={buttonClass()}>
              {t.toLibrary}
            </Link>
          }
        >
          <p>{t.none(q)}</p>
          <p className="mt-1">{t.noneLibrary}</p>
        </EmptyState>
      ) : (
        <>
          <ol className="grid gap-3" onKeyDown={moveAmongHits}>
            {hits.map((hit) => (
              <HitCard key={hit.scene_id} hit={hit} onExpired={onExpired} />
            ))}
          </ol>
          {query.hasNextPage && (
            <div className="mt-6 grid place-items-center">
              <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
                {t.more}
              </Button>
            </div>
          )}
        </>
      )}
    </div>
  );
}
