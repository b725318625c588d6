import { useCallback, useEffect, useMemo, useState, type RefObject } from "react";

/** Of a box whose size is not known yet, pixels. */
const UNKNOWN_PX = 800;

export interface WindowedOptions {
  /** How many rows there are. */
  count: number;
  /** What a row takes until it is measured; where all are equal and none is, what each takes. Pixels. */
  row_px: number;
  /** What scrolls: the element itself, or the window with the element in it. */
  within: "itself" | "window";
  /** Which way the rows follow each other: down (`y`, unless it is said), or to the right. Only within the element itself. */
  axis?: "x" | "y";
  /** Rows above and below what can be seen, so that the next focus and the next flick of a wheel find them. */
  beyond: number;
  /** Lists of no more rows than this are rendered whole. */
  whole?: number;
}

export interface Windowed {
  /** The rows to render: from `first` up to, without, `end`. */
  first: number;
  end: number;
  /** What the rows before and after take, pixels. */
  before_px: number;
  after_px: number;
  /** Where a row begins, as far as is known. */
  top: (index: number) => number;
  /** For the `ref` of each row where they differ: what it really takes. */
  measure: (index: number, row: HTMLElement | null) => void;
}

/** Of a long list the rows that can be seen and a few more. It renders anew when other rows come into sight, not with every pixel
 *  that is scrolled. */
export function useWindowed(ref: RefObject<HTMLElement | null>, { count, row_px, within, axis = "y", beyond, whole = 0 }: WindowedOptions): Windowed {
  const [heights, setHeights] = useState<ReadonlyMap<number, number>>(() => new Map());
  const all = count <= whole;
  const starts = useMemo(() => startsOf(count, row_px, heights), [count, row_px, heights]);

  const [seen, setSeen] = useState(() => rowsIn(starts, 0, UNKNOWN_PX, beyond));
  // Looked at when something has moved, and never while rendering: what is drawn moves what is looked at.
  useEffect(() => {
    // A list that is rendered whole has nothing to learn from scrolling.
    if (all) return;
    const look = () => {
      const element = ref.current;
      if (within === "window") return rowsIn(starts, -(element?.getBoundingClientRect().top ?? 0), window.innerHeight, beyond);
      const [scrolled_px, shown_px] = axis === "x" ? [element?.scrollLeft, element?.clientWidth] : [element?.scrollTop, element?.clientHeight];
      return rowsIn(starts, scrolled_px ?? 0, shown_px || UNKNOWN_PX, beyond);
    };
    const changed = () => {
      const now = look();
      setSeen((last) => (last.first === now.first && last.end === now.end ? last : now));
    };
    changed();
    const scroller = within === "window" ? window : ref.current;
    scroller?.addEventListener("scroll", changed, { passive: true });
    window.addEventListener("resize", changed);
    return () => {
      scroller?.removeEventListener("scroll", changed);
      window.removeEventListener("resize", changed);
    };
  }, [ref, within, axis, all, starts, beyond]);
  // Of a list that has become shorter there is no more than there is.
  const end = all ? count : Math.min(seen.end, count);
  const first = all ? 0 : Math.min(seen.first, Math.max(0, end - 1));

  const measure = useCallback(
    (index: number, row: HTMLElement | null) => {
      const taken = (axis === "x" ? row?.offsetWidth : row?.offsetHeight) ?? 0;
      if (all || taken === 0) return;
      setHeights((old) => ((old.get(index) ?? row_px) === taken ? old : new Map(old).set(index, taken)));
    },
    [all, axis, row_px],
  );
  const top = useCallback((index: number) => starts[Math.min(index, count)] ?? 0, [starts, count]);
  return { first, end, before_px: starts[first] ?? 0, after_px: (starts[count] ?? 0) - (starts[end] ?? 0), top, measure };
}

/** Where each row begins; the last is the height of the whole. */
export function startsOf(count: number, row_px: number, heights: ReadonlyMap<number, number>): Float64Array {
  const starts = new Float64Array(count + 1);
  for (let index = 0; index < count; index += 1) starts[index + 1] = (starts[index] ?? 0) + (heights.get(index) ?? row_px);
  return starts;
}

/** The rows to render where `above_px` of the list are above a window of `window_px`; negative where the list begins below its
 *  upper edge. Of a list that has rows there is always one. */
export function rowsIn(starts: Float64Array, above_px: number, window_px: number, beyond: number): { first: number; end: number } {
  const count = starts.length - 1;
  const first = Math.max(0, rowAt(starts, above_px) - beyond);
  const end = Math.min(count, rowAt(starts, above_px + window_px) + 1 + beyond);
  return { first: Math.min(first, Math.max(0, count - 1)), end };
}

/** The last row that begins at or before `y`. */
export function rowAt(starts: Float64Array, y: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((starts[middle] ?? Infinity) <= y) low = middle;
    else high = middle - 1;
  }
  return Math.min(low, Math.max(0, starts.length - 2));
}
