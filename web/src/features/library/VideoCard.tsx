import { useQuery } from "@tanstack/react-query";
import { useLinkProps } from "@tanstack/react-router";
import { Check, MoreVertical, Pencil, RotateCw, Tag, Trash2 } from "lucide-react";
import { memo, useRef, useState, type KeyboardEvent, type MouseEvent } from "react";
import { cx } from "@/components/cx";
import { Menu, menuItemClass } from "@/components/Menu";
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
import { Poster, PosterFacts } from "./Poster";
import { TitleForm } from "./TitleForm";
import { useScrub } from "./use-scrub";

export interface CardProps {
  video: Video;
  /** Its place in the list, from 0. */
  index: number;
  view: "grid" | "list";
  selected: boolean;
  /** Something is chosen: a plain click chooses too. */
  selecting: boolean;
  onSelect: (id: string, range: boolean) => void;
  onTags: (id: string) => void;
  onRemove: (id: string) => void;
  onReprocess: (id: string) => void;
  onExpired: (id: string) => void;
}

/** One video. Of a long list only the cards that have changed or come into sight are rendered: what is handed over must stay the
 *  same function from one rendering to the next. */
export const VideoCard = memo(function VideoCard({ video, index, view, selected, selecting, onSelect, onTags, onRemove, onReprocess, onExpired }: CardProps) {
  const t = messages.use();
  const lang = useLanguage();
  const [renaming, setRenaming] = useState(false);
  const card = useRef<HTMLAnchorElement>(null);
  const scrub = useScrub(video);
  const id = video.video_id;
  const list = view === "list";
  const working = !isSettled(video.state) && video.state !== "uploading";

  const onClick = (event: MouseEvent) => {
    if (!selecting && !event.shiftKey && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    onSelect(id, event.shiftKey);
  };
  const link = useLinkProps({ to: "/videos/$videoId", params: { videoId: id }, onClick });
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === " ") onSelect(id, event.shiftKey);
    else if (event.key === "F2") setRenaming(true);
    else if (event.key === ",") scrub.step(-1);
    else if (event.key === ".") scrub.step(1);
    else return;
    event.preventDefault();
  };

  const poster = (
    <div className="relative shrink-0">
      <a
        {...link}
        ref={card}
        data-card={index}
        aria-label={video.title}
        aria-keyshortcuts="Space F2 , ."
        onKeyDown={onKeyDown}
        onBlur={scrub.leave}
        className={cx("block shrink-0 focus-visible:outline-offset-4", list ? "rounded-lg" : "rounded-2xl", selected && "outline-2 outline-offset-2 outline-accent")}
      >
        <Poster video={video} scrub={scrub} small={list} onExpired={() => onExpired(id)} />
      </a>
      {!list && <PosterFacts video={video} scrub={scrub} />}
    </div>
  );
  const title = renaming ? (
    <TitleForm
      video={video}
      onClose={(byKey) => {
        setRenaming(false);
        if (byKey) card.current?.focus();
      }}
    />
  ) : (
    // The poster is the link that the keyboard and a screen reader meet; this one is for the mouse.
    <a
      {...link}
      tabIndex={-1}
      aria-hidden="true"
      title={video.title}
      className={cx("px-0.5 text-[15px] leading-snug font-medium [overflow-wrap:anywhere] hover:text-accent", list ? "block truncate" : "line-clamp-2")}
    >
      {video.title}
    </a>
  );
  const tags = video.tags.length > 0 && <span className="min-w-12 truncate">{video.tags.map((tag) => `#${tag}`).join(" ")}</span>;
  const facts = (
    <div className="min-w-0 px-0.5 text-[13px] text-ink-faint">
      {working ? (
        <Working video={video} />
      ) : video.state === "failed" ? (
        <p className="flex min-w-0 gap-2" title={video.failure?.message}>
          <span className="truncate text-bad">{video.failure?.message}</span>
          {tags}
        </p>
      ) : (
        <p className="flex min-w-0 gap-2">
          <span className="shrink-0 first-letter:uppercase">{formatDate(video.created_at, lang)}</span>
          {tags}
        </p>
      )}
    </div>
  );
  const box = (
    <label className={cx("grid size-9 cursor-pointer place-items-center", list ? "shrink-0" : "absolute top-1 left-1 z-10")}>
      <input
        type="checkbox"
        aria-label={t.select(video.title)}
        checked={selected}
        onChange={(event) => onSelect(id, (event.nativeEvent as unknown as globalThis.MouseEvent).shiftKey)}
        className="peer sr-only"
      />
      <span
        aria-hidden="true"
        className={cx(
          "grid size-6 place-items-center rounded-full border-2 transition-opacity peer-focus-visible:opacity-100 peer-focus-visible:outline-2 peer-focus-visible:outline-offset-2 peer-focus-visible:outline-accent",
          selected ? "border-accent bg-accent text-on-accent" : list ? "border-line-strong" : "border-white bg-black/45",
          // A finger hovers over nothing: there the boxes are always to be seen.
          !selected && !selecting && !list && "opacity-0 group-hover:opacity-100 pointer-coarse:opacity-100",
        )}
      >
        {selected && <Check className="size-4" strokeWidth={3} />}
      </span>
    </label>
  );
  const menu = (
    <Menu label={t.actionsOf(video.title)} button={<MoreVertical className="size-[18px]" aria-hidden="true" />} buttonClassName="grid size-9 place-items-center rounded-lg text-ink-faint hover:bg-sunken hover:text-ink">
      <button type="button" className={menuItemClass} onClick={() => setRenaming(true)}>
        <Pencil aria-hidden="true" />
        {t.rename}
      </button>
      <button type="button" className={menuItemClass} onClick={() => onTags(id)}>
        <Tag aria-hidden="true" />
        {t.editTags}
      </button>
      {isSettled(video.state) && (
        <button type="button" className={menuItemClass} onClick={() => onReprocess(id)}>
          <RotateCw aria-hidden="true" />
          {t.reprocess}
        </button>
      )}
      <button type="button" className={menuItemClass} onClick={() => onRemove(id)}>
        <Trash2 aria-hidden="true" />
        {t.remove}
      </button>
    </Menu>
  );

  if (list) {
    return (
      <div className="flex h-full items-center gap-3 border-b border-line">
        {box}
        {poster}
        <div className="min-w-0 flex-1">
          {title}
          {facts}
        </div>
        {video.state !== "indexed" && <StateBadge state={video.state} className="shrink-0 max-sm:hidden" />}
        {video.duration_ms !== null && <span className="nums shrink-0 text-[13px] text-ink-soft max-sm:hidden">{formatTimecode(video.duration_ms)}</span>}
        {menu}
      </div>
    );
  }
  return (
    <div className="group relative">
      {box}
      {poster}
      <div className="mt-2 flex items-start gap-1">
        <div className="grid min-w-0 flex-1 gap-1">
          {title}
          {facts}
        </div>
        {menu}
      </div>
    </div>
  );
});

function Working({ video }: { video: Video }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const jobs = useQuery(jobsQuery(api, video.video_id)).data?.items;
  const active = jobs?.filter((job) => job.state === "running").map((job) => job.stage) ?? video.progress?.active_stages ?? [];
  return (
    <div className="mt-1.5">
      <StageMeter jobs={jobs} progress={video.progress} />
      <p className="nums mt-1 flex gap-2">
        <span className="min-w-0 flex-1 truncate">{active.length > 0 ? active.map((stage) => words.stages[stage]).join(" · ") : t.waiting}</span>
        {video.progress && <span>{video.progress.percent} %</span>}
      </p>
    </div>
  );
}
