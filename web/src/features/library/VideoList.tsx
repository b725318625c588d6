import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, type KeyboardEvent } from "react";
import type { Video } from "@/lib/api/types";
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
/** Below a focused card. */
const FOOT_PX = 16;
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
  const { columns, row_px, above_px } = useColumns(ref, layouts[view]);
  const rows = useWindowVirtualizer<HTMLLIElement>({
    count: Math.ceil(videos.length / columns),
    estimateSize: () => row_px,
    overscan: BEYOND,
    scrollMargin: above_px,
    scrollPaddingStart: HEADER_PX,
    scrollPaddingEnd: FOOT_PX,
  });
  // All rows are as high as each other and none is measured: another height is another list.
  useLayoutEffect(() => rows.measure(), [rows, row_px]);
  const drawn = rows.getVirtualItems();
  const [top, bottom] = [drawn[0], drawn.at(-1)];
  const [first, last] = [(top?.index ?? 0) * columns, bottom ? Math.min(videos.length, (bottom.index + 1) * columns) : 0];
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
    if (wanted.current !== null) focus(wanted.current);
  });

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
    // As little as is needed for the card to be seen whole, below what sticks to the top.
    rows.scrollToIndex(Math.floor(next / columns));
    focus(next);
  };

  return (
    <ul
      ref={ref}
      aria-label={t.title}
      onKeyDown={go}
      // What was wanted has it, or the person has gone elsewhere.
      onFocus={() => (wanted.current = null)}
      className="grid"
      style={{
        gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))`,
        gridAutoRows: row_px,
        columnGap: GAP_PX,
        paddingTop: top ? top.start - above_px : 0,
        paddingBottom: rows.getTotalSize() + above_px - (bottom?.end ?? above_px),
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
