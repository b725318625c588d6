import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams, useSearch } from "@tanstack/react-router";
import { AudioLines, SearchX } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { buttonClass } from "@/components/Button";
import { cx } from "@/components/cx";
import { Notice } from "@/components/Notice";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { StageMeter } from "@/components/StageMeter";
import { ApiError } from "@/lib/api/errors";
import { jobsQuery, keys, scenesQuery, transcriptQuery, videoQuery } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useLanguage } from "@/lib/i18n/i18n";
import { isSettled } from "@/lib/live";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { AffectCurve } from "./AffectCurve";
import { indexAt } from "./follow";
import { messages } from "./messages";
import { Player, type PlayerHandle } from "./Player";
import { PlayerClock } from "./player-clock";
import { PreparingPlayer } from "./PreparingPlayer";
import { SceneFacts } from "./SceneFacts";
import { ScenesSection } from "./ScenesSection";
import { StageList } from "./StageList";
import { TranscriptPanel } from "./TranscriptPanel";
import { useCorrection } from "./use-correction";
import { usePlayback } from "./use-playback";
import { useShortcuts } from "./use-shortcuts";
import { VideoHeader } from "./VideoHeader";

export function VideoPage() {
  const { videoId } = useParams({ strict: false }) as { videoId: string };
  const { api } = useServices();
  const t = messages.use();
  const query = useQuery(videoQuery(api, videoId));
  useTitle(query.data?.title ?? "");

  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <EmptyState
        icon={<SearchX />}
        title={t.notFound}
        action={
          <Link to="/library" className={buttonClass("primary")}>
            {t.toLibrary}
          </Link>
        }
      >
        {t.notFoundMore}
      </EmptyState>
    );
  }
  if (query.error && !query.data) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (!query.data) return <Waiting />;
  return <Loaded key={videoId} video={query.data} />;
}

function Waiting() {
  return (
    <div className="mx-auto grid w-full max-w-7xl gap-6 px-4 py-6 sm:px-6 lg:grid-cols-[minmax(0,1fr)_22rem]">
      <LoadingLabel />
      <div className="grid gap-4">
        <Skeleton className="h-8 w-64" />
        <Skeleton className="aspect-video" />
      </div>
      <Skeleton className="hidden lg:block" />
    </div>
  );
}

