import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleAlert, Film } from "lucide-react";
import { SignedImage } from "@/components/SignedImage";
import { StageMeter } from "@/components/StageMeter";
import { StateBadge } from "@/components/StateBadge";
import { jobsQuery } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { isSettled } from "@/lib/live";
import { useServices } from "@/lib/services";
import { formatDate, formatTimecode } from "@/lib/time";
import { messages } from "./messages";

export function VideoCard({ video, onExpired }: { video: Video; onExpired: () => void }) {
  const lang = useLanguage();
  const working = !isSettled(video.state) && video.state !== "uploading";
  return (
    <li data-video={video.video_id} data-state={video.state}>
      <Link
        to="/videos/$videoId"
        params={{ videoId: video.video_id }}
        className="group block rounded-2xl focus-visible:outline-offset-4"
      >
        <div className="relative aspect-video overflow-hidden rounded-2xl border border-line bg-sunken shadow-card">
          {video.poster_url ? (
            <SignedImage
              src={video.poster_url}
              alt=""
              onExpired={onExpired}
              className="size-full object-cover transition-transform duration-300 group-hover:scale-[1.025]"
            />
          ) : (
            <div className="grid size-full place-items-center text-line-strong">
              {video.state === "failed" ? <CircleAlert className="size-8" strokeWidth={1.5} /> : <Film className="size-8" strokeWidth={1.5} />}
            </div>
          )}
          {video.state !== "indexed" && <StateBadge state={video.state} className="absolute top-2.5 left-2.5 shadow-card" />}
          {video.duration_ms !== null && (
            <span className="nums absolute right-2 bottom-2 rounded-md bg-black/75 px-1.5 py-0.5 text-xs font-medium text-white">{formatTimecode(video.duration_ms)}</span>
          )}
        </div>
        <p className="mt-2.5 line-clamp-2 px-0.5 text-[15px] leading-snug font-medium [overflow-wrap:anywhere] group-hover:text-accent">{video.title}</p>
      </Link>
      <div className="mt-1 px-0.5 text-[13px] text-ink-faint">
        {working ? (
          <Working video={video} />
        ) : video.state === "failed" ? (
          <p className="line-clamp-2 text-bad">{video.failure?.message}</p>
        ) : (
          <span className="inline-block first-letter:uppercase">{formatDate(video.created_at, lang)}</span>
        )}
      </div>
    </li>
  );
}

function Working({ video }: { video: Video }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const jobs = useQuery(jobsQuery(api, video.video_id)).data?.items;
  const active = jobs?.filter((job) => job.state === "running").map((job) => job.stage) ?? video.progress?.active_stages ?? [];
  return (
    <div className="mt-1.5">
      <StageMeter jobs={jobs} progress={video.progress} />
      <p className="nums mt-1.5 flex gap-2">
        <span className="min-w-0 flex-1 truncate">{active.length > 0 ? active.map((stage) => words.stages[stage]).join(" · ") : t.waiting}</span>
        {video.progress && <span>{video.progress.percent} %</span>}
      </p>
    </div>
  );
}
