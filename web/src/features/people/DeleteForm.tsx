import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Button } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { peopleChanged } from "./changed";
import { messages } from "./messages";

/** Asks once more before a person is deleted. What goes wrong is said here: nothing behind a dialog can be read or reached. */
export function DeleteForm({ personId, onClose }: { personId: string; onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => api.json<undefined>(`/people/${personId}`, { method: "DELETE" }),
    onSuccess: async () => {
      showToast({ text: t.deleteDone, tone: "good" });
      await navigate({ to: "/people" });
      client.removeQueries({ queryKey: keys.person(personId) });
      void peopleChanged(client);
    },
  });
  return (
    <div className="grid gap-5">
      {remove.error && <Notice tone="bad">{sentence(remove.error)}</Notice>}
      <p className="text-[15px] leading-relaxed text-ink-soft">{t.deleteWarning}</p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button tone="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
          {t.deletePerson}
        </Button>
      </div>
    </div>
  );
}
