import { useVirtualizer, type Virtualizer } from "@tanstack/react-virtual";
import { useCallback, useEffect, type KeyboardEvent, type RefObject } from "react";
import { scrollBehavior } from "./motion";

/** Shorter lists are rendered whole, so that the browser's own search finds all of them. */
const WHOLE = 120;
/** Rows on either side of what can be seen, so that the next focus and the next flick of a wheel find them. */
const BEYOND = 12;
/** Whether the browser keeps what is read in its place when something above it changes its height; Safari does not. */
const ANCHORS = typeof CSS !== "undefined" && CSS.supports("overflow-anchor", "auto");
const leaveItToTheBrowser = <Row extends HTMLElement>(list: Virtualizer<HTMLElement, Row>) => {
  list.shouldAdjustScrollPositionOnItemSizeChange = () => false;
};

export interface LongListOptions {
  /** How many rows there are. */
  count: number;
  /** What a row takes until it is measured, pixels. */
  estimate_px: (index: number) => number;
  /** The attribute by which a row says its place in the list, from 0. */
  place: `data-${string}`;
  /** The rows follow each other to the right, not down. */
  horizontal?: boolean;
  /** What is nearer than this to an edge counts as out of sight, pixels. */
  edge_px?: number;
}

export interface LongList<Row extends HTMLElement> {
  /** The rows to render: from `first` up to, without, `end`. */
  first: number;
  end: number;
  /** What the rows before and after take, pixels. */
  before_px: number;
  after_px: number;
  /** For the `ref` of each row: it is measured, and again whenever its size changes. It stays the same function. */
  measure: (row: Row | null) => void;
  /** Scrolls to a row that is out of sight, drawn or not. It stays the same function while the list is long, or is not. */
  reveal: (index: number) => void;
  /** For the box, where it takes the focus: the key End leads to the end. */
  onKeyDown: (event: KeyboardEvent<HTMLElement>) => void;
}

/** Of a long list in a box that scrolls, the rows that can be seen and a few more. What stands in for the others must not be what the browser
 *  keeps in its place (`overflow-anchor: none`). */
export function useLongList<Row extends HTMLElement>(box: RefObject<HTMLElement | null>, { count, estimate_px, place, horizontal = false, edge_px = 0 }: LongListOptions): LongList<Row> {
  const long = count > WHOLE;
  // What it warns of is the React Compiler, which does not compile this.
  // eslint-disable-next-line react-hooks/incompatible-library
  const list = useVirtualizer<HTMLElement, Row>({
    count,
    enabled: long,
    estimateSize: estimate_px,
    getScrollElement: () => box.current,
    horizontal,
    indexAttribute: place,
    // Who has come to the end stays there while the last rows turn out larger than they were thought.
    anchorTo: "end",
    // A list that becomes long stays where it is.
    initialOffset: () => (horizontal ? box.current?.scrollLeft : box.current?.scrollTop) ?? 0,
    overscan: BEYOND,
  });

  // Rows above what is read may turn out larger than they were thought. A correction from here would end the scrolling that is going on,
  // as by the keys Home and End.
  useEffect(() => {
    if (ANCHORS && !horizontal) leaveItToTheBrowser(list);
  }, [list, horizontal]);

  const reveal = useCallback(
    (index: number) => {
      const scroller = box.current;
      if (!scroller) return;
      const row = scroller.querySelector<HTMLElement>(`[${place}="${index}"]`);
      const shown = horizontal ? { at: scroller.scrollLeft, px: scroller.clientWidth } : { at: scroller.scrollTop, px: scroller.clientHeight };
      const taken = row && (horizontal ? { at: row.offsetLeft, px: row.offsetWidth } : { at: row.offsetTop, px: row.offsetHeight });
      if (taken && taken.at >= shown.at + edge_px && taken.at + taken.px <= shown.at + shown.px - edge_px) return;
      // Where rows in between have never been measured, a smooth way would lead past the aim.
      if (long) list.scrollToIndex(index, { align: "center", behavior: row ? scrollBehavior() : "auto" });
      else if (taken) {
        const to = taken.at - (shown.px - taken.px) / 2;
        scroller.scrollTo({ ...(horizontal ? { left: to } : { top: to }), behavior: scrollBehavior() });
      }
    },
    [box, list, long, horizontal, place, edge_px],
  );

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    if (!long || event.key !== "End" || event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey || event.shiftKey) return;
    // By itself a browser goes to where the end is thought to be now, before the last rows are measured.
    event.preventDefault();
    list.scrollToEnd();
  };

  if (!long) return { first: 0, end: count, before_px: 0, after_px: 0, measure: list.measureElement, reveal, onKeyDown };
  const rows = list.getVirtualItems();
  const [first, last] = [rows[0], rows.at(-1)];
  return {
    first: first?.index ?? 0,
    end: last ? last.index + 1 : 0,
    before_px: first?.start ?? 0,
    after_px: list.getTotalSize() - (last?.end ?? 0),
    measure: list.measureElement,
    reveal,
    onKeyDown,
  };
}
