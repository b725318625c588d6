import { useMutation, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { Spinner } from "@/components/Spinner";
import { sentence } from "@/lib/api/errors";
import type { Clip, Scene } from "@/lib/api/types";
import { chapterTitle } from "@/lib/chapters";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatTimecode } from "@/lib/time";
import { clipQuery, LONGEST_CLIP_MS } from "./clips";
import { messages } from "./messages";

/** Several scenes as files: has them cut one after the other, and lists each with its file as soon as it is there. */
export function SaveClips({ videoId, scenes }: { videoId: string; scenes: Scene[] }) {
  const t = messages.use();
  const { api } = useServices();
  const [exact, setExact] = useState(false);
  const [clips, setClips] = useState<ReadonlyMap<string, Clip>>(new Map());
  const cut = useMutation({
    mutationFn: async () => {
      for (const scene of scenes) {
        // After a failure the rest is asked for, not all again.
        if (clips.has(scene.scene_id)) continue;
        const end_ms = Math.min(scene.end_ms, scene.start_ms + LONGEST_CLIP_MS);
        const clip = await api.json<Clip>(`/videos/${videoId}/clips`, { method: "POST", body: { start_ms: scene.start_ms, end_ms, exact } });
        setClips((now) => new Map(now).set(scene.scene_id, clip));
      }
    },
  });
  return (
    <div className="grid gap-4">
      {cut.error && <Notice tone="bad">{sentence(cut.error)}</Notice>}
      <ol className="thin-scroll grid max-h-72 divide-y divide-line overflow-y-auto rounded-xl border border-line">
        {scenes.map((scene) => {
          const clip = clips.get(scene.scene_id);
          return (
            <li key={scene.scene_id} className="flex min-h-12 items-center gap-3 px-3 py-2 text-sm">
              <span className="nums shrink-0 text-[13px] font-medium text-accent">{formatTimecode(scene.start_ms)}</span>
              <span className="min-w-0 flex-1 truncate text-ink-soft">{chapterTitle(scene) ?? t.sceneNumber(scene.ordinal + 1)}</span>
              {clip && <ClipFile videoId={videoId} asked={clip} />}
            </li>
          );
        })}
      </ol>
      {!cut.isSuccess && (
        <>
          <label className="flex items-start gap-3 text-sm text-ink">
            <input type="checkbox" checked={exact} disabled={cut.isPending} onChange={(event) => setExact(event.target.checked)} className="mt-0.5 size-4 accent-accent" />
            <span>
              {t.exact}
              <span className="block text-[13px] text-ink-soft">{t.exactMore}</span>
            </span>
          </label>
          <Button tone="primary" busy={cut.isPending} onClick={() => cut.mutate()} className="justify-self-end">
            {t.cutAll(scenes.length)}
          </Button>
        </>
      )}
    </div>
  );
}

function ClipFile({ videoId, asked }: { videoId: string; asked: Clip }) {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const made = useQuery(clipQuery(api, videoId, asked.clip_id));
  const clip = made.data ?? asked;
  const failure = clip.state === "failed" ? clip.failure : made.error ? sentence(made.error) : null;
  if (failure !== null) return <span className="min-w-0 text-[13px] text-bad">{failure}</span>;
  if (clip.state !== "ready" || !clip.url) {
    return (
      <span role="status" className="nums flex shrink-0 items-center gap-2 text-[13px] text-ink-soft">
        <Spinner />
        {clip.progress} %
      </span>
    );
  }
  return (
    <a href={clip.url} download className={buttonClass("plain", "sm")}>
      <Download aria-hidden="true" />
      {t.downloadClip(clip.size_bytes === null ? "" : formatBytes(clip.size_bytes, lang))}
    </a>
  );
}
