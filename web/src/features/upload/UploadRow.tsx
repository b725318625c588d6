import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Check, CircleAlert, FileVideo, Pause, Pencil, Play, RotateCw, X } from "lucide-react";
import { useRef, useState } from "react";
import { Button, IconButton, buttonClass } from "@/components/Button";
import { cx } from "@/components/cx";
import { ProgressBar } from "@/components/Progress";
import { StageMeter } from "@/components/StageMeter";
import { sentence } from "@/lib/api/errors";
import { jobsQuery, videoQuery } from "@/lib/api/queries";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { isSettled } from "@/lib/live";
import { useServices } from "@/lib/services";
import { formatBytes, formatEta } from "@/lib/time";
import { showToast } from "@/lib/toast";
import type { UploadItem } from "./manager";
import { messages } from "./messages";
import { useUploads } from "./uploads-context";

export function UploadRow({ item }: { item: UploadItem }) {
  const t = messages.use();
  const lang = useLanguage();
  const { manager } = useUploads();
  const [titling, setTitling] = useState<{ text: string } | null>(null);
  // What takes the field away may also take its focus away: only the first of the two counts.
  const over = useRef(false);
  const openTitle = () => {
    over.current = false;
    setTitling({ text: item.title ?? item.name.replace(/\.[^.]+$/, "") });
  };
  const closeTitle = (text: string | null) => {
    if (over.current) return;
    over.current = true;
    setTitling(null);
    if (text === null) return;
    manager.retitle(item.id, text).catch((error: unknown) => showToast({ tone: "bad", text: sentence(error) }));
  };
  const percent = item.size_bytes > 0 ? (item.sent_bytes / item.size_bytes) * 100 : 0;
  const facts = [
    item.status === "uploading" || item.status === "paused" ? t.sentOf(formatBytes(item.sent_bytes, lang), formatBytes(item.size_bytes, lang)) : formatBytes(item.size_bytes, lang),
    item.status === "uploading" && item.bytes_per_s !== null ? t.speed(formatBytes(item.bytes_per_s, lang)) : null,
    item.status === "uploading" && item.eta_s !== null ? t.left(formatEta(item.eta_s, lang)) : null,
    item.resumed && item.status === "uploading" ? t.resumed : null,
  ].filter(Boolean);

  return (
    <li className="grid gap-3 rounded-2xl border border-line bg-surface p-4 shadow-card" data-upload={item.name} data-status={item.status}>
      <div className="flex items-center gap-3">
        <span
          aria-hidden="true"
          className={cx(
            "grid size-10 shrink-0 place-items-center rounded-xl [&_svg]:size-[18px]",
            item.status === "done" ? "bg-good-wash text-good" : item.status === "failed" ? "bg-bad-wash text-bad" : "bg-accent-wash text-accent",
          )}
        >
          {item.status === "done" ? <Check /> : item.status === "failed" ? <CircleAlert /> : <FileVideo />}
        </span>
        <div className="min-w-0 flex-1">
          {titling ? (
            <input
              autoFocus
              aria-label={t.titleOf(item.name)}
              value={titling.text}
              maxLength={200}
              onFocus={(event) => event.target.select()}
              onChange={(event) => setTitling({ text: event.target.value })}
              onBlur={() => closeTitle(titling.text)}
              onKeyDown={(event) => {
                // Enter and Escape that end the composing of a syllable are not meant for us.
                if (event.nativeEvent.isComposing) return;
                if (event.key === "Enter") closeTitle(titling.text);
                else if (event.key === "Escape") closeTitle(null);
              }}
              className="h-8 w-full rounded-lg border border-accent bg-surface px-2 text-[15px]"
            />
          ) : (
            <p className="flex min-w-0 items-center gap-1 text-[15px] font-medium" title={item.name}>
              <span className="truncate">{item.title ?? item.name}</span>
              {item.status !== "duplicate" && (
                <button type="button" aria-label={t.giveTitle(item.name)} title={t.giveTitle(item.name)} onClick={openTitle} className="grid size-7 shrink-0 place-items-center rounded-lg text-ink-faint hover:bg-sunken hover:text-ink">
                  <Pencil className="size-3.5" aria-hidden="true" />
                </button>
              )}
            </p>
          )}
          <p className="nums truncate text-[13px] text-ink-faint">
            <span className={item.status === "failed" ? "font-medium text-bad" : ""}>{t.status[item.status]}</span>
            {" · "}
            {facts.join(" · ")}
          </p>
        </div>
        <div className="flex shrink-0">
          {(item.status === "uploading" || item.status === "checking") && (
            <IconButton label={t.pause} onClick={() => manager.pause(item.id)}>
              <Pause />
            </IconButton>
          )}
          {item.status === "paused" && (
            <IconButton label={t.resume} onClick={() => manager.resume(item.id)}>
              <Play />
            </IconButton>
          )}
          {item.status === "done" ? (
            <IconButton label={t.remove} onClick={() => manager.dismiss(item.id)}>
              <X />
            </IconButton>
          ) : (
            <IconButton label={t.cancel} onClick={() => manager.cancel(item.id)}>
              <X />
            </IconButton>
          )}
        </div>
      </div>
      {item.status === "duplicate" && item.twin_id && (
        <div className="flex flex-wrap items-center justify-between gap-2">
          <p role="alert" className="min-w-0 flex-1 basis-60 text-sm text-ink-soft">
            {t.duplicate}
          </p>
          <div className="flex gap-2">
            <Link to="/videos/$videoId" params={{ videoId: item.twin_id }} className={buttonClass("plain", "sm")}>
              {t.open}
            </Link>
            <Button size="sm" onClick={() => manager.sendAnyway(item.id)}>
              {t.sendAnyway}
            </Button>
          </div>
        </div>
      )}
      {item.status !== "done" && item.status !== "duplicate" && (
        <ProgressBar percent={percent} label={t.progressOf(item.name)} tone={item.status === "failed" ? "bad" : item.status === "paused" ? "rest" : "accent"} />
      )}
      {item.status === "failed" && (
        <div className="flex flex-wrap items-center justify-between gap-2">
          <p role="alert" className="min-w-0 flex-1 basis-60 text-sm text-ink-soft [overflow-wrap:anywhere]">
            {item.error}
          </p>
          <Button size="sm" onClick={() => manager.resume(item.id)}>
            <RotateCw aria-hidden="true" />
            {t.retry}
          </Button>
        </div>
      )}
      {item.status === "done" && item.video_id && <Indexing videoId={item.video_id} />}
    </li>
  );
}

