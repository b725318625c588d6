import { LocateFixed } from "lucide-react";
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "@/components/Button";
import type { Segment } from "@/lib/api/types";
import { scrollBehavior } from "@/lib/motion";
import { useWindowed } from "@/lib/windowed";
import type { Draft } from "./EditSegment";
import { findIn, type Found } from "./find";
import { FindBar } from "./FindBar";
import { currentAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";
import { TranscriptRow } from "./TranscriptRow";

/** Of a sentence of one line, pixels. */
const USUAL_ROW = 44;
/** Shorter transcripts are rendered whole, so that the browser's own search finds all of them. */
const WHOLE = 120;
const BEYOND = 12;

interface Props {
  segments: Segment[];
  clock: PlayerClock;
  onSeek: (at_ms: number) => void;
  /** Corrects a sentence; rejects with what to tell the person. Without it nothing can be corrected. */
  onCorrect?: ((segment: Segment, text: string) => Promise<void>) | undefined;
}

const Row = memo(TranscriptRow);

/** The words, in step with the player. It follows until the person scrolls away, and again when asked. */
export function TranscriptPanel({ segments, clock, onSeek, onCorrect }: Props) {
  const t = messages.use();
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const [editing, setEditing] = useState<number | null>(null);
  const [wanted, setWanted] = useState("");
  const [place, setPlace] = useState(0);
  const { starts, ends } = useMemo(() => ({ starts: segments.map((segment) => segment.start_ms), ends: segments.map((segment) => segment.end_ms) }), [segments]);
  const current = useClock(clock, (at_ms) => currentAt(starts, ends, at_ms));
  const rows = useWindowed(scroller, { count: segments.length, row_px: USUAL_ROW, within: "itself", beyond: BEYOND, whole: WHOLE });
  const found = useMemo(() => findIn(segments, wanted), [segments, wanted]);
  const shown: Found | undefined = found[Math.min(place, found.length - 1)];

  const { top } = rows;
  const reveal = useCallback(
    (index: number) => {
      const box = scroller.current;
      if (!box) return;
      const row = box.querySelector<HTMLElement>(`[data-segment="${index}"]`);
      const [from, height] = row ? [row.offsetTop, row.offsetHeight] : [top(index), USUAL_ROW];
      const outside = from < box.scrollTop + 24 || from + height > box.scrollTop + box.clientHeight - 48;
      // Where rows in between have never been measured, a smooth way would lead past the aim.
      if (outside) box.scrollTo({ top: from - box.clientHeight / 3, behavior: row ? scrollBehavior() : "auto" });
    },
    [top],
  );
  useEffect(() => {
    if (following && current >= 0 && editing === null) reveal(current);
  }, [current, following, editing, reveal]);
  const aim = shown?.segment;
  useEffect(() => {
    if (aim !== undefined) reveal(aim);
    // Only a step through what was found moves the view, not a row that turns out higher.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [aim, place, wanted]);

  const step = (by: 1 | -1) => {
    setFollowing(false);
    if (found.length > 0) setPlace((Math.min(place, found.length - 1) + by + found.length) % found.length);
  };
  const [drafts] = useState(() => new Map<number, Draft>());
  const edited = useCallback(
    (segment_no: number) => {
      drafts.delete(segment_no);
      // What was being saved may end when another sentence is being corrected already.
      setEditing((now) => (now === segment_no ? null : now));
    },
    [drafts],
  );

  return (
    <div className="relative flex min-h-0 flex-1 flex-col">
      <FindBar
        text={wanted}
        place={found.length === 0 ? 0 : Math.min(place, found.length - 1) + 1}
        all={found.length}
        onText={(text) => {
          setWanted(text);
          setPlace(0);
          if (text !== "") setFollowing(false);
        }}
        onStep={step}
      />
      <div
        ref={scroller}
        data-testid="transcript"
        tabIndex={0}
        role="region"
        aria-label={t.transcript}
        className="thin-scroll relative min-h-0 flex-1 overflow-y-auto overscroll-contain px-2 pb-6"
        onWheel={() => setFollowing(false)}
        onTouchMove={() => setFollowing(false)}
        onClick={(event) => {
          const word = (event.target as HTMLElement).closest<HTMLElement>("[data-start]");
          if (!word) return;
          setFollowing(true);
          onSeek(Number(word.dataset.start));
        }}
      >
        <div style={{ height: rows.before_px }} />
        {segments.slice(rows.first, rows.end).map((segment, offset) => {
          const index = rows.first + offset;
          return (
            <Row
              key={segment.segment_no}
              segment={segment}
              index={index}
              current={index === current}
              clock={clock}
              found={shown?.segment === index ? shown : undefined}
              editing={editing === segment.segment_no}
              onEdit={onCorrect && setEditing}
              onEdited={edited}
              drafts={drafts}
              onCorrect={onCorrect}
              measure={rows.measure}
            />
          );
        })}
        <div style={{ height: rows.after_px }} />
      </div>
      {!following && current >= 0 && (
        <Button size="sm" tone="primary" className="absolute bottom-3 left-1/2 -translate-x-1/2 rounded-full shadow-float" onClick={() => setFollowing(true)}>
          <LocateFixed aria-hidden="true" />
          {t.follow}
        </Button>
      )}
    </div>
  );
}
