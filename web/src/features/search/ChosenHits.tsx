import { Download, X } from "lucide-react";
import { useState } from "react";
import { buttonClass, IconButton } from "@/components/Button";
import { CopyMany } from "@/components/CopyMany";
import { Menu, menuItemClass } from "@/components/Menu";
import { sentence } from "@/lib/api/errors";
import type { Hit } from "@/lib/api/types";
import { chapterTitle } from "@/lib/chapters";
import { MARKERS, saveMarkers, type MarkerFormat } from "@/lib/markers";
import { momentLinks } from "@/lib/moment-links";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

/** The hits that are chosen, in the order they were; null while none is to be. They belong to one question: another has none. */
export function useChosenHits(question: string) {
  const [kept, setKept] = useState<{ question: string; hits: ReadonlyMap<string, Hit> } | null>(null);
  const chosen = kept?.question === question ? kept.hits : null;
  return {
    chosen,
    start: () => setKept({ question, hits: new Map() }),
    stop: () => setKept(null),
    toggle: (hit: Hit) => {
      const hits = new Map(chosen);
      if (!hits.delete(hit.scene_id)) hits.set(hit.scene_id, hit);
      setKept({ question, hits });
    },
  };
}

/** What can be done with several moments at once, also of several videos. */
export function ChosenHits({ hits, onStop }: { hits: readonly Hit[]; onStop: () => void }) {
  const t = messages.use();
  const { api } = useServices();
  const app = `${window.location.origin}${window.location.pathname.replace(/\/search$/, "")}`;
  const links = momentLinks(
    hits.map((hit) => ({ at_ms: hit.at_ms, title: [hit.video_title, chapterTitle({ text: hit.text, tags: [] })].filter(Boolean).join(" – "), page: `${app}/videos/${hit.video_id}` })),
  );
  /** Marks stand in the time of one video: a file for each. */
  const save = async (format: MarkerFormat) => {
    try {
      for (const video_id of new Set(hits.map((hit) => hit.video_id))) {
        const of = hits.filter((hit) => hit.video_id === video_id);
        await saveMarkers(api, { video_id, title: of[0]?.video_title ?? "" }, format, of.map((hit) => hit.scene_id));
      }
    } catch (error) {
      showToast({ tone: "bad", text: sentence(error) });
    }
  };
  return (
    <div role="toolbar" aria-label={t.chosen.label} className="sticky top-16 z-20 mb-4 flex flex-wrap items-center gap-2 rounded-2xl border border-line bg-raised p-2 shadow-float">
      <IconButton label={t.chosen.stop} onClick={onStop} className="size-8">
        <X />
      </IconButton>
      <p role="status" className="nums text-sm font-medium">
        {t.chosen.count(hits.length)}
      </p>
      <div className="ml-auto flex flex-wrap gap-2">
        <CopyMany label={t.chosen.copy} lines={links} done={t.chosen.copied(hits.length)} />
        {hits.length > 0 && (
          <Menu buttonClassName={buttonClass("plain", "sm")} button={<><Download aria-hidden="true" />{t.chosen.export}</>}>
            {MARKERS.map(([format, Icon]) => (
              <button key={format} type="button" className={menuItemClass} onClick={() => void save(format)}>
                <Icon aria-hidden="true" />
                {t.chosen.as[format]}
              </button>
            ))}
          </Menu>
        )}
      </div>
    </div>
  );
}
