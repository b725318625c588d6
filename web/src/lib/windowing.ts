import { useCallback, useEffect, useRef, useState } from "react";

/** Long lists: only the rows near the window are in the document. Every row has the same height, which the layout says. */
export interface Layout {
  columns: number;
  row_px: number;
}

export interface Rows extends Layout {
  /** The first row to draw, and the one behind the last, without regard to how many there are. */
  from: number;
  to: number;
}

/** Rows kept ready above and below, so that the next focus and the next flick of a wheel find them. */
const AROUND = 2;

/** The rows to draw of a list whose top is `top_px` below the window's (negative once it is scrolled past). */
export function rowsNear(top_px: number, window_px: number, layout: Layout): Rows {
  const above = Math.max(0, -top_px);
  const below = Math.max(0, window_px - top_px);
  return { ...layout, from: Math.max(0, Math.floor(above / layout.row_px) - AROUND), to: Math.ceil(below / layout.row_px) + AROUND };
}

/** What of `count` items is drawn, and the room that those before and after it take. */
export function sliceOf(count: number, { columns, row_px, from, to }: Rows): { first: number; last: number; before_px: number; after_px: number } {
  const rows = Math.ceil(count / columns);
  const top = Math.min(from, Math.max(0, rows - 1));
  const bottom = Math.min(Math.max(to, top + 1), rows);
  return { first: top * columns, last: Math.min(count, bottom * columns), before_px: top * row_px, after_px: Math.max(0, rows - bottom) * row_px };
}

/** Follows the window's scrolling. `layout` gets the list's width and the size of one rem, both in CSS pixels. */
export function useWindowedRows<T extends HTMLElement>(layout: (width_px: number, rem_px: number) => Layout) {
  const ref = useRef<T>(null);
  const [rows, setRows] = useState<Rows>({ columns: 1, row_px: 300, from: 0, to: 8 });

  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    let frame = 0;
    const measure = () => {
      frame = 0;
      const box = element.getBoundingClientRect();
      const rem_px = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
      const next = rowsNear(box.top, window.innerHeight, layout(box.width, rem_px));
      setRows((last) => (last.columns === next.columns && last.row_px === next.row_px && last.from === next.from && last.to === next.to ? last : next));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(measure);
    };
    // It also tells when it begins to observe.
    const observer = new ResizeObserver(soon);
    observer.observe(element);
    window.addEventListener("scroll", soon, { passive: true });
    window.addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      observer.disconnect();
      window.removeEventListener("scroll", soon);
      window.removeEventListener("resize", soon);
    };
  }, [layout]);

  /** Scrolls as little as is needed for an item to be seen whole, below what sticks to the top. */
  const show = useCallback(
    (index: number, margin_px: number) => {
      const element = ref.current;
      if (!element) return;
      const top = element.getBoundingClientRect().top + Math.floor(index / rows.columns) * rows.row_px;
      if (top < margin_px) window.scrollBy({ top: top - margin_px });
      else if (top + rows.row_px > window.innerHeight) window.scrollBy({ top: top + rows.row_px - window.innerHeight + 16 });
    },
    [rows],
  );

  return { ref, rows, show };
}