/** What happens to the file after its last byte. */
function Indexing({ videoId }: { videoId: string }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const video = useQuery(videoQuery(api, videoId)).data;
  const settled = video ? isSettled(video.state) : false;
  const jobs = useQuery({ ...jobsQuery(api, videoId), enabled: !settled }).data?.items;
  const running = jobs?.filter((job) => job.state === "running").map((job) => words.stages[job.stage]) ?? [];
  return (
    <div className="flex flex-wrap items-center gap-x-4 gap-y-2">
      <div className="min-w-0 flex-1 basis-56">
        {video?.state === "failed" ? (
          <p role="alert" className="text-sm text-bad [overflow-wrap:anywhere]">
            {video.failure?.message ?? words.videoStates.failed}
          </p>
        ) : (
          <>
            <StageMeter jobs={jobs} progress={video?.progress ?? (video?.state === "indexed" ? { percent: 100, stages_total: 12, stages_done: 12, active_stages: [] } : null)} />
            <p className="mt-1.5 truncate text-[13px] text-ink-faint">
              {video?.state === "indexed" ? t.ready : running.length > 0 ? running.join(" · ") : t.indexing}
            </p>
          </>
        )}
      </div>
      <Link to="/videos/$videoId" params={{ videoId }} className={buttonClass("plain", "sm")}>
        {t.open}
      </Link>
    </div>
  );
}
