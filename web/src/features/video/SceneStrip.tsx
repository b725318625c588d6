import { Check } from "lucide-react";
import { useEffect, useRef } from "react";
import { cx } from "@/components/cx";
import { SignedImage } from "@/components/SignedImage";
import type { Scene } from "@/lib/api/types";
import { useLongList } from "@/lib/long-list";
import { formatTimecode } from "@/lib/time";
import { indexAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";

/** Who is in it and has a name. */
const namesIn = (scene: Scene) => scene.people.flatMap((person) => person.display_name ?? []).join(", ");

/** Of a scene with its gap, pixels. */
const SCENE_PX = 152;

/** The scenes as a filmstrip; the current one stays in view. While scenes are chosen (`chosen` is not null) a press chooses, with Shift
 *  all from the last one to this, instead of going there. */
export function SceneStrip({ scenes, clock, chosen, onChoose, onSeek, onExpired }: {
  scenes: Scene[];
  clock: PlayerClock;
  chosen: ReadonlySet<string> | null;
  onChoose: (id: string, range: boolean) => void;
  onSeek: (at_ms: number) => void;
  onExpired: () => void;
}) {
  const t = messages.use();
  const list = useRef<HTMLOListElement>(null);
  const starts = scenes.map((scene) => scene.start_ms);
  const current = useClock(clock, (at_ms) => indexAt(starts, at_ms));
  const { first, end, before_px, after_px, measure, reveal } = useLongList<HTMLLIElement>(list, { count: scenes.length, estimate_px: () => SCENE_PX, place: "data-scene-index", horizontal: true });

  const choosing = chosen !== null;
  useEffect(() => {
    // What is being chosen does not move away from under the pointer.
    if (!choosing && current >= 0) reveal(current);
  }, [current, choosing, reveal]);

  return (
    <ol ref={list} className="thin-scroll relative -mx-1 flex overflow-x-auto px-1 pt-1 pb-2">
      {before_px > 0 && <li aria-hidden="true" className="shrink-0 [overflow-anchor:none]" style={{ width: before_px }} />}
      {scenes.slice(first, end).map((scene, offset) => {
        const index = first + offset;
        return (
          <li key={scene.scene_id} ref={measure} data-scene-index={index} aria-setsize={scenes.length} aria-posinset={index + 1} className="shrink-0 pr-2">
            <button
              type="button"
              title={scene.text || undefined}
              aria-current={index === current ? "true" : undefined}
              aria-pressed={chosen?.has(scene.scene_id)}
              onClick={(event) => (chosen === null ? onSeek(scene.start_ms) : onChoose(scene.scene_id, event.shiftKey))}
              className="group relative grid gap-1 text-left"
            >
              {chosen !== null && (
                <span
                  aria-hidden="true"
                  className={cx(
                    "absolute top-1.5 left-1.5 z-10 grid size-6 place-items-center rounded-full border-2",
                    chosen.has(scene.scene_id) ? "border-accent bg-accent text-on-accent" : "border-white bg-black/45",
                  )}
                >
                  {chosen.has(scene.scene_id) && <Check className="size-4" strokeWidth={3} />}
                </span>
              )}
              <SignedImage
                src={scene.thumbnail_url}
                alt=""
                onExpired={onExpired}
                className={cx(
                  "aspect-video w-32 rounded-lg object-cover ring-2 ring-offset-2 ring-offset-canvas transition-shadow sm:w-36",
                  index === current ? "ring-accent" : "ring-transparent group-hover:ring-line-strong",
                )}
              />
              <span className="sr-only">
                {t.sceneAt(index + 1, formatTimecode(scene.start_ms))}
                {namesIn(scene) !== "" && ", "}
              </span>
              <span aria-hidden="true" className={cx("nums px-0.5 text-xs", index === current ? "font-semibold text-accent" : "text-ink-faint")}>
                {formatTimecode(scene.start_ms)}
              </span>
              {namesIn(scene) !== "" && <span className="w-32 truncate px-0.5 text-xs text-ink-soft sm:w-36">{namesIn(scene)}</span>}
            </button>
          </li>
        );
      })}
      {after_px > 0 && <li aria-hidden="true" className="shrink-0 [overflow-anchor:none]" style={{ width: after_px }} />}
    </ol>
  );
}