function Loaded({ video }: { video: Video }) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const id = video.video_id;
  const settled = isSettled(video.state);
  const searchable = video.run_id !== null || video.state === "indexed";
  const jobs = useQuery({ ...jobsQuery(api, id), enabled: video.state !== "uploading" }).data?.items ?? [];
  const scenes = useQuery({ ...scenesQuery(api, id, useLanguage()), enabled: searchable }).data ?? [];
  const spoken = useQuery({ ...transcriptQuery(api, id), enabled: searchable });
  const transcript = spoken.data;
  const segments = transcript?.segments ?? [];
  const correct = useCorrection(id, transcript?.run_id);
  const watchable = video.state !== "uploading" && video.state !== "failed";
  const checked = video.duration_ms !== null && watchable;
  const playback = usePlayback(id, checked);

  const player = useRef<PlayerHandle>(null);
  const [clock] = useState(() => new PlayerClock());
  const { t: at_ms } = useSearch({ strict: false }) as { t?: number };
  const playable = playback.ready !== undefined;

  // A link to a moment: go there and play, also when the next link leads into the same video.
  useEffect(() => {
    if (playable && at_ms !== undefined) player.current?.seek(at_ms, true);
  }, [playable, at_ms]);

  useShortcuts(player, (direction) => {
    const current = indexAt(scenes.map((scene) => scene.start_ms), clock.at_ms);
    // Back goes to this scene's start first, unless it has just begun.
    const back = clock.at_ms - (scenes[current]?.start_ms ?? 0) > 1500 ? current : current - 1;
    const next = scenes[direction > 0 ? current + 1 : Math.max(0, back)];
    if (next) player.current?.seek(next.start_ms, false);
  });

  const broken = useRef<number[]>([]);
  const onBroken = () => {
    // Three new URLs a minute at most: beyond that the file is at fault, not its address.
    const now = Date.now();
    broken.current = broken.current.filter((moment) => now - moment < 60_000);
    if (broken.current.length >= 3) return;
    broken.current.push(now);
    void client.invalidateQueries({ queryKey: keys.playback(id) });
  };
  const seek = (to_ms: number) => player.current?.seek(to_ms, true);
  const expired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.scenes(id) }));

  return (
    <div className="mx-auto w-full max-w-7xl px-4 py-5 sm:px-6">
      <VideoHeader video={video} searchable={searchable} />

      <div className={cx("mt-4 grid items-start gap-6", watchable ? "lg:grid-cols-[minmax(0,1fr)_23rem] xl:grid-cols-[minmax(0,1fr)_26rem]" : "max-w-3xl")}>
        <div className="grid min-w-0 gap-5">
          {video.state === "failed" && (
            <Notice
              tone="bad"
              action={
                <Link to="/upload" className={buttonClass("plain", "sm")}>
                  {t.uploadAnother}
                </Link>
              }
            >
              <p className="font-semibold">{t.failed}</p>
              {video.failure && <p data-testid="failure">{video.failure.message}</p>}
            </Notice>
          )}
          {video.state === "uploading" && (
            <Notice
              tone="info"
              action={
                <Link to="/upload" className={buttonClass("plain", "sm")}>
                  {t.finishUpload}
                </Link>
              }
            >
              {t.stillUploading}
            </Notice>
          )}
          {video.warnings.map((warning) => (
            <Notice key={warning.code} tone="warn">
              {warning.message}
            </Notice>
          ))}

          {playback.ready ? (
            <Player
              ref={player}
              url={playback.ready.url}
              poster={video.poster_url}
              sprite={playback.ready.sprite}
              duration_ms={playback.ready.duration_ms ?? video.duration_ms}
              scenes={scenes}
              segments={segments}
              language={transcript?.language ?? null}
              clock={clock}
              onBroken={onBroken}
            />
          ) : playback.error ? (
            <div className="rounded-2xl border border-line">
              <ErrorState title={t.noPlayback} error={playback.error} retry={() => void playback.refetch()} />
            </div>
          ) : playback.preparing ? (
            <PreparingPlayer preparing={playback.preparing} poster={video.poster_url} />
          ) : (
            watchable && (
              <div className="grid aspect-video place-items-center rounded-2xl bg-sunken p-6 text-center text-sm text-ink-soft">{!checked && t.preparing}</div>
            )
          )}

          {!settled && video.state !== "uploading" && (
            <section aria-labelledby="stages" className="rounded-2xl border border-line bg-surface p-5 shadow-card">
              <h2 id="stages" className="mb-3 text-[15px] font-semibold">
                {t.stages}
              </h2>
              <StageMeter jobs={jobs} progress={video.progress} className="mb-3" />
              <StageList jobs={jobs} />
            </section>
          )}

          {watchable && <ScenesSection video={video} scenes={scenes} clock={clock} onSeek={seek} onExpired={expired} />}

          {watchable && <AffectCurve scenes={scenes} length_ms={video.duration_ms ?? 0} clock={clock} />}
          {watchable && <SceneFacts scenes={scenes} clock={clock} onSeek={seek} />}

          {settled && jobs.length > 0 && (
            <details className="rounded-2xl border border-line bg-surface px-5 py-1" open={video.state === "failed"}>
              <summary className="py-2.5 text-sm font-medium text-ink-soft hover:text-ink">{t.stagesDone}</summary>
              <div className="pb-3">
                <StageList jobs={jobs} />
              </div>
            </details>
          )}
        </div>

        {watchable && (
          <section
            aria-labelledby="transcript"
            className="flex h-[26rem] min-w-0 flex-col rounded-2xl border border-line bg-surface shadow-card lg:sticky lg:top-20 lg:h-[calc(100dvh-7rem)] lg:max-h-[52rem]"
          >
            <h2 id="transcript" className="px-5 pt-4 pb-2 text-[15px] font-semibold">
              {t.transcript}
            </h2>
            {segments.length > 0 ? (
              <TranscriptPanel segments={segments} clock={clock} onSeek={seek} onCorrect={correct} />
            ) : spoken.error && !transcript ? (
              <ErrorState error={spoken.error} retry={() => void spoken.refetch()} />
            ) : (
              <div className="grid flex-1 content-center justify-items-center gap-3 px-8 pb-10 text-center text-sm text-ink-soft">
                <AudioLines className="size-7 text-ink-faint" strokeWidth={1.5} aria-hidden="true" />
                {transcript && settled ? t.noWords : t.wordsComing}
              </div>
            )}
          </section>
        )}
      </div>
    </div>
  );
}
