import { Scissors, Share2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { buttonClass } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Menu, menuItemClass } from "@/components/Menu";
import { sentence } from "@/lib/api/errors";
import type { Scene, Video } from "@/lib/api/types";
import { MARKERS, saveMarkers } from "@/lib/markers";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { indexAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";

// Fetched when first opened, not with the page.
const ShareMoment = lazy(async () => ({ default: (await import("./ShareMoment")).ShareMoment }));
const SaveClip = lazy(async () => ({ default: (await import("./SaveClip")).SaveClip }));

/** What leaves the library: the scene that is being played as a link or a file, and all scenes for an editing program. */
export function SceneMenu({ video, scenes, clock }: { video: Video; scenes: Scene[]; clock: PlayerClock }) {
  const t = messages.use();
  const { api } = useServices();
  const [open, setOpen] = useState<{ what: "share" | "clip"; scene: Scene } | null>(null);
  const starts = scenes.map((scene) => scene.start_ms);
  const current = useClock(clock, (at_ms) => Math.max(0, indexAt(starts, at_ms)));
  const scene = scenes[current];
  if (!scene) return null;
  return (
    <>
      <Menu buttonClassName={buttonClass("plain", "sm")} button={<><Share2 aria-hidden="true" />{t.share}</>}>
        <button type="button" className={menuItemClass} onClick={() => setOpen({ what: "share", scene })}>
          <Share2 aria-hidden="true" />
          {t.shareScene(current + 1)}
        </button>
        <button type="button" className={menuItemClass} onClick={() => setOpen({ what: "clip", scene })}>
          <Scissors aria-hidden="true" />
          {t.saveScene(current + 1)}
        </button>
        <hr className="my-1.5 border-line" />
        {MARKERS.map(([format, Icon]) => (
          <button key={format} type="button" className={menuItemClass} onClick={() => void saveMarkers(api, video, format).catch((error: unknown) => showToast({ tone: "bad", text: sentence(error) }))}>
            <Icon aria-hidden="true" />
            {t.markers[format]}
          </button>
        ))}
      </Menu>
      {open && (
        <Dialog open onClose={() => setOpen(null)} title={open.what === "share" ? t.shareScene(open.scene.ordinal + 1) : t.saveScene(open.scene.ordinal + 1)}>
          <Suspense fallback={null}>
            {open.what === "share" ? <ShareMoment videoId={video.video_id} moment={open.scene} /> : <SaveClip videoId={video.video_id} moment={open.scene} />}
          </Suspense>
        </Dialog>
      )}
    </>
  );
}
