import { Download, Scissors, X } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button, buttonClass, IconButton } from "@/components/Button";
import { CopyMany } from "@/components/CopyMany";
import { Dialog } from "@/components/Dialog";
import { Menu, menuItemClass } from "@/components/Menu";
import { sentence } from "@/lib/api/errors";
import type { Scene, Video } from "@/lib/api/types";
import { chapterTitle } from "@/lib/chapters";
import { MARKERS, MOST_MARKED, saveMarkers, type MarkerFormat } from "@/lib/markers";
import { momentLinks } from "@/lib/moment-links";
import { useServices } from "@/lib/services";
import { formatTimecode } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

// Fetched when first opened, not with the page.
const SaveClips = lazy(async () => ({ default: (await import("./SaveClips")).SaveClips }));

/** What can be done with the scenes that are chosen, in the order of the video. */
export function ChosenScenes({ video, scenes, onAll, onStop }: { video: Video; scenes: Scene[]; onAll: () => void; onStop: () => void }) {
  const t = messages.use();
  const { api } = useServices();
  const [cutting, setCutting] = useState(false);
  const none = scenes.length === 0;
  const page = `${window.location.origin}${window.location.pathname}`;
  const save = (format: MarkerFormat) =>
    saveMarkers(api, video, format, scenes.map((scene) => scene.scene_id)).catch((error: unknown) => showToast({ tone: "bad", text: sentence(error) }));
  return (
    <>
      <div role="toolbar" aria-label={t.chosenScenes} className="mb-3 flex flex-wrap items-center gap-2 rounded-2xl border border-line bg-raised p-2 shadow-card">
        <IconButton label={t.chooseNone} onClick={onStop} className="size-8">
          <X />
        </IconButton>
        <p role="status" className="nums text-sm font-medium">
          {t.chosen(scenes.length, formatTimecode(scenes.reduce((sum, scene) => sum + scene.end_ms - scene.start_ms, 0)))}
        </p>
        <Button size="sm" tone="quiet" onClick={onAll}>
          {t.chooseAll}
        </Button>
        <div className="flex flex-wrap gap-2 sm:ml-auto">
          <CopyMany
            label={t.copyLinks}
            lines={momentLinks(scenes.map((scene) => ({ at_ms: scene.start_ms, title: chapterTitle(scene), page })))}
            done={t.linksCopied(scenes.length)}
          />
          <Button size="sm" disabled={none} onClick={() => setCutting(true)}>
            <Scissors aria-hidden="true" />
            {t.clips}
          </Button>
          {!none && scenes.length <= MOST_MARKED && (
            <Menu buttonClassName={buttonClass("plain", "sm")} button={<><Download aria-hidden="true" />{t.export}</>}>
              {MARKERS.map(([format, Icon]) => (
                <button key={format} type="button" className={menuItemClass} onClick={() => void save(format)}>
                  <Icon aria-hidden="true" />
                  {t.chosenAs[format]}
                </button>
              ))}
            </Menu>
          )}
        </div>
      </div>
      {cutting && (
        <Dialog open onClose={() => setCutting(false)} title={t.clipsOf(scenes.length)}>
          <Suspense fallback={null}>
            <SaveClips videoId={video.video_id} scenes={scenes} />
          </Suspense>
        </Dialog>
      )}
    </>
  );
}
