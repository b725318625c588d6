import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { SavedSearch } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

/** Keeps a search by name, or gives a kept one another name. */
export function SaveSearch({ what, onClose }: { what: { q: string; video: string | undefined } | SavedSearch; onClose: () => void }) {
  const t = messages.use();
  const known = "saved_id" in what ? what : null;
  return (
    <Dialog open onClose={onClose} title={known ? t.saved.rename : t.saved.save}>
      <NameForm what={what} onClose={onClose} />
    </Dialog>
  );
}

function NameForm({ what, onClose }: { what: { q: string; video: string | undefined } | SavedSearch; onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const [name, setName] = useState("saved_id" in what ? what.name : what.q.slice(0, 100));
  const save = useMutation({
    mutationFn: () => {
      if ("saved_id" in what) return api.json<SavedSearch>(`/searches/saved/${what.saved_id}`, { method: "PATCH", body: { name: name.trim() } });
      const request = { query: what.q, ...(what.video ? { filters: { video_ids: [what.video] }, per_video: 1000 } : {}) };
      return api.json<SavedSearch>("/searches/saved", { method: "POST", body: { name: name.trim(), request } });
    },
    onSuccess: () => {
      void client.invalidateQueries({ queryKey: keys.savedSearches });
      showToast({ tone: "good", text: t.saved.done });
      onClose();
    },
  });
  return (
    <form
      noValidate
      className="grid gap-5"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (name.trim() !== "") save.mutate();
      }}
    >
      <Field label={t.saved.name} name="name" value={name} maxLength={100} autoComplete="off" onChange={(event) => setName(event.target.value)} error={save.error ? sentence(save.error) : undefined} required />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button type="submit" tone="primary" busy={save.isPending}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}
