import { useCallback, useMemo, useState, useSyncExternalStore, type RefObject } from "react";

/** Shorter lists are rendered whole. */
const WHOLE = 120;
/** Rows above and below what can be seen. */
const BEYOND = 12;
/** Of a box whose size is not known yet, pixels. */
const UNKNOWN_HEIGHT = 800;

export interface Windowed {
  /** The rows to render: from `first` up to, without, `end`. */
  first: number;
  end: number;
  /** What the rows before and after take, pixels. */
  before: number;
  after: number;
  /** Where a row begins, as far as is known. */
  top: (index: number) => number;
  /** For the `ref` of each row: what it really takes. */
  measure: (index: number, row: HTMLElement | null) => void;
}

/** Of a long list in a scroller, the rows that can be seen and a few more. Rows may be of any height: `estimate` counts until one
 *  has been there. */
export function useWindowed(scroller: RefObject<HTMLElement | null>, count: number, estimate: number): Windowed {
  const [heights, setHeights] = useState<ReadonlyMap<number, number>>(() => new Map());
  const whole = count <= WHOLE;

  const subscribe = (changed: () => void) => {
    const box = scroller.current;
    box?.addEventListener("scroll", changed, { passive: true });
    window.addEventListener("resize", changed);
    return () => {
      box?.removeEventListener("scroll", changed);
      window.removeEventListener("resize", changed);
    };
  };
  // Of a list that is rendered whole, scrolling changes nothing.
  const scrolled = useSyncExternalStore(subscribe, () => (whole ? 0 : Math.round(scroller.current?.scrollTop ?? 0)));
  const height = useSyncExternalStore(subscribe, () => (whole ? 0 : scroller.current?.clientHeight || UNKNOWN_HEIGHT));

  // starts[n] is where row n begins; the last is the whole height.
  const starts = useMemo(() => {
    const all = new Float64Array(count + 1);
    for (let index = 0; index < count; index += 1) all[index + 1] = (all[index] ?? 0) + (heights.get(index) ?? estimate);
    return all;
  }, [count, estimate, heights]);

  const measure = useCallback(
    (index: number, row: HTMLElement | null) => {
      const taken = row?.offsetHeight ?? 0;
      if (whole || taken === 0) return;
      setHeights((old) => (old.get(index) === taken ? old : new Map(old).set(index, taken)));
    },
    [whole],
  );

  const top = useCallback((index: number) => starts[Math.min(index, count)] ?? 0, [starts, count]);
  if (whole) return { first: 0, end: count, before: 0, after: 0, top, measure };
  const first = Math.max(0, rowAt(starts, scrolled) - BEYOND);
  const end = Math.min(count, rowAt(starts, scrolled + height) + 1 + BEYOND);
  return { first, end, before: starts[first] ?? 0, after: (starts[count] ?? 0) - (starts[end] ?? 0), top, measure };
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
