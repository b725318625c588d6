import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useRouter } from "@tanstack/react-router";
import { ChevronLeft, Download, Ellipsis, Keyboard, Pencil, Trash2 } from "lucide-react";
import { lazy, Suspense, useState } from "react";
import { buttonClass } from "@/components/Button";
import { Menu, menuItemClass } from "@/components/Menu";
import { StateBadge } from "@/components/StateBadge";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes, formatDate, formatTimecode } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { refreshLists, removeFromLists } from "@/lib/video-lists";
import { messages } from "./messages";

// Fetched when first opened, not with the page.
const VideoDialogs = lazy(async () => ({ default: (await import("./VideoDialogs")).VideoDialogs }));

const FORMATS = ["vtt", "srt", "txt", "json"] as const;

export function VideoHeader({ video, searchable }: { video: Video; searchable: boolean }) {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const client = useQueryClient();
  const router = useRouter();
  const [dialog, setDialog] = useState<"rename" | "keys" | null>(null);
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
    refreshLists(api, client);
    void client.invalidateQueries({ queryKey: keys.usage });
  };
  const restore = useMutation<Video, Error, (back: readonly string[]) => void>({
    mutationFn: () => api.json<Video>(`/videos/${id}/restore`, { method: "POST" }),
    onSuccess: (_, putBack) => {
      putBack([id]);
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
      // Of a long list only the first page is read again.
      const putBack = removeFromLists(client, new Set([id]));
      listsChanged();
      showToast({ tone: "plain", text: t.removed(video.title), action: { label: t.undo, run: () => restore.mutate(putBack) } });
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
            <button type="button" className={menuItemClass} onClick={() => setDialog("rename")}>
              <Pencil aria-hidden="true" />
              {t.rename}
            </button>
            <button type="button" className={menuItemClass} onClick={() => setDialog("keys")}>
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
      {dialog && (
        <Suspense fallback={null}>
          <VideoDialogs video={video} shown={dialog} onClose={() => setDialog(null)} />
        </Suspense>
      )}
    </div>
  );
}
