import type { VideoFilter } from "./api/queries";
import { VIDEO_SORTS, type VideoSort, type VideoState } from "./api/types";

/** What the address of the library says. Days are local ones, `YYYY-MM-DD`, both inside. */
export interface LibrarySearch {
  state?: VideoState | undefined;
  tag?: string | undefined;
  q?: string | undefined;
  sort?: VideoSort | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

const STATES: readonly string[] = ["uploading", "validating", "processing", "indexed", "failed"];
const DAY = /^\d{4}-\d{2}-\d{2}$/;

/** Reads an address; what is none of ours falls out. */
export function readSearch(given: Record<string, unknown>): LibrarySearch {
  const text = (value: unknown, max: number) => (typeof value === "string" && value.trim() !== "" ? value.trim().slice(0, max) : undefined);
  const day = (value: unknown) => (typeof value === "string" && DAY.test(value) && !Number.isNaN(Date.parse(value)) ? value : undefined);
  const search: LibrarySearch = {
    state: STATES.includes(String(given.state)) ? (given.state as VideoState) : undefined,
    tag: text(given.tag, 60),
    q: text(given.q, 200),
    sort: VIDEO_SORTS.find((sort) => sort === given.sort),
    from: day(given.from),
    to: day(given.to),
  };
  return Object.fromEntries(Object.entries(search).filter(([, value]) => value !== undefined)) as LibrarySearch;
}

/** The beginning of a local day, some days later, as the API reads times. */
function startOf(day: string, later: number): string {
  const [year = 0, month = 1, date = 1] = day.split("-").map(Number);
  return new Date(year, month - 1, date + later).toISOString();
}

export const filterOf = ({ state, tag, q, sort, from, to }: LibrarySearch): VideoFilter => ({
  state,
  tag,
  q,
  sort: sort === "newest" ? undefined : sort,
  created_after: from && startOf(from, 0),
  created_before: to && startOf(to, 1),
});

export const isNarrowed = ({ state, tag, q, from, to }: LibrarySearch) => [state, tag, q, from, to].some((value) => value !== undefined);
