import { useMutation, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { Spinner } from "@/components/Spinner";
import { sentence } from "@/lib/api/errors";
import type { Clip } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatTimecode } from "@/lib/time";
import { clipQuery, LONGEST_CLIP_MS } from "./clips";
import { messages } from "./messages";
import type { Moment } from "./ShareMoment";

/** A moment as a file: has it cut, and hands it over. */
export function SaveClip({ videoId, moment }: { videoId: string; moment: Moment }) {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const [exact, setExact] = useState(false);
  const end_ms = Math.min(moment.end_ms, moment.start_ms + LONGEST_CLIP_MS);
  const ask = useMutation({ mutationFn: () => api.json<Clip>(`/videos/${videoId}/clips`, { method: "POST", body: { start_ms: moment.start_ms, end_ms, exact } }) });
  const made = useQuery(clipQuery(api, videoId, ask.data?.clip_id));
  const clip = made.data ?? ask.data;
  const error = ask.error ?? made.error;
  return (
    <div className="grid gap-4">
      <p className="text-sm text-ink-soft">{t.clipWhat(formatTimecode(moment.start_ms), formatTimecode(end_ms))}</p>
      {error && <Notice tone="bad">{sentence(error)}</Notice>}
      {clip?.state === "failed" && <Notice tone="bad">{clip.failure}</Notice>}
      {(!clip || clip.state === "failed") && (
        <>
          <label className="flex items-start gap-3 text-sm text-ink">
            <input type="checkbox" checked={exact} onChange={(event) => setExact(event.target.checked)} className="mt-0.5 size-4 accent-accent" />
            <span>
              {t.exact}
              <span className="block text-[13px] text-ink-soft">{t.exactMore}</span>
            </span>
          </label>
          <Button tone="primary" busy={ask.isPending} onClick={() => ask.mutate()} className="justify-self-end">
            {t.cut}
          </Button>
        </>
      )}
      <div role="status" className="grid gap-3 empty:hidden">
        {clip?.state === "preparing" && (
          <p className="flex items-center gap-2 text-sm text-ink-soft">
            <Spinner />
            {t.cutting} <span className="nums">{clip.progress} %</span>
          </p>
        )}
        {clip?.state === "ready" && clip.url && (
          <a href={clip.url} download className={buttonClass("primary")}>
            <Download aria-hidden="true" />
            {t.downloadClip(clip.size_bytes === null ? "" : formatBytes(clip.size_bytes, lang))}
          </a>
        )}
      </div>
    </div>
  );
}
