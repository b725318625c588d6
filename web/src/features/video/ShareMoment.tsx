import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useId, useState } from "react";
import { Button } from "@/components/Button";
import { CopyField } from "@/components/CopyField";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { keys, sharesQuery } from "@/lib/api/queries";
import type { NewShare } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate, formatTimecode } from "@/lib/time";
import { messages } from "./messages";

const LIVES = [1, 7, 30] as const;
/** As the server allows. */
const LONGEST_MS = 10 * 60_000;

export interface Moment {
  start_ms: number;
  end_ms: number;
}

/** A link to a moment for somebody with an account here, and the links there are. */
export function ShareMoment({ videoId, moment }: { videoId: string; moment: Moment }) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const [days, setDays] = useState<number>(7);
  const select = useId();
  const end_ms = Math.min(moment.end_ms, moment.start_ms + LONGEST_MS);
  const make = useMutation({
    mutationFn: () =>
      api.json<NewShare>(`/videos/${videoId}/shares`, {
        method: "POST",
        body: { start_ms: moment.start_ms, end_ms, expires_at: new Date(Date.now() + days * 86_400_000).toISOString() },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: keys.shares(videoId) }),
  });
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <p className="text-sm text-ink-soft">{t.shareWhat(formatTimecode(moment.start_ms), formatTimecode(end_ms))}</p>
      {make.error && <Notice tone="bad">{sentence(make.error)}</Notice>}
      {make.data ? (
        <>
          <Notice tone="warn">{t.linkShownOnce}</Notice>
          <CopyField label={t.link} value={`${window.location.origin}${make.data.path}`} />
        </>
      ) : (
        <div className="flex flex-wrap items-end justify-between gap-3">
          <div className="grid gap-1.5">
            <label htmlFor={select} className="text-[13px] font-medium text-ink-soft">
              {t.linkLives}
            </label>
            <select id={select} value={days} onChange={(event) => setDays(Number(event.target.value))} className="h-10 rounded-xl border border-line bg-surface px-3 text-sm text-ink">
              {LIVES.map((value) => (
                <option key={value} value={value}>
                  {t.days(value)}
                </option>
              ))}
            </select>
          </div>
          <Button tone="primary" busy={make.isPending} onClick={() => make.mutate()}>
            {t.makeLink}
          </Button>
        </div>
      )}
      <Links videoId={videoId} />
    </div>
  );
}

function Links({ videoId }: { videoId: string }) {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const client = useQueryClient();
  const shares = useQuery(sharesQuery(api, videoId));
  const revoke = useMutation({
    mutationFn: (shareId: string) => api.json(`/videos/${videoId}/shares/${shareId}`, { method: "DELETE" }),
    onSettled: () => client.invalidateQueries({ queryKey: keys.shares(videoId) }),
  });
  if (shares.error) return <Notice tone="bad">{sentence(shares.error)}</Notice>;
  if (!shares.data || shares.data.length === 0) return null;
  return (
    <section aria-labelledby="links" className="grid gap-2 border-t border-line pt-4">
      <h3 id="links" className="text-[13px] font-medium text-ink-soft">
        {t.links}
      </h3>
      {revoke.error && <Notice tone="bad">{sentence(revoke.error)}</Notice>}
      <ul className="thin-scroll grid max-h-56 gap-1 overflow-y-auto">
        {shares.data.map((share) => {
          const part = `${formatTimecode(share.start_ms)} – ${formatTimecode(share.end_ms)}`;
          return (
            <li key={share.share_id} className="flex flex-wrap items-center justify-between gap-2 text-sm">
              <span className="nums">
                {part} <span className="text-ink-soft">{t.until(formatDate(share.expires_at, lang))}</span>
              </span>
              <Button size="sm" tone="danger" aria-label={t.takeBackOf(part)} disabled={revoke.isPending} onClick={() => revoke.mutate(share.share_id)}>
                {t.takeBack}
              </Button>
            </li>
          );
        })}
      </ul>
    </section>
  );
}
