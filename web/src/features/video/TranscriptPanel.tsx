import { LocateFixed } from "lucide-react";
import { memo, useEffect, useMemo, useRef, useState } from "react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import type { Segment } from "@/lib/api/types";
import { scrollBehavior } from "@/lib/motion";
import { formatTimecode } from "@/lib/time";
import { currentAt, indexAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";

/** The words, in step with the player. It follows until the person scrolls away, and again when asked. */
export function TranscriptPanel({ segments, clock, onSeek }: { segments: Segment[]; clock: PlayerClock; onSeek: (at_ms: number) => void }) {
  const t = messages.use();
  const scroller = useRef<HTMLDivElement>(null);
  const [following, setFollowing] = useState(true);
  const { starts, ends } = useMemo(() => ({ starts: segments.map((segment) => segment.start_ms), ends: segments.map((segment) => segment.end_ms) }), [segments]);
  const current = useClock(clock, (at_ms) => currentAt(starts, ends, at_ms));

  useEffect(() => {
    const box = scroller.current;
    if (!following || current < 0 || !box) return;
    const row = box.querySelector<HTMLElement>(`[data-segment="${current}"]`);
    if (!row) return;
    const above = row.offsetTop < box.scrollTop + 24;
    const below = row.offsetTop + row.offsetHeight > box.scrollTop + box.clientHeight - 48;
    if (above || below) box.scrollTo({ top: row.offsetTop - box.clientHeight / 3, behavior: scrollBehavior() });
  }, [current, following]);

  return (
    <div className="relative min-h-0 flex-1">
      <div
        ref={scroller}
        data-testid="transcript"
        tabIndex={0}
        role="region"
        aria-label={t.transcript}
        className="thin-scroll relative h-full overflow-y-auto overscroll-contain px-2 pb-6"
        onWheel={() => setFollowing(false)}
        onTouchMove={() => setFollowing(false)}
        onClick={(event) => {
          const word = (event.target as HTMLElement).closest<HTMLElement>("[data-start]");
          if (!word) return;
          setFollowing(true);
          onSeek(Number(word.dataset.start));
        }}
      >
        {segments.map((segment, index) => (
          <Row key={segment.segment_no} segment={segment} index={index} current={index === current} clock={clock} />
        ))}
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

const Row = memo(function Row({ segment, index, current, clock }: { segment: Segment; index: number; current: boolean; clock: PlayerClock }) {
  const t = messages.use();
  return (
    <div
      data-segment={index}
      data-current={current || undefined}
      className={cx(
        "grid grid-cols-[3.25rem_minmax(0,1fr)] gap-1 rounded-xl px-2 py-1.5 [contain-intrinsic-size:auto_3.5rem] [content-visibility:auto]",
        current && "bg-accent-wash",
      )}
    >
      <button
        type="button"
        data-start={segment.start_ms}
        aria-label={t.seekTo(formatTimecode(segment.start_ms))}
        className="nums h-7 justify-self-start rounded-md px-1 text-[13px] font-medium text-accent hover:underline"
      >
        {formatTimecode(segment.start_ms)}
      </button>
      <p className="pt-0.5 text-[15px] leading-relaxed text-ink [overflow-wrap:anywhere]">
        {segment.words.length === 0 ? (
          <span data-start={segment.start_ms} className="cursor-pointer">
            {segment.text}
          </span>
        ) : current ? (
          <LiveWords segment={segment} clock={clock} />
        ) : (
          <Words segment={segment} spoken={-1} />
        )}
      </p>
    </div>
  );
});

function LiveWords({ segment, clock }: { segment: Segment; clock: PlayerClock }) {
  const starts = useMemo(() => segment.words.map((word) => word.start_ms), [segment]);
  const spoken = useClock(clock, (at_ms) => indexAt(starts, at_ms));
  return <Words segment={segment} spoken={spoken} />;
}

function Words({ segment, spoken }: { segment: Segment; spoken: number }) {
  return segment.words.map((word, index) => (
    <span key={index}>
      <span
        data-start={word.start_ms}
        data-spoken={index === spoken || undefined}
        className={cx("cursor-pointer rounded-sm", index === spoken ? "bg-mark text-on-mark" : "hover:bg-sunken hover:underline")}
      >
        {word.text.trim()}
      </span>{" "}
    </span>
  ));
}
