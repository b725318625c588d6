import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { Link2Off } from "lucide-react";
import { useRef, useState } from "react";
import { buttonClass } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { Spinner } from "@/components/Spinner";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { ApiError } from "@/lib/api/errors";
import { sharedMomentQuery } from "@/lib/api/queries";
import { useRenewal } from "@/lib/expired";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate, formatTimecode } from "@/lib/time";
import { useTitle } from "@/lib/title";
import { messages } from "./messages";

/** A moment that somebody shares: its clip, and nothing else of the video. */
export function SharedMomentPage() {
  const { token } = useParams({ strict: false }) as { token: string };
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const query = useQuery(sharedMomentQuery(api, token));
  const moment = query.data;
  useTitle(moment?.title ?? t.title);
  const renew = useRenewal(() => void query.refetch());

  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <EmptyState
        icon={<Link2Off />}
        title={t.over}
        action={
          <Link to="/library" className={buttonClass("primary")}>
            {t.toLibrary}
          </Link>
        }
      >
        {t.overMore}
      </EmptyState>
    );
  }
  if (query.error && !moment) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!moment) {
    return (
      <div className="mx-auto grid w-full max-w-4xl gap-4 px-4 py-6 sm:px-6">
        <LoadingLabel />
        <Skeleton className="h-8 w-64" />
        <Skeleton className="aspect-video" />
      </div>
    );
  }
  return (
    <div className="mx-auto grid w-full max-w-4xl grid-cols-[minmax(0,1fr)] gap-4 px-4 py-6 sm:px-6">
      <div>
        <h1 className="text-xl font-semibold tracking-tight [overflow-wrap:anywhere] sm:text-2xl">{moment.title}</h1>
        <p className="mt-1 text-sm text-ink-soft">{moment.shared_by ? t.from(moment.shared_by) : t.fromSomebody}</p>
      </div>
      {moment.url ? (
        <Clip key={token} url={moment.url} onBroken={renew} />
      ) : moment.state === "failed" ? (
        <Notice tone="bad">{t.failed}</Notice>
      ) : (
        <p role="status" className="grid aspect-video place-content-center justify-items-center gap-3 rounded-2xl bg-sunken p-6 text-center text-sm text-ink-soft">
          <Spinner />
          {t.preparing}
        </p>
      )}
      <p className="nums text-[13px] text-ink-soft">
        {t.part(formatTimecode(moment.start_ms), formatTimecode(moment.end_ms))} · {t.until(formatDate(moment.expires_at, lang))}
      </p>
    </div>
  );
}

/** The address is signed and ends after a while. A newer one takes its place only when it does not work any more, where the clip was. */
function Clip({ url, onBroken }: { url: string; onBroken: () => void }) {
  const t = messages.use();
  const [src, setSrc] = useState(url);
  const [broken, setBroken] = useState(false);
  const stopped = useRef<{ at_s: number; playing: boolean } | null>(null);
  if (broken && url !== src) {
    setSrc(url);
    setBroken(false);
  }
  return (
    <video
      data-testid="shared-clip"
      aria-label={t.player}
      controls
      playsInline
      preload="metadata"
      src={src}
      className="aspect-video w-full rounded-2xl bg-[#0b1114] shadow-card"
      onError={({ currentTarget }) => {
        stopped.current ??= { at_s: currentTarget.currentTime, playing: !currentTarget.paused };
        setBroken(true);
        if (url === src) onBroken();
      }}
      onLoadedMetadata={({ currentTarget }) => {
        const from = stopped.current;
        stopped.current = null;
        if (!from) return;
        currentTarget.currentTime = from.at_s;
        if (from.playing) currentTarget.play().catch(() => undefined);
      }}
    />
  );
}
