import { Link } from "@tanstack/react-router";
import { Pause, Play } from "lucide-react";
import { useState, type CSSProperties } from "react";
import { IconButton } from "@/components/Button";
import { cx } from "@/components/cx";
import type { StageQueue } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { ActionDialog, type Ask } from "./ActionDialog";
import { formatSpan } from "./ages";
import { layOut } from "./graph";
import { at, edge, HEIGHT, WIDTH } from "./graph-edges";
import { messages } from "./messages";
import { Pill } from "./parts";

/** The pipeline as it is: a drawing where there is room for one, else a list in the same order. */
export function StageGraph({ stages, now }: { stages: StageQueue[]; now: number }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const [ask, setAsk] = useState<Ask | null>(null);
  const places = layOut(stages);
  const all = [...places.values()];
  const width = at({ column: Math.max(...all.map((place) => place.column)), row: 0 }).x + WIDTH;
  const height = at({ column: 0, row: Math.max(...all.map((place) => place.row)) }).y + HEIGHT;
  const edges = stages.flatMap(({ stage, needs }) =>
    needs.flatMap((need) => {
      const [from, to] = [places.get(need), places.get(stage)];
      return from && to ? [{ key: `${need}-${stage}`, path: edge(from, to) }] : [];
    }),
  );
  const toggle = ({ stage, paused }: StageQueue) => {
    const name = words.stages[stage];
    setAsk({
      title: `${paused ? t.resume(name) : t.pause(name)}?`,
      text: paused ? t.resumeText : t.pauseText,
      action: paused ? t.resumeWord : t.pauseWord,
      run: async () => {
        await api.json(`/admin/stages/${stage}/${paused ? "resume" : "pause"}`, { method: "POST" });
        return paused ? t.resumedDone(name) : t.pausedDone(name);
      },
    });
  };
  return (
    <div className="relative xl:h-(--height)" style={{ "--height": `${height}px` } as CSSProperties}>
      <svg aria-hidden="true" width={width} height={height} className="absolute inset-0 hidden text-line-strong xl:block">
        {edges.map(({ key, path }) => (
          <path key={key} d={path} fill="none" stroke="currentColor" strokeWidth="1.5" />
        ))}
      </svg>
      <ol aria-label={t.graph} className="grid gap-2 sm:grid-cols-2 lg:grid-cols-3 xl:contents">
        {stages.map((queue) => {
          const place = places.get(queue.stage) ?? { column: 0, row: 0 };
          const { x, y } = at(place);
          return (
            <li
              key={queue.stage}
              data-stage={queue.stage}
              style={{ "--x": `${x}px`, "--y": `${y}px`, "--w": `${WIDTH}px`, "--h": `${HEIGHT}px` } as CSSProperties}
              className={cx(
                "min-w-0 rounded-xl border bg-surface xl:absolute xl:top-(--y) xl:left-(--x) xl:h-(--h) xl:w-(--w)",
                queue.failed > 0 ? "border-bad" : queue.paused ? "border-warn" : "border-line",
              )}
            >
              <StageNode queue={queue} now={now} onToggle={() => toggle(queue)} />
            </li>
          );
        })}
      </ol>
      <ActionDialog ask={ask} onClose={() => setAsk(null)} />
    </div>
  );
}

function StageNode({ queue, now, onToggle }: { queue: StageQueue; now: number; onToggle: () => void }) {
  const t = messages.use();
  const words = common.use();
  const lang = useLanguage();
  const name = words.stages[queue.stage];
  return (
    <div className="grid h-full content-between gap-1.5 p-2.5 pl-3">
      <div className="flex items-start justify-between gap-1">
        <h3 className="min-w-0 text-[13px] leading-snug font-semibold">
          <Link to="/operator/jobs" search={{ stage: queue.stage }} className="rounded hover:underline">
            {name}
          </Link>
        </h3>
        <IconButton label={queue.paused ? t.resume(name) : t.pause(name)} onClick={onToggle} className="-mt-1 -mr-1 size-7! rounded-lg [&_svg]:size-4!">
          {queue.paused ? <Play /> : <Pause />}
        </IconButton>
      </div>
      <p className="nums flex flex-wrap gap-1">
        {queue.paused && (
          <span className="inline-flex h-5 items-center rounded-full bg-warn-wash px-2 text-xs font-medium text-warn" title={queue.changed_by ? t.pausedBy(queue.changed_by) : undefined}>
            {t.paused}
          </span>
        )}
        {queue.failed > 0 && (
          <Link to="/operator/jobs" search={{ stage: queue.stage, state: "failed" }} className="inline-flex rounded-full">
            <Pill state="failed">{t.countOf(queue.failed, t.failed)}</Pill>
          </Link>
        )}
        {queue.running > 0 && <Pill state="running">{t.countOf(queue.running, t.running)}</Pill>}
        <Pill state="pending">{t.countOf(queue.waiting, t.waiting)}</Pill>
        {queue.oldest_waiting_at !== null && (
          <span title={t.oldest} className="inline-flex h-5 items-center px-1 text-xs text-ink-soft">
            <span className="sr-only">{t.oldest} </span>
            {formatSpan(queue.oldest_waiting_at, now, lang)}
          </span>
        )}
      </p>
      <p className="sr-only">{t.throughput}</p>
      <dl title={t.throughput} className="nums flex flex-wrap justify-between gap-x-2 text-xs">
        {([["1m", queue.done_1m], ["5m", queue.done_5m], ["60m", queue.done_60m]] as const).map(([span, done]) => (
          <div key={span} className="flex items-baseline gap-1">
            <dt className="text-ink-faint">{t.spans[span]}</dt>
            <dd className="font-medium text-ink">{done}</dd>
          </div>
        ))}
      </dl>
    </div>
  );
}
