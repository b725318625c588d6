import { Link, useNavigate } from "@tanstack/react-router";
import { AudioLines, Brain, Check, Eye, Hash, ListPlus, Play, ScanText, Sparkles, UserRound, type LucideIcon } from "lucide-react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import { SignedImage } from "@/components/SignedImage";
import type { Hit } from "@/lib/api/types";
import { formatTimecode } from "@/lib/time";
import { excerpt, pieces } from "./highlight";
import { messages } from "./messages";
import { useLeaving } from "./way-back";
import { why } from "./why";

const icons: Record<string, LucideIcon> = { words: AudioLines, meaning: Brain, seen: Eye, tagged: Hash, written: ScanText, who: UserRound };

/** While hits are chosen (`chosen` is not null) a press chooses instead of going there.
 *  `q` is the query that found it, for the rest of its video; `more` is how much of that is on no page yet, 0 where it is not to be said. */
export function HitCard({ hit, q, more, chosen, onChoose, onExpired }: {
  hit: Hit;
  q: string;
  more: number;
  chosen: boolean | null;
  onChoose: () => void;
  onExpired: () => void;
}) {
  const t = messages.use();
  const navigate = useNavigate();
  const leaving = useLeaving();
  const short = excerpt(hit.text, hit.highlights);
  return (
    <li data-testid="hit" data-video={hit.video_id} data-at={hit.at_ms} className="relative grid rounded-2xl border border-line bg-surface shadow-card transition-colors hover:border-line-strong">
      {chosen !== null && (
        <label className="absolute top-4 left-4 z-10 grid size-9 cursor-pointer place-items-center">
          <input type="checkbox" aria-label={t.chosen.one(hit.video_title, formatTimecode(hit.at_ms))} checked={chosen} onChange={onChoose} className="peer sr-only" />
          <span
            aria-hidden="true"
            className={cx(
              "grid size-6 place-items-center rounded-full border-2 peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent",
              chosen ? "border-accent bg-accent text-on-accent" : "border-white bg-black/45",
            )}
          >
            {chosen && <Check className="size-4" strokeWidth={3} />}
          </span>
        </label>
      )}
      <Link
        to="/videos/$videoId"
        params={{ videoId: hit.video_id }}
        search={{ t: hit.at_ms }}
        data-hit={hit.scene_id}
        onClick={(event) => {
          if (chosen === null) leaving(hit);
          else {
            event.preventDefault();
            onChoose();
          }
        }}
        className="group grid gap-x-5 gap-y-3 rounded-2xl p-3 sm:grid-cols-[14rem_minmax(0,1fr)]"
      >
        <div className="relative aspect-video overflow-hidden rounded-xl bg-sunken">
          <SignedImage src={hit.thumbnail_url} alt="" onExpired={onExpired} className="size-full object-cover transition-transform duration-300 group-hover:scale-110 group-focus-visible:scale-110 motion-reduce:transition-none motion-reduce:group-hover:scale-100 motion-reduce:group-focus-visible:scale-100" />
          <span
            aria-hidden="true"
            className="absolute inset-0 m-auto grid size-11 place-items-center rounded-full bg-black/60 text-white opacity-0 transition-opacity group-hover:opacity-100 group-focus-visible:opacity-100"
          >
            <Play className="ml-0.5 size-5 fill-current" />
          </span>
          <span className="nums absolute right-2 bottom-2 rounded-md bg-black/75 px-1.5 py-0.5 text-xs font-medium text-white">{formatTimecode(hit.at_ms)}</span>
        </div>
        <div className="flex min-w-0 flex-col gap-2 px-1 pb-1 sm:py-1">
          <p className="truncate text-sm font-medium text-ink-soft">{hit.video_title}</p>
          <p className="text-[15px] leading-relaxed text-pretty [overflow-wrap:anywhere]">
            {hit.text.trim() === "" ? (
              <span className="text-ink-faint">{t.silent}</span>
            ) : (
              pieces(short.text, short.ranges).map((piece, index) =>
                piece.marked ? (
                  <mark key={index} className="rounded-[3px] bg-mark px-0.5 text-on-mark">
                    {piece.text}
                  </mark>
                ) : (
                  <span key={index}>{piece.text}</span>
                ),
              )
            )}
          </p>
          <p className="mt-auto text-[13px] text-ink-faint [overflow-wrap:anywhere]" data-testid="why">
            {hit.matches.map((match) => why(match, t)).join(" · ")}
          </p>
          <ul className="flex flex-wrap gap-1.5">
            {hit.matches.map((match) => {
              const Icon = icons[match.channel] ?? Hash;
              return (
                <li key={match.channel} title={t.rank(match.rank)} className="inline-flex h-6 items-center gap-1.5 rounded-full bg-accent-wash px-2.5 text-xs font-medium text-accent">
                  <Icon className="size-3.5" aria-hidden="true" />
                  <span>{t.channels[match.channel] ?? match.channel}</span>
                </li>
              );
            })}
          </ul>
        </div>
      </Link>
      <div className="-mt-1 flex flex-wrap justify-end gap-1 px-2 pb-2">
        {more > 0 && (
          <Button tone="quiet" size="sm" onClick={() => void navigate({ to: "/search", search: { q, video: hit.video_id } })}>
            <ListPlus aria-hidden="true" />
            {t.moreInVideo(more)}
          </Button>
        )}
        <Button tone="quiet" size="sm" onClick={() => void navigate({ to: "/search", search: { like: hit.scene_id } })}>
          <Sparkles aria-hidden="true" />
          {t.like}
        </Button>
      </div>
    </li>
  );
}
