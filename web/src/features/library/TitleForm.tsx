import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent, type KeyboardEvent } from "react";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { patchLists } from "@/lib/video-lists";
import { messages } from "./messages";

/** The title becomes a field where it stands. Enter and leaving it keep what was written, Escape does not. */
export function TitleForm({ video, onClose }: { video: Video; onClose: () => void }) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const [title, setTitle] = useState(video.title);
  const show = (shown: string) => {
    patchLists(client, video.video_id, (each) => ({ ...each, title: shown }));
    client.setQueryData<Video>(keys.video(video.video_id), (old) => old && { ...old, title: shown });
  };
  const change = useMutation({
    mutationFn: (next: string) => api.json<Video>(`/videos/${video.video_id}`, { method: "PATCH", body: { title: next } }),
    onMutate: show,
    onSuccess: (next) => show(next.title),
    onError: (error) => {
      show(video.title);
      showToast({ tone: "bad", text: sentence(error) });
    },
  });
  const keep = () => {
    const next = title.trim();
    if (next !== "" && next !== video.title) change.mutate(next);
    onClose();
  };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        keep();
      }}
    >
      <input
        autoFocus
        aria-label={t.titleOf(video.title)}
        value={title}
        maxLength={200}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setTitle(event.target.value)}
        onBlur={keep}
        onKeyDown={(event: KeyboardEvent) => {
          event.stopPropagation();
          if (event.key === "Escape") onClose();
        }}
        className="h-8 w-full rounded-lg border border-accent bg-surface px-2 text-[15px]"
      />
    </form>
  );
}
