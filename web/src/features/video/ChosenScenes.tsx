import { Download, Link as LinkIcon, Scissors, X } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { Button, buttonClass, IconButton } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Menu, menuItemClass } from "@/components/Menu";
import type { Scene, Video } from "@/lib/api/types";
import { formatTimecode } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { linksTo } from "./links";
import { MARKERS, useSaveMarkers } from "./markers";
import { messages } from "./messages";

// Fetched when first opened, not with the page.
const SaveClips = lazy(async () => ({ default: (await import("./SaveClips")).SaveClips }));

/** As the server allows. */
const MOST_MARKED = 150;

/** What can be done with the scenes that are chosen, in the order of the video. */
export function ChosenScenes({ video, scenes, onAll, onStop }: { video: Video; scenes: Scene[]; onAll: () => void; onStop: () => void }) {
  const t = messages.use();
  const save = useSaveMarkers(video);
  const [open, setOpen] = useState<"clips" | "links" | null>(null);
  const none = scenes.length === 0;
  const links = linksTo(scenes, `${window.location.origin}${window.location.pathname}`);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(links);
      showToast({ tone: "good", text: t.linksCopied(scenes.length) });
    } catch {
      // Without TLS a browser keeps the clipboard shut: the person copies by hand.
      setOpen("links");
    }
  };
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
          <Button size="sm" disabled={none} onClick={() => void copy()}>
            <LinkIcon aria-hidden="true" />
            {t.copyLinks}
          </Button>
          <Button size="sm" disabled={none} onClick={() => setOpen("clips")}>
            <Scissors aria-hidden="true" />
            {t.clips}
          </Button>
          {!none && scenes.length <= MOST_MARKED && (
            <Menu buttonClassName={buttonClass("plain", "sm")} button={<><Download aria-hidden="true" />{t.export}</>}>
              {MARKERS.map(([format, Icon]) => (
                <button key={format} type="button" className={menuItemClass} onClick={() => void save(format, scenes)}>
                  <Icon aria-hidden="true" />
                  {t.chosenAs[format]}
                </button>
              ))}
            </Menu>
          )}
        </div>
      </div>
      {open && (
        <Dialog open onClose={() => setOpen(null)} title={open === "clips" ? t.clipsOf(scenes.length) : t.copyLinks}>
          {open === "clips" ? (
            <Suspense fallback={null}>
              <SaveClips videoId={video.video_id} scenes={scenes} />
            </Suspense>
          ) : (
            <textarea
              readOnly
              autoFocus
              aria-label={t.copyLinks}
              value={links}
              rows={Math.min(10, scenes.length + 1)}
              onFocus={(event) => event.currentTarget.select()}
              className="w-full rounded-xl border border-line bg-surface p-3 font-mono text-xs text-ink"
            />
          )}
        </Dialog>
      )}
    </>
  );
}
