import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { ChevronLeft, Download, Ellipsis, Keyboard, Pencil, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { Menu, menuItemClass } from "@/components/Menu";
import { Notice } from "@/components/Notice";
import { StateBadge } from "@/components/StateBadge";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatDate, formatTimecode } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

const FORMATS = ["vtt", "srt", "txt", "json"] as const;

export function VideoHeader({ video, searchable }: { video: Video; searchable: boolean }) {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const client = useQueryClient();
  const router = useRouter();
  const [renaming, setRenaming] = useState(false);
  const [keysShown, setKeysShown] = useState(false);
  const id = video.video_id;

  const download = async (format: (typeof FORMATS)[number]) => {
    try {
      const text = await api.text(`/videos/${id}/transcript`, { query: { format }, headers: { accept: "*/*" } });
      const url = URL.createObjectURL(new Blob([text]));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${video.title.replace(/[\\/:*?"<>|]+/g, " ").trim() || "transcript"}.${format}`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(url), 1000);
    } catch (error) {
      showToast({ tone: "bad", text: sentence(error) });
    }
  };

  const listsChanged = () => {
    void client.invalidateQueries({ queryKey: keys.videos });
    void client.invalidateQueries({ queryKey: keys.usage });
  };
  const restore = useMutation({
    mutationFn: () => api.json<Video>(`/videos/${id}/restore`, { method: "POST" }),
    onSuccess: () => {
      showToast({ tone: "good", text: t.restored(video.title) });
      listsChanged();
    },
    onError: (error) => showToast({ tone: "bad", text: sentence(error) }),
  });
  const remove = useMutation({
    mutationFn: () => api.json(`/videos/${id}`, { method: "DELETE" }),
    onSuccess: async () => {
      await router.navigate({ to: "/library" });
      client.removeQueries({ queryKey: keys.video(id) });
      listsChanged();
      showToast({ tone: "plain", text: t.removed(video.title), action: { label: t.undo, run: () => restore.mutate() } });
    },
    onError: (error) => showToast({ tone: "bad", text: sentence(error) }),
  });

  const facts = [
    video.duration_ms !== null ? formatTimecode(video.duration_ms) : null,
    video.width && video.height ? `${video.width} × ${video.height}` : null,
    formatBytes(video.size_bytes, lang),
    formatDate(video.created_at, lang),
  ].filter(Boolean);

  return (
    <div>
      <Link to="/library" className="-ml-1 inline-flex items-center gap-0.5 rounded-md py-0.5 pr-1.5 text-[13px] font-medium text-ink-soft hover:text-ink">
        <ChevronLeft className="size-4" aria-hidden="true" />
        {t.back}
      </Link>
      <div className="mt-1 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 flex-1 basis-64">
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1.5">
            <h1 className="text-xl font-semibold tracking-tight [overflow-wrap:anywhere] sm:text-2xl">{video.title}</h1>
            {video.state !== "indexed" && <StateBadge state={video.state} />}
          </div>
          <p className="nums mt-1 text-[13px] text-ink-faint">{facts.join(" · ")}</p>
        </div>
        <div className="flex gap-2">
          {searchable && (
            <Menu buttonClassName={buttonClass()} button={<><Download aria-hidden="true" />{t.download}</>}>
              {FORMATS.map((format) => (
                <button key={format} type="button" className={menuItemClass} onClick={() => void download(format)}>
                  {t.formats[format]}
                </button>
              ))}
            </Menu>
          )}
          <Menu label={t.more} buttonClassName={`${buttonClass()} !px-3`} button={<Ellipsis aria-hidden="true" />}>
            <button type="button" className={menuItemClass} onClick={() => setRenaming(true)}>
              <Pencil aria-hidden="true" />
              {t.rename}
            </button>
            <button type="button" className={menuItemClass} onClick={() => setKeysShown(true)}>
              <Keyboard aria-hidden="true" />
              {t.keys}
            </button>
            <button type="button" className={`${menuItemClass} !text-bad [&_svg]:!text-bad`} disabled={remove.isPending} onClick={() => remove.mutate()}>
              <Trash2 aria-hidden="true" />
              {t.remove}
            </button>
          </Menu>
        </div>
      </div>
      <Rename video={video} open={renaming} onClose={() => setRenaming(false)} />
      <Dialog open={keysShown} onClose={() => setKeysShown(false)} title={t.keys}>
        <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2.5 text-sm">
          {[
            ["Space · K", t.keyPlay],
            ["J · L", t.keyTen],
            ["← · →", t.keyFive],
            [", · .", t.keyScene],
            ["M · C · F", t.keyToggles],
            ["/", t.keySearch],
          ].map(([key, what]) => (
            <div key={key} className="contents">
              <dt className="font-medium whitespace-nowrap">{key}</dt>
              <dd className="text-ink-soft">{what}</dd>
            </div>
          ))}
        </dl>
      </Dialog>
    </div>
  );
}

function Rename({ video, open, onClose }: { video: Video; open: boolean; onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  return (
    <Dialog open={open} onClose={onClose} title={t.rename}>
      <RenameForm video={video} onClose={onClose} label={t.title} save={words.save} />
    </Dialog>
  );
}

function RenameForm({ video, onClose, label, save }: { video: Video; onClose: () => void; label: string; save: string }) {
  const { api } = useServices();
  const client = useQueryClient();
  const [title, setTitle] = useState(video.title);
  const change = useMutation({
    mutationFn: () => api.json<Video>(`/videos/${video.video_id}`, { method: "PATCH", body: { title: title.trim() } }),
    onSuccess: (next) => {
      client.setQueryData<Video>(keys.video(video.video_id), (old) => (old ? { ...old, title: next.title } : next));
      void client.invalidateQueries({ queryKey: keys.videos });
      onClose();
    },
  });
  const field = change.error instanceof ApiError ? change.error.fields.title : undefined;
  return (
    <form
      className="grid gap-4"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        change.mutate();
      }}
    >
      {change.error && !field && <Notice tone="bad">{sentence(change.error)}</Notice>}
      <Field label={label} value={title} maxLength={200} onChange={(event) => setTitle(event.target.value)} error={field} autoFocus required />
      <Button type="submit" tone="primary" busy={change.isPending} disabled={title.trim() === ""} className="justify-self-end">
        {save}
      </Button>
    </form>
  );
}
