import { CircleAlert, Film } from "lucide-react";
import { cx } from "@/components/cx";
import { SignedImage } from "@/components/SignedImage";
import { StateBadge } from "@/components/StateBadge";
import type { Video } from "@/lib/api/types";
import { formatTimecode } from "@/lib/time";
import { useTile, type useScrub } from "./use-scrub";

/** The poster, and over it the moment that is looked at. */
export function Poster({ video, scrub, small, onExpired }: { video: Video; scrub: ReturnType<typeof useScrub>; small: boolean; onExpired: () => void }) {
  return (
    <div
      className={cx("relative aspect-video overflow-hidden border border-line bg-sunken", small ? "w-24 rounded-lg" : "rounded-2xl shadow-card")}
      {...scrub.pointer}
    >
      {video.poster_url ? (
        <SignedImage src={video.poster_url} alt="" onExpired={onExpired} className="size-full object-cover" />
      ) : (
        <div className="grid size-full place-items-center text-line-strong">
          {video.state === "failed" ? <CircleAlert className={small ? "size-5" : "size-8"} strokeWidth={1.5} /> : <Film className={small ? "size-5" : "size-8"} strokeWidth={1.5} />}
        </div>
      )}
      {scrub.at_ms !== null && <Looked video={video} at_ms={scrub.at_ms} />}
    </div>
  );
}

function Looked({ video, at_ms }: { video: Video; at_ms: number }) {
  const tile = useTile(video.video_id, at_ms);
  if (!tile) return null;
  return (
    <div className="absolute inset-0 grid place-items-center bg-black" data-scrub={Math.round(at_ms)}>
      <div className="h-full max-w-full bg-no-repeat" style={tile} />
      <div className="absolute inset-x-0 bottom-0 h-1 bg-white/30">
        <div className="h-full bg-white" style={{ width: `${(at_ms / Math.max(1, video.duration_ms ?? 0)) * 100}%` }} />
      </div>
    </div>
  );
}

/** What lies over the poster, beside its link: the link is called by the title and nothing else. */
export function PosterFacts({ video, scrub }: { video: Video; scrub: ReturnType<typeof useScrub> }) {
  return (
    <div className="pointer-events-none absolute inset-x-2 bottom-2 flex items-end justify-between gap-2">
      <span>{video.state !== "indexed" && <StateBadge state={video.state} className="shadow-card" />}</span>
      {video.duration_ms !== null && (
        <span className="nums rounded-md bg-black/75 px-1.5 py-0.5 text-xs font-medium text-white">
          {scrub.at_ms === null ? formatTimecode(video.duration_ms) : <Moment video={video} at_ms={scrub.at_ms} />}
        </span>
      )}
    </div>
  );
}

/** The time of the moment that is shown, and the whole length while there is none to show. */
function Moment({ video, at_ms }: { video: Video; at_ms: number }) {
  const tile = useTile(video.video_id, at_ms);
  return formatTimecode(tile ? at_ms : (video.duration_ms ?? 0));
}
