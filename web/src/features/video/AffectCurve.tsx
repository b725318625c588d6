import { useMemo } from "react";
import { cx } from "@/components/cx";
import { formatTimecode } from "@/lib/time";
import { curves, DIMENSIONS, extremes, type Dimension } from "./affect-curve";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";
import type { SeenScene } from "./scene-facts";

const WIDTH = 600;
const HEIGHT = 96;
/** Told apart by their strokes as well as by their colours. */
const STROKES: Record<Dimension, { colour: string; dash: string }> = {
  valence: { colour: "text-accent", dash: "none" },
  arousal: { colour: "text-bad", dash: "7 4" },
  energy: { colour: "text-ink-soft", dash: "2 3" },
};

/** How the video feels over time. What the lines show is also told in words: where each is highest and lowest. */
export function AffectCurve({ scenes, length_ms, clock }: { scenes: readonly SeenScene[]; length_ms: number; clock: PlayerClock }) {
  const t = messages.use();
  const lines = useMemo(() => curves(scenes, length_ms), [scenes, length_ms]);
  const shown = DIMENSIONS.filter((dimension) => lines[dimension].length >= 2);
  if (shown.length === 0) return null;
  const told = shown.flatMap((dimension) => {
    const found = extremes(scenes, dimension);
    return found ? [t.highestAndLowest(t.dimensions[dimension], formatTimecode(found.highest_ms), formatTimecode(found.lowest_ms))] : [];
  });
  return (
    <section aria-labelledby="mood" className="min-w-0 rounded-2xl border border-line bg-surface px-5 py-4 shadow-card">
      <h2 id="mood" className="mb-2 text-[15px] font-semibold">
        {t.moodOverTime}
      </h2>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" role="img" aria-label={told.join(" ")} className="h-24 w-full overflow-visible">
        <line x1="0" x2={WIDTH} y1={HEIGHT / 2} y2={HEIGHT / 2} className="text-line" stroke="currentColor" vectorEffect="non-scaling-stroke" />
        {shown.map((dimension) => (
          <polyline
            key={dimension}
            data-dimension={dimension}
            points={lines[dimension].map(({ x, y }) => `${(x * WIDTH).toFixed(1)},${((1 - y) * HEIGHT).toFixed(1)}`).join(" ")}
            fill="none"
            stroke="currentColor"
            strokeWidth="2"
            strokeLinejoin="round"
            strokeDasharray={STROKES[dimension].dash}
            vectorEffect="non-scaling-stroke"
            className={STROKES[dimension].colour}
          />
        ))}
        <Now clock={clock} length_ms={length_ms} />
      </svg>
      <ul aria-hidden="true" className="mt-2 flex flex-wrap gap-x-5 gap-y-1 text-[13px] text-ink-soft">
        {shown.map((dimension) => (
          <li key={dimension} className="flex items-center gap-2">
            <svg width="24" height="4" className={cx("shrink-0", STROKES[dimension].colour)}>
              <line x1="0" x2="24" y1="2" y2="2" stroke="currentColor" strokeWidth="2" strokeDasharray={STROKES[dimension].dash} />
            </svg>
            {t.dimensions[dimension]}
          </li>
        ))}
      </ul>
    </section>
  );
}

function Now({ clock, length_ms }: { clock: PlayerClock; length_ms: number }) {
  const x = useClock(clock, (at_ms) => Math.round(Math.min(1, at_ms / Math.max(1, length_ms)) * WIDTH));
  return <line x1={x} x2={x} y1="0" y2={HEIGHT} className="text-ink" stroke="currentColor" vectorEffect="non-scaling-stroke" />;
}
