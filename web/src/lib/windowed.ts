import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState, type RefObject } from "react";

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
  const heights = useRef(new Map<number, number>());
  const [version, setVersion] = useState(0);
  const [view, setView] = useState({ top: 0, height: UNKNOWN_HEIGHT });
  const whole = count <= WHOLE;

  useEffect(() => {
    const box = scroller.current;
    if (!box || whole) return;
    const look = () => setView((old) => (old.top === box.scrollTop && old.height === (box.clientHeight || UNKNOWN_HEIGHT) ? old : { top: box.scrollTop, height: box.clientHeight || UNKNOWN_HEIGHT }));
    look();
    box.addEventListener("scroll", look, { passive: true });
    window.addEventListener("resize", look);
    return () => {
      box.removeEventListener("scroll", look);
      window.removeEventListener("resize", look);
    };
  }, [scroller, whole]);

  // starts[n] is where row n begins; the last is the whole height.
  const starts = useMemo(() => {
    const all = new Float64Array(count + 1);
    for (let index = 0; index < count; index += 1) all[index + 1] = (all[index] ?? 0) + (heights.current.get(index) ?? estimate);
    return all;
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `version` says that a height has changed
  }, [count, estimate, version]);

  const measured = useRef(false);
  const measure = useCallback((index: number, row: HTMLElement | null) => {
    const height = row?.offsetHeight ?? 0;
    if (height === 0 || heights.current.get(index) === height) return;
    heights.current.set(index, height);
    measured.current = true;
  }, []);
  useLayoutEffect(() => {
    if (!measured.current || whole) return;
    measured.current = false;
    setVersion((old) => old + 1);
  });

  const top = useCallback((index: number) => starts[Math.min(index, count)] ?? 0, [starts, count]);
  if (whole) return { first: 0, end: count, before: 0, after: 0, top, measure };
  const first = Math.max(0, rowAt(starts, view.top) - BEYOND);
  const end = Math.min(count, rowAt(starts, view.top + view.height) + 1 + BEYOND);
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
