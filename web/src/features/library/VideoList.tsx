import { useEffect, useRef, type KeyboardEvent } from "react";
import type { Video } from "@/lib/api/types";
import { useWindowed } from "@/lib/windowed";
import { messages } from "./messages";
import { useColumns, type Layout } from "./use-columns";
import { VideoCard, type CardProps } from "./VideoCard";

export type View = "grid" | "list";

const GAP_PX = 20;
/** Title, facts and the space below, in rem. */
const WORDS_REM = 7.25;
const ROW_REM = 4.75;
const NARROWEST_REM = 16;
/** What sticks to the top of the page and would cover a focused card. */
const HEADER_PX = 140;
/** Rows kept ready above and below. */
const BEYOND = 2;

const layouts: Record<View, (width_px: number, rem_px: number) => Layout> = {
  grid: (width_px, rem_px) => {
    const columns = Math.max(1, Math.floor((width_px + GAP_PX) / (NARROWEST_REM * rem_px + GAP_PX)));
    const column_px = (width_px - GAP_PX * (columns - 1)) / columns;
    return { columns, row_px: Math.round((column_px * 9) / 16 + WORDS_REM * rem_px) };
  },
  list: (_, rem_px) => ({ columns: 1, row_px: Math.round(ROW_REM * rem_px) }),
};

interface Props extends Omit<CardProps, "video" | "index" | "selected"> {
  videos: readonly Video[];
  /** More pages are to come. */
  more: boolean;
  onMore: () => void;
  chosen: ReadonlySet<string>;
}

/** As many cards as the window shows, of however many there are. */
export function VideoList({ videos, view, more, onMore, chosen, ...card }: Props) {
  const t = messages.use();
  const ref = useRef<HTMLUListElement>(null);
  const { columns, row_px } = useColumns(ref, layouts[view]);
  const rows = useWindowed(ref, { count: Math.ceil(videos.length / columns), row_px, within: "window", beyond: BEYOND });
  const [first, last] = [rows.first * columns, Math.min(videos.length, rows.end * columns)];
  const wanted = useRef<number | null>(null);

  // The next page is asked for while there are still rows to scroll through.
  const near = more && last + 4 * columns >= videos.length;
  const latestMore = useRef(onMore);
  useEffect(() => {
    latestMore.current = onMore;
  });
  useEffect(() => {
    if (near) latestMore.current();
  }, [near, videos.length]);

  const focus = (index: number) => ref.current?.querySelector<HTMLElement>(`[data-card="${index}"]`)?.focus({ preventScroll: true });
  useEffect(() => {
    if (wanted.current === null) return;
    focus(wanted.current);
    if (ref.current?.contains(document.activeElement)) wanted.current = null;
  });

  /** Scrolls as little as is needed for a card to be seen whole, below what sticks to the top. */
  const show = (index: number) => {
    const top = (ref.current?.getBoundingClientRect().top ?? 0) + rows.top(Math.floor(index / columns));
    if (top < HEADER_PX) window.scrollBy({ top: top - HEADER_PX });
    else if (top + row_px > window.innerHeight) window.scrollBy({ top: top + row_px - window.innerHeight + 16 });
  };

  const go = (event: KeyboardEvent) => {
    const at = (event.target as HTMLElement).closest("[data-card]")?.getAttribute("data-card");
    if (at === null || at === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: columns, ArrowUp: -columns, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(videos.length - 1, Math.max(0, Number(at) + step));
    if (Math.abs(step) > 1 && Number.isFinite(step) && (Number(at) + step < 0 || Number(at) + step >= videos.length)) return;
    wanted.current = next;
    show(next);
    focus(next);
  };

  return (
    <ul
      ref={ref}
      aria-label={t.title}
      onKeyDown={go}
      className="grid"
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridAutoRows: row_px,
        columnGap: GAP_PX,
        paddingTop: rows.before_px,
        paddingBottom: rows.after_px,
      }}
    >
      {videos.slice(first, last).map((video, offset) => (
        <li key={video.video_id} data-video={video.video_id} data-state={video.state} aria-setsize={more ? -1 : videos.length} aria-posinset={first + offset + 1} className="min-w-0">
          <VideoCard video={video} index={first + offset} view={view} selected={chosen.has(video.video_id)} {...card} />
        </li>
      ))}
    </ul>
  );
}
