import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { Inbox } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import { Notice } from "@/components/Notice";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { sentence } from "@/lib/api/errors";
import type { AttemptState, JobState, Page } from "@/lib/api/types";
import { messages } from "./messages";

const tones: Record<AttemptState | JobState, string> = {
  pending: "bg-sunken text-ink-soft",
  running: "bg-accent-wash text-accent",
  completed: "bg-good-wash text-good",
  failed: "bg-bad-wash text-bad",
  lost: "bg-bad-wash text-bad",
  outage: "bg-warn-wash text-warn",
  released: "bg-sunken text-ink-soft",
  cancelled: "bg-sunken text-ink-soft",
};

export function Pill({ state, children }: { state: AttemptState | JobState; children: ReactNode }) {
  return (
    <span data-state={state} className={cx("inline-flex h-5 items-center rounded-full px-2 text-xs font-medium whitespace-nowrap", tones[state])}>
      {children}
    </span>
  );
}

export function Panel({ title, action, children, className }: { title: string; action?: ReactNode; children: ReactNode; className?: string }) {
  return (
    <section className={cx("grid min-w-0 gap-3", className)}>
      <div className="flex flex-wrap items-center justify-between gap-2">
        <h2 className="text-[15px] font-semibold tracking-tight">{title}</h2>
        {action}
      </div>
      {children}
    </section>
  );
}

/** Names and values in a row that breaks. */
export function Facts({ of }: { of: readonly (readonly [string, ReactNode] | null)[] }) {
  if (of.length === 0) return null;
  return (
    <dl className="nums flex flex-wrap gap-x-5 gap-y-1 text-[13px]">
      {of.map(
        (fact) =>
          fact && (
            <div key={fact[0]} className="flex min-w-0 gap-1.5">
              <dt className="shrink-0 text-ink-faint">{fact[0]}</dt>
              <dd className="min-w-0 [overflow-wrap:anywhere]">{fact[1]}</dd>
            </div>
          ),
      )}
    </dl>
  );
}

/** The chain of causes, folded away: it is long, and for those who mend. */
export function Chain({ text, open = false }: { text: string | null; open?: boolean }) {
  const t = messages.use();
  if (!text) return null;
  return (
    <details open={open} className="min-w-0 text-[13px]">
      <summary className="cursor-pointer rounded-md text-ink-soft hover:text-ink">{t.chain}</summary>
      <pre tabIndex={0} className="mt-2 max-h-64 overflow-auto rounded-lg bg-sunken p-3 font-mono text-xs leading-relaxed whitespace-pre-wrap [overflow-wrap:anywhere]">
        {text}
      </pre>
    </details>
  );
}

export const rowClass = "grid gap-2 border-b border-line px-4 py-3 last:border-b-0";
export const listClass = "overflow-hidden rounded-xl border border-line bg-surface";

type Pages<T> = Pick<
  UseInfiniteQueryResult<{ pages: Page<T>[] }>,
  "data" | "error" | "hasNextPage" | "isFetchingNextPage" | "isFetchNextPageError" | "fetchNextPage" | "refetch"
>;

/** A list by pages with all that can be said of it while it is not there. */
export function Paged<T>({ query, label, row, keyOf }: { query: Pages<T>; label: string; row: (item: T) => ReactNode; keyOf: (item: T) => string | number }) {
  const t = messages.use();
  if (!query.data && query.error) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Loading />;
  const items = query.data.pages.flatMap((page) => page.items);
  if (items.length === 0) {
    return (
      <EmptyState icon={<Inbox />} title={t.nothing}>
        {t.nothingMore}
      </EmptyState>
    );
  }
  return (
    <div className="grid gap-4">
      <ul aria-label={label} className={listClass}>
        {items.map((item) => (
          <li key={keyOf(item)} className={rowClass}>
            {row(item)}
          </li>
        ))}
      </ul>
      {query.isFetchNextPageError && <Notice tone="bad">{sentence(query.error)}</Notice>}
      {query.hasNextPage && (
        <Button className="justify-self-center" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
          {t.more}
        </Button>
      )}
    </div>
  );
}

export function Loading() {
  return (
    <div className="grid gap-3">
      <LoadingLabel />
      <Skeleton className="h-20" />
      <Skeleton className="h-20" />
      <Skeleton className="h-20" />
    </div>
  );
}
