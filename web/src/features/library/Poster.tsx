import { CircleAlert, Film } from "lucide-react";
import { cx } from "@/components/cx";
import { SignedImage } from "@/components/SignedImage";
import { StateBadge } from "@/components/StateBadge";
import type { Video } from "@/lib/api/types";
import { formatTimecode } from "@/lib/time";
import type { useScrub } from "./use-scrub";

/** The poster, and over it the moment that is looked at. */
export function Poster({ video, scrub, small, onExpired }: { video: Video; scrub: ReturnType<typeof useScrub>; small: boolean; onExpired: () => void }) {
  const length_ms = video.duration_ms ?? 0;
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
      {scrub.style && (
        <div className="absolute inset-0 grid place-items-center bg-black" data-scrub={Math.round(scrub.at_ms ?? 0)}>
          <div className="h-full max-w-full bg-no-repeat" style={scrub.style} />
          <div className="absolute inset-x-0 bottom-0 h-1 bg-white/30">
            <div className="h-full bg-white" style={{ width: `${((scrub.at_ms ?? 0) / Math.max(1, length_ms)) * 100}%` }} />
          </div>
        </div>
      )}
    </div>
  );
}

/** What lies over the poster, beside its link: the link is called by the title and nothing else. */
export function PosterFacts({ video, scrub }: { video: Video; scrub: ReturnType<typeof useScrub> }) {
  return (
    <div className="pointer-events-none absolute inset-x-2 bottom-2 flex items-end justify-between gap-2">
      <span>{video.state !== "indexed" && <StateBadge state={video.state} className="shadow-card" />}</span>
      {video.duration_ms !== null && (
        <span className="nums rounded-md bg-black/75 px-1.5 py-0.5 text-xs font-medium text-white">{formatTimecode(scrub.at_ms ?? video.duration_ms)}</span>
      )}
    </div>
  );
}
