import { useEffect, useRef, type KeyboardEvent } from "react";
import type { Video } from "@/lib/api/types";
import { sliceOf, useWindowedRows, type Layout } from "@/lib/windowing";
import { messages } from "./messages";
import { VideoCard, type CardProps } from "./VideoCard";

export type View = "grid" | "list";

const GAP_PX = 20;
/** Title, facts and the space below, in rem. */
const WORDS_REM = 7.25;
const ROW_REM = 4.75;
const NARROWEST_REM = 16;
/** What sticks to the top of the page and would cover a focused card. */
const HEADER_PX = 140;

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
  const { ref, rows, show } = useWindowedRows<HTMLUListElement>(layouts[view]);
  const { first, last, before_px, after_px } = sliceOf(videos.length, rows);
  const wanted = useRef<number | null>(null);

  // The next page is asked for while there are still rows to scroll through.
  const near = more && last + 4 * rows.columns >= videos.length;
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

  const go = (event: KeyboardEvent) => {
    const at = (event.target as HTMLElement).closest("[data-card]")?.getAttribute("data-card");
    if (at === null || at === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    const steps: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: rows.columns, ArrowUp: -rows.columns, Home: -Infinity, End: Infinity };
    const step = steps[event.key];
    if (step === undefined) return;
    event.preventDefault();
    const next = Math.min(videos.length - 1, Math.max(0, Number(at) + step));
    if (Math.abs(step) > 1 && Number.isFinite(step) && (Number(at) + step < 0 || Number(at) + step >= videos.length)) return;
    wanted.current = next;
    show(next, HEADER_PX);
    focus(next);
  };

  return (
    <ul
      ref={ref}
      aria-label={t.title}
      onKeyDown={go}
      className="grid"
      style={{
        gridTemplateColumns: `repeat(${rows.columns}, minmax(0, 1fr))`,
        gridAutoRows: rows.row_px,
        columnGap: GAP_PX,
        paddingTop: before_px,
        paddingBottom: after_px,
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
