import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { patchLists } from "@/lib/video-lists";
import { messages } from "./messages";

export function VideoDialogs({ video, shown, onClose }: { video: Video; shown: "rename" | "keys"; onClose: () => void }) {
  const t = messages.use();
  return (
    <Dialog open onClose={onClose} title={shown === "rename" ? t.rename : t.keys}>
      {shown === "rename" ? <RenameForm video={video} onClose={onClose} /> : <KeyList />}
    </Dialog>
  );
}

function KeyList() {
  const t = messages.use();
  const list: [string, string][] = [
    ["Space · K", t.keyPlay],
    ["J · L", t.keyTen],
    ["← · →", t.keyFive],
    [", · .", t.keyScene],
    ["M · C · F", t.keyToggles],
    ["/", t.keySearch],
    ["Enter · ⇧ Enter", t.keyFind],
    ["Enter · Esc", t.keyCorrect],
  ];
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-6 gap-y-2.5 text-sm">
      {list.map(([key, what]) => (
        <div key={key} className="contents">
          <dt className="font-medium whitespace-nowrap">{key}</dt>
          <dd className="text-ink-soft">{what}</dd>
        </div>
      ))}
    </dl>
  );
}

function RenameForm({ video, onClose }: { video: Video; onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const [title, setTitle] = useState(video.title);
  const change = useMutation({
    mutationFn: () => api.json<Video>(`/videos/${video.video_id}`, { method: "PATCH", body: { title: title.trim() } }),
    onSuccess: (next) => {
      client.setQueryData<Video>(keys.video(video.video_id), (old) => (old ? { ...old, title: next.title } : next));
      patchLists(client, video.video_id, (old) => ({ ...old, title: next.title }));
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
      <Field label={t.title} value={title} maxLength={200} onChange={(event) => setTitle(event.target.value)} error={field} autoFocus required />
      <Button type="submit" tone="primary" busy={change.isPending} disabled={title.trim() === ""} className="justify-self-end">
        {words.save}
      </Button>
    </form>
  );
}
