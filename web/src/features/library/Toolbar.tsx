import { useQuery } from "@tanstack/react-query";
import { LayoutGrid, List, Search, SlidersHorizontal } from "lucide-react";
import { useId, useState } from "react";
import { buttonClass } from "@/components/Button";
import { cx } from "@/components/cx";
import { ownTagsQuery } from "@/lib/api/queries";
import { VIDEO_SORTS, type VideoSort } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import type { LibrarySearch } from "@/lib/library-search";
import { messages } from "./messages";
import type { View } from "./VideoList";

const FILTERS = ["all", "processing", "indexed", "failed"] as const;
const fieldClass = "h-9 rounded-xl border border-line bg-surface px-3 text-sm hover:border-line-strong";
/** On a phone two of them share a row, below the others. */
const pairClass = "max-sm:order-last max-sm:w-[calc(50%-0.25rem)] max-sm:min-w-0";

/** Narrows and orders the list. Everything it says stands in the address. */
export function Toolbar({ search, typed, view, onTyped, onSearch, onView }: {
  search: LibrarySearch;
  typed: string;
  view: View;
  onTyped: (text: string) => void;
  onSearch: (change: Partial<LibrarySearch>) => void;
  onView: (view: View) => void;
}) {
  const t = messages.use();
  const { api } = useServices();
  const id = useId();
  const [open, setOpen] = useState(search.tag !== undefined || search.from !== undefined || search.to !== undefined);
  const tags = useQuery({ ...ownTagsQuery(api), enabled: open }).data ?? [];
  const narrowed = [search.tag, search.from, search.to].filter(Boolean).length;
  // A tag that no video has any more can still be in the address.
  const choices = search.tag === undefined || tags.some(({ tag }) => tag === search.tag) ? tags : [{ tag: search.tag, videos: 0 }, ...tags];

  return (
    // On a phone there is one row to look for and one to choose; how to order and narrow comes two by two when it is asked for.
    <div className="mb-5 flex flex-wrap items-center gap-2">
      <div role="group" aria-label={t.filterLabel} className="thin-scroll -mx-1 flex gap-1 overflow-x-auto px-1 py-1 max-sm:w-full">
        {FILTERS.map((filter) => {
          const active = filter === (search.state ?? "all");
          return (
            <button
              key={filter}
              type="button"
              aria-pressed={active}
              onClick={() => onSearch({ state: filter === "all" ? undefined : filter })}
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
      {/* Wide enough not to slip beside the states, which leave a few pixels of their row. */}
      <label className="relative max-sm:min-w-32 max-sm:flex-1 sm:ml-auto sm:w-56">
        <span className="sr-only">{t.find}</span>
        <Search className="pointer-events-none absolute top-1/2 left-3 size-4 -translate-y-1/2 text-ink-faint" aria-hidden="true" />
        <input
          type="search"
          value={typed}
          maxLength={200}
          onChange={(event) => onTyped(event.target.value)}
          placeholder={t.find}
          className="h-9 w-full rounded-xl border border-line bg-surface pr-3 pl-9 text-sm placeholder:text-ink-faint hover:border-line-strong"
        />
      </label>
      <label htmlFor={`${id}-sort`} className="sr-only">
        {t.sort}
      </label>
      <select id={`${id}-sort`} value={search.sort ?? "newest"} onChange={(event) => onSearch({ sort: event.target.value === "newest" ? undefined : (event.target.value as VideoSort) })} className={cx(fieldClass, pairClass, !open && "max-sm:hidden")}>
        {VIDEO_SORTS.map((sort) => (
          <option key={sort} value={sort}>
            {t.sorts[sort]}
          </option>
        ))}
      </select>
      <button type="button" aria-expanded={open} aria-controls={`${id}-more`} onClick={() => setOpen(!open)} className={cx(buttonClass("plain", "sm"), "h-9 max-sm:px-2.5")}>
        <SlidersHorizontal aria-hidden="true" />
        <span className="max-sm:sr-only">{narrowed > 0 ? t.moreFiltersSet(narrowed) : t.moreFilters}</span>
        {narrowed > 0 && (
          <span aria-hidden="true" className="nums text-accent sm:hidden">
            {narrowed}
          </span>
        )}
      </button>
      <div role="group" aria-label={t.view} className="flex rounded-xl border border-line bg-surface p-0.5">
        {(["grid", "list"] as const).map((each) => (
          <button
            key={each}
            type="button"
            aria-label={t.views[each]}
            title={t.views[each]}
            aria-pressed={view === each}
            onClick={() => onView(each)}
            className={cx("grid size-8 place-items-center rounded-lg [&_svg]:size-4", view === each ? "bg-sunken text-ink" : "text-ink-faint hover:text-ink")}
          >
            {each === "grid" ? <LayoutGrid aria-hidden="true" /> : <List aria-hidden="true" />}
          </button>
        ))}
      </div>
      {open && (
        <div id={`${id}-more`} className="max-sm:contents sm:flex sm:w-full sm:flex-wrap sm:items-end sm:gap-3">
          <div className={cx("grid gap-1", pairClass)}>
            <label htmlFor={`${id}-tag`} className="text-[13px] text-ink-soft max-sm:sr-only">
              {t.tag}
            </label>
            <select id={`${id}-tag`} value={search.tag ?? ""} onChange={(event) => onSearch({ tag: event.target.value || undefined })} className={cx(fieldClass, "w-full text-ink sm:max-w-56")}>
              <option value="">{t.anyTag}</option>
              {choices.map(({ tag }) => (
                <option key={tag} value={tag}>
                  {tag}
                </option>
              ))}
            </select>
          </div>
          {(["from", "to"] as const).map((end) => (
            <label key={end} className={cx("grid gap-1 text-[13px] text-ink-soft", pairClass)}>
              {t[end]}
              <input type="date" value={search[end] ?? ""} onChange={(event) => onSearch(end === "from" ? { from: event.target.value || undefined } : { to: event.target.value || undefined })} className={cx(fieldClass, "w-full min-w-0 text-ink max-sm:px-2")} />
            </label>
          ))}
        </div>
      )}
    </div>
  );
}
