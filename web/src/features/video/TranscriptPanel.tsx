import { LocateFixed } from "lucide-react";
import { memo, useCallback, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "@/components/Button";
import type { Segment } from "@/lib/api/types";
import { useLongList } from "@/lib/long-list";
import type { Draft } from "./EditSegment";
import { findIn, type Found } from "./find";
import { FindBar } from "./FindBar";
import { currentAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";
import { TranscriptRow } from "./TranscriptRow";

/** Of a sentence of one line, and of each further line; pixels. */
const ROW_PX = 40;
const LINE_PX = 24;
/** About as many as a line holds where the transcript stands beside the player. */
const CHARACTERS = 38;
/** A sentence that is followed keeps this far from the edges of the box. */
const EDGE_PX = 32;

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
  const estimate_px = (index: number) => ROW_PX + LINE_PX * Math.floor((segments[index]?.text.length ?? 0) / CHARACTERS);
  const { first, end, before_px, after_px, measure, reveal, onKeyDown } = useLongList<HTMLDivElement>(scroller, { count: segments.length, estimate_px, place: "data-segment", edge_px: EDGE_PX });
  const found = useMemo(() => findIn(segments, wanted), [segments, wanted]);
  const shown: Found | undefined = found[Math.min(place, found.length - 1)];

  useEffect(() => {
    if (following && current >= 0 && editing === null) reveal(current);
  }, [current, following, editing, reveal]);
  const aim = shown?.segment;
  useEffect(() => {
    if (aim !== undefined) reveal(aim);
    // Each step through what was found leads there, also to the same sentence again.
  }, [aim, place, wanted, reveal]);

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
        onKeyDown={onKeyDown}
        onWheel={() => setFollowing(false)}
        onTouchMove={() => setFollowing(false)}
        onClick={(event) => {
          const word = (event.target as HTMLElement).closest<HTMLElement>("[data-start]");
          if (!word) return;
          setFollowing(true);
          onSeek(Number(word.dataset.start));
        }}
      >
        <div className="[overflow-anchor:none]" style={{ height: before_px }} />
        {segments.slice(first, end).map((segment, offset) => {
          const index = first + offset;
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
              measure={measure}
            />
          );
        })}
        <div className="[overflow-anchor:none]" style={{ height: after_px }} />
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
