import { Pencil } from "lucide-react";
import { useMemo } from "react";
import { cx } from "@/components/cx";
import type { Segment } from "@/lib/api/types";
import { formatTimecode } from "@/lib/time";
import { EditSegment, type Draft } from "./EditSegment";
import type { Found } from "./find";
import { indexAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";

interface Props {
  segment: Segment;
  index: number;
  current: boolean;
  clock: PlayerClock;
  /** What was looked for, where it is in this sentence. */
  found: Found | undefined;
  editing: boolean;
  /** Which sentence is being corrected, by its number. */
  onEdit: ((segment_no: number) => void) | undefined;
  onEdited: (segment_no: number) => void;
  drafts: Map<number, Draft>;
  onCorrect: ((segment: Segment, text: string) => Promise<void>) | undefined;
  measure: (row: HTMLDivElement | null) => void;
}

/** A sentence: its time, its words, and a way to correct it. */
export function TranscriptRow({ segment, index, current, clock, found, editing, onEdit, onEdited, drafts, onCorrect, measure }: Props) {
  const t = messages.use();
  const at = formatTimecode(segment.start_ms);
  return (
    <div
      ref={measure}
      data-segment={index}
      data-current={current || undefined}
      className={cx("group grid grid-cols-[3.25rem_minmax(0,1fr)_1.75rem] gap-1 rounded-xl px-2 py-1.5", current && "bg-accent-wash")}
    >
      <button
        type="button"
        data-start={segment.start_ms}
        aria-label={t.seekTo(at)}
        className="nums h-7 justify-self-start rounded-md px-1 text-[13px] font-medium text-accent hover:underline"
      >
        {at}
      </button>
      {editing && onEdit && onCorrect ? (
        <EditSegment segment={segment} drafts={drafts} onCorrect={onCorrect} onDone={onEdited} />
      ) : (
        <>
          <p className="pt-0.5 text-[15px] leading-relaxed text-ink [overflow-wrap:anywhere]">
            {segment.words.length === 0 ? (
              <span data-start={segment.start_ms} data-found={found ? true : undefined} className={cx("cursor-pointer", found && "bg-mark text-on-mark")}>
                {segment.text}
              </span>
            ) : current ? (
              <LiveWords segment={segment} clock={clock} found={found} />
            ) : (
              <Words segment={segment} spoken={-1} found={found} />
            )}
            {segment.edited && <span className="ml-1 text-xs text-ink-faint">{t.edited}</span>}
          </p>
          {onEdit && (
            <button
              type="button"
              data-edit={segment.segment_no}
              aria-label={t.correct(at)}
              title={t.correct(at)}
              onClick={() => onEdit(segment.segment_no)}
              className="grid size-7 place-items-center rounded-md text-ink-faint hover:bg-sunken hover:text-ink [&_svg]:size-3.5"
            >
              <Pencil aria-hidden="true" />
            </button>
          )}
        </>
      )}
    </div>
  );
}

function LiveWords({ segment, clock, found }: { segment: Segment; clock: PlayerClock; found: Found | undefined }) {
  const starts = useMemo(() => segment.words.map((word) => word.start_ms), [segment]);
  const spoken = useClock(clock, (at_ms) => indexAt(starts, at_ms));
  return <Words segment={segment} spoken={spoken} found={found} />;
}

function Words({ segment, spoken, found }: { segment: Segment; spoken: number; found: Found | undefined }) {
  return segment.words.map((word, index) => {
    const sought = found !== undefined && found.from <= index && index <= found.to;
    return (
      <span key={index}>
        <span
          data-start={word.start_ms}
          data-spoken={index === spoken || undefined}
          data-found={sought || undefined}
          className={cx("cursor-pointer rounded-sm", index === spoken || sought ? "bg-mark text-on-mark" : "hover:bg-sunken hover:underline")}
        >
          {word.text.trim()}
        </span>{" "}
      </span>
    );
  });
}
