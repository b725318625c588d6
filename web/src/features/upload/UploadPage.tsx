import { useQuery } from "@tanstack/react-query";
import { CloudUpload, FileVideo } from "lucide-react";
import { useEffect, useRef, useState, type DragEvent } from "react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { usageQuery } from "@/lib/api/queries";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { useTitle } from "@/lib/title";
import { formatByteLimit, formatBytes, formatDate, formatEta, formatTimecode } from "@/lib/time";
import { ACCEPT, aFewAtATime, limitsOf, mimeTypeOf, probeDuration, refusalOf, type Refusal } from "./checks";
import { filesOf, MAX_FILES, videosAmong, type Found } from "./folders";
import type { Chosen } from "./manager";
import { messages } from "./messages";
import { UploadRow } from "./UploadRow";
import { useUnfinished, type UnfinishedUpload } from "./use-unfinished";
import { useUploads } from "./uploads-context";

/** Of a whole folder that was refused, the first few tell why. */
const SHOWN_REFUSALS = 8;

interface Refused {
  name: string;
  refusal: Refusal;
}

export function UploadPage() {
  const t = messages.use();
  useTitle(t.title);
  const lang = useLanguage();
  const { api, config } = useServices();
  const { manager, items } = useUploads();
  const usage = useQuery(usageQuery(api)).data;
  const limits = limitsOf(config, usage);
  const [over, setOver] = useState(false);
  const [looking, setLooking] = useState(false);
  const [refused, setRefused] = useState<Refused[]>([]);
  const picker = useRef<HTMLInputElement>(null);
  const folderPicker = useRef<HTMLInputElement>(null);
  const unfinished = useUnfinished(manager, items);

  const discard = (video_id: string) => {
    manager.discard(video_id).catch((error: unknown) => showToast({ tone: "bad", text: sentence(error) }));
  };
  const add = async (files: File[], video_id?: string) => {
    const accepted: Chosen[] = [];
    const turned: Refused[] = [];
    let left = limits.left_today;
    const lengths = await aFewAtATime(files, 4, async (file) => (mimeTypeOf(file) && file.size > 0 && limits.max_duration_s !== null ? probeDuration(file) : null));
    files.forEach((file, index) => {
      const mime_type = mimeTypeOf(file);
      const resumes = unfinished.some((entry) => entry.name === file.name && entry.size_bytes === file.size);
      const refusal = refusalOf(file, lengths[index] ?? null, limits) ?? (left !== null && left <= 0 && !resumes ? { reason: "quota" as const } : null);
      if (refusal || mime_type === null) {
        turned.push({ name: file.name, refusal: refusal ?? { reason: "type" } });
        return;
      }
      if (left !== null && !resumes) left -= 1;
      accepted.push({ file, mime_type, video_id });
    });
    setRefused(turned);
    if (accepted.length > 0) manager.add(accepted);
  };
  /** From folders: what is no video there was not meant. */
  const addFound = async (reading: Promise<Found>) => {
    setLooking(true);
    try {
      const { files, others, cut } = await reading;
      if (others > 0) showToast({ tone: "plain", text: t.others(others) });
      if (cut) showToast({ tone: "bad", text: t.cut(MAX_FILES) });
      await add(files);
    } finally {
      setLooking(false);
    }
  };
  // The listeners below are set once and must see the newest limits.
  const latest = useRef({ add, addFound });
  useEffect(() => {
    latest.current = { add, addFound };
  });

  // React's types do not know this attribute; every current browser does.
  useEffect(() => folderPicker.current?.setAttribute("webkitdirectory", ""), []);

  // A file dropped beside the box is meant for it too; without this the browser would leave the page to show it.
  useEffect(() => {
    const drop = (event: globalThis.DragEvent) => {
      // Words that are dropped into a field are none of ours.
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(false);
      // Entries can only be had before this handler ends; browsers without them give the files alone.
      const entries = [...(event.dataTransfer?.items ?? [])].map((item) => item.webkitGetAsEntry?.() ?? null).filter((entry) => entry !== null);
      const files = [...(event.dataTransfer?.files ?? [])];
      if (entries.some((entry) => entry.isDirectory)) void latest.current.addFound(filesOf(entries));
      else if (files.length > 0) void latest.current.add(files);
    };
    const hover = (event: globalThis.DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      setOver(true);
    };
    const paste = (event: ClipboardEvent) => {
      const files = [...(event.clipboardData?.files ?? [])];
      if (files.length > 0) void latest.current.add(files);
    };
    window.addEventListener("drop", drop);
    window.addEventListener("dragover", hover);
    window.addEventListener("paste", paste);
    return () => {
      window.removeEventListener("drop", drop);
      window.removeEventListener("dragover", hover);
      window.removeEventListener("paste", paste);
    };
  }, []);

  const say = (refusal: Refusal) => {
    if (refusal.reason === "size") return t.refused.size(formatByteLimit(refusal.limit_bytes, lang));
    if (refusal.reason === "duration") return t.refused.duration(formatTimecode(refusal.actual_s * 1000), formatTimecode(refusal.limit_s * 1000));
    return t.refused[refusal.reason];
  };

  const resetsAt = usage?.uploads_today?.resets_at;
  return (
    <div className="mx-auto w-full max-w-3xl px-4 py-8 sm:px-6">
      <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
      <p className="mt-1.5 mb-6 text-[15px] text-pretty text-ink-soft">{t.lead}</p>

      <div
        onDragLeave={(event: DragEvent) => {
          if (!event.currentTarget.contains(event.relatedTarget as Node | null)) setOver(false);
        }}
        className={cx(
          "grid justify-items-center gap-3 rounded-3xl border-2 border-dashed px-6 py-12 text-center transition-colors sm:py-16",
          over ? "border-accent bg-accent-wash" : "border-line bg-surface",
        )}
      >
        <CloudUpload aria-hidden="true" className={cx("size-10 transition-transform", over ? "-translate-y-1 text-accent" : "text-ink-faint")} strokeWidth={1.5} />
        <p className="text-lg font-semibold tracking-tight">{over ? t.dropNow : t.drop}</p>
        <div className="flex flex-wrap justify-center gap-2">
          <Button tone="primary" busy={looking} onClick={() => picker.current?.click()}>
            {t.choose}
          </Button>
          <Button disabled={looking} onClick={() => folderPicker.current?.click()}>
            {t.chooseFolder}
          </Button>
        </div>
        {looking && <p role="status" className="text-[13px] text-ink-soft">{t.looking}</p>}
        <input
          ref={folderPicker}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            event.target.value = "";
            void addFound(Promise.resolve(videosAmong(files)));
          }}
        />
        <input
          ref={picker}
          type="file"
          multiple
          accept={ACCEPT}
          hidden
          onChange={(event) => {
            const files = [...(event.target.files ?? [])];
            event.target.value = "";
            void add(files);
          }}
        />
        <p className="mt-1 text-[13px] text-ink-faint">
          {t.formats(formatByteLimit(limits.max_size_bytes, lang), limits.max_duration_s !== null ? formatEta(limits.max_duration_s, lang) : null)}
        </p>
        {usage && usage.storage_bytes > 0 && <p className="text-[13px] text-ink-faint">{t.stored(formatBytes(usage.storage_bytes, lang))}</p>}
        {limits.left_today !== null && (
          <p className={cx("text-[13px]", limits.left_today === 0 ? "font-medium text-warn" : "text-ink-faint")}>
            {limits.left_today > 0 ? t.leftToday(limits.left_today) : t.noneLeft(resetsAt ? formatDate(resetsAt, lang) : "")}
          </p>
        )}
      </div>

      {refused.length > 0 && (
        <Notice
          tone="bad"
          className="mt-4"
          action={
            <Button size="sm" tone="quiet" onClick={() => setRefused([])}>
              {t.dismiss}
            </Button>
          }
        >
          <p className="font-medium">{t.refusedTitle}</p>
          <ul>
            {refused.slice(0, SHOWN_REFUSALS).map(({ name, refusal }, index) => (
              <li key={`${index} ${name}`}>
                <span className="font-medium">{name}</span> {say(refusal)}
              </li>
            ))}
            {refused.length > SHOWN_REFUSALS && <li>{t.andMore(refused.length - SHOWN_REFUSALS)}</li>}
          </ul>
        </Notice>
      )}

      {unfinished.length > 0 && (
        <section className="mt-8" aria-labelledby="unfinished">
          <h2 id="unfinished" className="text-[15px] font-semibold">
            {t.unfinished}
          </h2>
          <p className="mt-0.5 mb-3 text-sm text-ink-soft">{t.unfinishedLead}</p>
          <ul className="grid gap-2">
            {unfinished.map((entry) => (
              <Unfinished key={entry.video_id} entry={entry} onFile={(file) => void add([file], entry.last_modified_ms === null ? entry.video_id : undefined)} onDiscard={() => discard(entry.video_id)} />
            ))}
          </ul>
        </section>
      )}

      {items.length > 0 && (
        <section className="mt-8" aria-labelledby="queue">
          <h2 id="queue" className="mb-3 text-[15px] font-semibold">
            {t.queue}
          </h2>
          <ul className="grid gap-3">
            {items.map((item) => (
              <UploadRow key={item.id} item={item} />
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}

function Unfinished({ entry, onFile, onDiscard }: { entry: UnfinishedUpload; onFile: (file: File) => void; onDiscard: () => void }) {
  const t = messages.use();
  const lang = useLanguage();
  const picker = useRef<HTMLInputElement>(null);
  return (
    <li className="flex flex-wrap items-center gap-3 rounded-2xl border border-line bg-surface p-4" data-unfinished={entry.name}>
      <FileVideo aria-hidden="true" className="size-5 shrink-0 text-ink-faint" />
      <div className="min-w-0 flex-1 basis-40">
        <p className="truncate text-[15px] font-medium">{entry.name}</p>
        <p className="text-[13px] text-ink-faint">
          {formatBytes(entry.size_bytes, lang)}
          {entry.last_modified_ms === null && ` · ${t.elsewhere}`}
        </p>
      </div>
      <div className="flex gap-2">
        <Button size="sm" tone="quiet" onClick={onDiscard}>
          {t.giveUp}
        </Button>
        <Button size="sm" onClick={() => picker.current?.click()}>
          {t.goOn}
        </Button>
      </div>
      <input
        ref={picker}
        type="file"
        accept={ACCEPT}
        hidden
        onChange={(event) => {
          const file = event.target.files?.[0];
          event.target.value = "";
          if (!file) return;
          if (file.name === entry.name && file.size === entry.size_bytes && (entry.last_modified_ms === null || file.lastModified === entry.last_modified_ms)) onFile(file);
          else showToast({ tone: "bad", text: t.otherFile(entry.name) });
        }}
      />
    </li>
  );
}
