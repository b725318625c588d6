import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { patchLists } from "@/lib/video-lists";
import { messages } from "./messages";

/** The title becomes a field where it stands. Enter and leaving it keep what was written, Escape does not. */
export function TitleForm({ video, onClose }: { video: Video; onClose: (byKey: boolean) => void }) {
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
  // What takes the field away may also take its focus away.
  const over = useRef(false);
  const close = (keep: boolean, byKey: boolean) => {
    if (over.current) return;
    over.current = true;
    const next = title.trim();
    if (keep && next !== "" && next !== video.title) change.mutate(next);
    onClose(byKey);
  };
  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        close(true, true);
      }}
    >
      <input
        autoFocus
        aria-label={t.titleOf(video.title)}
        value={title}
        maxLength={200}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setTitle(event.target.value)}
        onBlur={() => close(true, false)}
        onKeyDown={(event: KeyboardEvent) => {
          event.stopPropagation();
          if (event.key === "Escape" && !event.nativeEvent.isComposing) close(false, true);
        }}
        className="h-8 w-full rounded-lg border border-accent bg-surface px-2 text-[15px]"
      />
    </form>
  );
}
