import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Bookmark, History, Pencil, Telescope, Trash2, X } from "lucide-react";
import { useState, type ReactNode } from "react";
import { Button, IconButton } from "@/components/Button";
import { EmptyState } from "@/components/States";
import { sentence } from "@/lib/api/errors";
import { keys, savedSearchesQuery, searchHistoryQuery } from "@/lib/api/queries";
import type { SavedSearch } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";
import { withoutBeginnings } from "./past";
import { SaveSearch } from "./SaveSearch";

const failed = (error: unknown) => showToast({ tone: "bad", text: sentence(error) });

/** Nothing is searched for yet: what can be, what was kept, and what was looked for before. */
export function SearchStart() {
  const t = messages.use();
  return (
    <>
      <EmptyState icon={<Telescope />} title={t.startTitle}>
        <p>{t.start}</p>
        <p className="mt-2 text-sm text-ink-faint">{t.operators}</p>
        <p className="mt-2 hidden text-sm text-ink-faint sm:block">{t.examples}</p>
      </EmptyState>
      <div className="grid gap-8 sm:grid-cols-2">
        <Saved />
        <Past />
      </div>
    </>
  );
}

function Section({ title, icon, action, children }: { title: string; icon: ReactNode; action?: ReactNode; children: ReactNode }) {
  return (
    <section aria-label={title} className="min-w-0">
      <div className="mb-2 flex min-h-8 items-center gap-2 text-sm font-semibold [&_svg]:size-4 [&_svg]:text-ink-faint">
        {icon}
        <h2 className="mr-auto">{title}</h2>
        {action}
      </div>
      <ul className="grid gap-1">{children}</ul>
    </section>
  );
}

const rowLink = "min-w-0 flex-1 truncate rounded-lg px-3 py-2 text-sm hover:bg-sunken";

function Saved() {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const query = useInfiniteQuery(savedSearchesQuery(api));
  const [renaming, setRenaming] = useState<SavedSearch | null>(null);
  const remove = useMutation({
    mutationFn: (saved: SavedSearch) => api.json(`/searches/saved/${saved.saved_id}`, { method: "DELETE" }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.savedSearches }),
    onError: failed,
  });
  const items = query.data?.pages.flatMap((page) => page.items) ?? [];
  if (items.length === 0) return null;
  return (
    <>
      <Section title={t.saved.title} icon={<Bookmark aria-hidden="true" />}>
        {items.map((saved) => (
          <li key={saved.saved_id} data-testid="saved-search" className="flex items-center gap-1">
            <Link to="/search" search={{ q: saved.request.query, video: saved.request.filters?.video_ids?.[0] }} className={rowLink} title={saved.request.query}>
              {saved.name}
            </Link>
            <IconButton label={t.saved.renameOne(saved.name)} className="size-8" onClick={() => setRenaming(saved)}>
              <Pencil />
            </IconButton>
            <IconButton label={t.saved.deleteOne(saved.name)} className="size-8" disabled={remove.isPending} onClick={() => remove.mutate(saved)}>
              <Trash2 />
            </IconButton>
          </li>
        ))}
        {query.hasNextPage && <More busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} />}
      </Section>
      {renaming && <SaveSearch what={renaming} onClose={() => setRenaming(null)} />}
    </>
  );
}

function Past() {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const query = useInfiniteQuery(searchHistoryQuery(api));
  const forget = useMutation({
    mutationFn: (only: string | null) => api.json("/searches/history", { method: "DELETE", query: { query: only } }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.searchHistory }),
    onError: failed,
  });
  const items = withoutBeginnings(query.data?.pages.flatMap((page) => page.items) ?? []);
  if (items.length === 0) return null;
  return (
    <Section
      title={t.past.title}
      icon={<History aria-hidden="true" />}
      action={
        <Button tone="quiet" size="sm" busy={forget.isPending && forget.variables === null} onClick={() => forget.mutate(null)}>
          {t.past.forgetAll}
        </Button>
      }
    >
      {items.map(({ query: asked }) => (
        <li key={asked} data-testid="past-search" className="flex items-center gap-1">
          <Link to="/search" search={{ q: asked }} className={rowLink}>
            {asked}
          </Link>
          <IconButton label={t.past.forget(asked)} className="size-8" disabled={forget.isPending} onClick={() => forget.mutate(asked)}>
            <X />
          </IconButton>
        </li>
      ))}
      {query.hasNextPage && <More busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()} />}
    </Section>
  );
}

function More({ busy, onClick }: { busy: boolean; onClick: () => void }) {
  const t = messages.use();
  return (
    <li>
      <Button tone="quiet" size="sm" busy={busy} onClick={onClick}>
        {t.more}
      </Button>
    </li>
  );
}
