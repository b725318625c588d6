import { useEffect, useState, type RefObject } from "react";

/** How a list is laid out: so many side by side, each row as high as this. */
export interface Layout {
  columns: number;
  row_px: number;
}

/** The layout for the width that there is. `layout` gets it and the size of one rem, both in CSS pixels. */
export function useColumns(ref: RefObject<HTMLElement | null>, layout: (width_px: number, rem_px: number) => Layout): Layout {
  const [now, setNow] = useState<Layout>({ columns: 1, row_px: 300 });
  useEffect(() => {
    const element = ref.current;
    if (!element) return;
    const measure = () => {
      const rem_px = parseFloat(getComputedStyle(document.documentElement).fontSize) || 16;
      const next = layout(element.getBoundingClientRect().width, rem_px);
      setNow((last) => (last.columns === next.columns && last.row_px === next.row_px ? last : next));
    };
    // It also tells when it begins to observe.
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [ref, layout]);
  return now;
}
