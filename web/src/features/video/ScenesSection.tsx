import { Film, SquareCheckBig } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { buttonClass } from "@/components/Button";
import { cx } from "@/components/cx";
import type { Scene, Video } from "@/lib/api/types";
import { messages } from "./messages";
import type { PlayerClock } from "./player-clock";
import { SceneMenu } from "./SceneMenu";
import { SceneStrip } from "./SceneStrip";

// Fetched when scenes are to be chosen, not with the page.
const ChosenScenes = lazy(async () => ({ default: (await import("./ChosenScenes")).ChosenScenes }));

/** The scenes of a video: to go to one, and to choose several for what can be done with them together. */
export function ScenesSection({ video, scenes, clock, onSeek, onExpired }: {
  video: Video;
  scenes: Scene[];
  clock: PlayerClock;
  onSeek: (at_ms: number) => void;
  onExpired: () => void;
}) {
  const t = messages.use();
  /** The ids of those that are chosen; null while none is to be. */
  const [chosen, setChosen] = useState<ReadonlySet<string> | null>(null);
  /** Where a range begins: the one chosen last. */
  const [anchor, setAnchor] = useState<string | null>(null);

  const choose = (id: string, range: boolean) => {
    const ids = scenes.map((scene) => scene.scene_id);
    const [from, to] = [ids.indexOf(anchor ?? id), ids.indexOf(id)].sort((a, b) => a - b) as [number, number];
    setChosen((now) => {
      const next = new Set(now);
      if (range && from >= 0) for (const between of ids.slice(from, to + 1)) next.add(between);
      else if (!next.delete(id)) next.add(id);
      return next;
    });
    setAnchor(id);
  };
  const stop = () => {
    setChosen(null);
    setAnchor(null);
  };

  return (
    <section
      aria-labelledby="scenes"
      className="min-w-0"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || chosen === null || event.defaultPrevented || (event.target as Element).closest("dialog")) return;
        event.preventDefault();
        stop();
      }}
    >
      <div className="mb-2 flex min-h-8 flex-wrap items-center gap-2">
        <h2 id="scenes" className="mr-auto flex items-baseline gap-2 text-[15px] font-semibold">
          {t.scenes}
          {scenes.length > 0 && <span className="nums text-[13px] font-normal text-ink-faint">{scenes.length}</span>}
        </h2>
        {scenes.length > 1 && (
          <button
            type="button"
            aria-pressed={chosen !== null}
            onClick={() => (chosen === null ? setChosen(new Set()) : stop())}
            className={cx(buttonClass("plain", "sm"), chosen !== null && "border-accent text-accent")}
          >
            <SquareCheckBig aria-hidden="true" />
            {t.choose}
          </button>
        )}
        <SceneMenu video={video} scenes={scenes} clock={clock} />
      </div>
      {chosen !== null && (
        <Suspense fallback={null}>
          <ChosenScenes
            video={video}
            scenes={scenes.filter((scene) => chosen.has(scene.scene_id))}
            onAll={() => setChosen(new Set(scenes.map((scene) => scene.scene_id)))}
            onStop={stop}
          />
        </Suspense>
      )}
      {scenes.length > 0 ? (
        <SceneStrip scenes={scenes} clock={clock} chosen={chosen} onChoose={choose} onSeek={onSeek} onExpired={onExpired} />
      ) : (
        <p className="flex items-center gap-2 rounded-xl bg-sunken px-4 py-6 text-sm text-ink-soft">
          <Film className="size-4 shrink-0" aria-hidden="true" />
          {t.noScenes}
        </p>
      )}
    </section>
  );
}
