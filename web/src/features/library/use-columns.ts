import { useEffect, useState, type RefObject } from "react";

/** How a list is laid out: so many side by side, each row as high as this. */
export interface Layout {
  columns: number;
  row_px: number;
}

/** The layout for the width that there is, and how far below the top of the page the list begins. `layout` gets the width and the size of
 *  one rem, both in CSS pixels. */
export function useColumns(ref: RefObject<HTMLElement | null>, layout: (width_px: number, rem_px: number) => Layout): Layout & { above_px: number } {
  const [now, setNow] = useState({ columns: 1, row_px: 300, above_px: 0 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const rem_px = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
      const { top, width } = element.getBoundingClientRect();
      const next = { ...layout(width, rem_px), above_px: Math.round(top + window.scrollY) };
      setNow((last) => (last.columns === next.columns && last.row_px === next.row_px && last.above_px === next.above_px ? last : next));
    };
    // It also tells when it begins to observe.
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    // What opens or closes above the list makes the page longer or shorter.
    observer.observe(document.body);
    return () => observer.disconnect();
  }, [ref, layout]);
  return now;
}
