import { useMutation } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { Download, Trash2 } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import type { Me } from "@/lib/api/types";
import { saveAsFile } from "@/lib/download";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { signOut } from "@/lib/session";
import { Card } from "./Card";
import { messages } from "./messages";

/** Taking one's data along, and leaving. */
export function DataCards({ me }: { me: Me }) {
  const t = messages.use();
  const { api } = useServices();
  const [asking, setAsking] = useState(false);
  const take = useMutation({ mutationFn: async () => saveAsFile(await api.raw("/users/me/export"), "heimdex-export.json") });
  return (
    <>
      <Card id="data" title={t.subjects.data} lead={t.exportLead}>
        <div className="grid gap-4">
          {take.error && <Notice tone="bad">{sentence(take.error)}</Notice>}
          <Button busy={take.isPending} onClick={() => take.mutate()} className="justify-self-start">
            <Download aria-hidden="true" />
            {t.export}
          </Button>
        </div>
      </Card>
      <Card id="delete" title={t.subjects.delete} lead={t.deleteLead} tone="danger">
        <Button tone="danger" onClick={() => setAsking(true)}>
          <Trash2 aria-hidden="true" />
          {t.deleteAccount}
        </Button>
      </Card>
      <Dialog open={asking} onClose={() => setAsking(false)} title={t.deleteTitle}>
        <DeleteAccount email={me.email ?? ""} onClose={() => setAsking(false)} />
      </Dialog>
    </>
  );
}

function DeleteAccount({ email, onClose }: { email: string; onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api, supabase, config } = useServices();
  const router = useRouter();
  const [typed, setTyped] = useState("");
  const remove = useMutation({
    mutationFn: () => api.json<void>("/users/me", { method: "DELETE" }),
    onSuccess: async () => {
      await signOut(supabase, "local");
      await router.navigate({ to: "/login", search: { why: "deleted" }, replace: true });
    },
  });
  const matches = typed.trim().toLowerCase() === email.toLowerCase();
  return (
    <form
      className="grid gap-4"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (matches) remove.mutate();
      }}
    >
      {remove.error && <Notice tone="bad">{sentence(remove.error)}</Notice>}
      <ul className="grid list-disc gap-1.5 pl-5 text-[15px] leading-relaxed text-ink-soft">
        {[...t.deleteFacts.split("\n"), ...(config.embedded_auth ? [] : [t.deleteElsewhere])].map((fact) => (
          <li key={fact}>{fact}</li>
        ))}
      </ul>
      <Field label={t.typeEmail(email)} value={typed} onChange={(event) => setTyped(event.target.value)} autoComplete="off" autoCapitalize="none" spellCheck={false} />
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button type="submit" tone="danger" disabled={!matches} busy={remove.isPending}>
          {t.deleteForGood}
        </Button>
      </div>
    </form>
  );
}
