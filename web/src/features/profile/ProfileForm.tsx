import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { RolePicker } from "@/components/RolePicker";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Me, Role } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

export function ProfileForm({ me }: { me: Me }) {
  const t = messages.use();
  const words = common.use();
  const { api, config } = useServices();
  const client = useQueryClient();
  const [name, setName] = useState(me.display_name ?? "");
  const [role, setRole] = useState<Role>(me.role);
  const save = useMutation({
    mutationFn: () => api.json<Me>("/users/me", { method: "PATCH", body: { display_name: name.trim(), role } }),
    onSuccess: (next) => {
      client.setQueryData(keys.me, next);
      showToast({ tone: "good", text: t.saved });
    },
  });
  const fields = save.error instanceof ApiError ? save.error.fields : {};
  const changed = name.trim() !== (me.display_name ?? "") || role !== me.role;
  return (
    <form
      className="grid gap-5"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        save.mutate();
      }}
    >
      {save.error && Object.keys(fields).length === 0 && <Notice tone="bad">{sentence(save.error)}</Notice>}
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t.name} name="display_name" autoComplete="name" maxLength={120} value={name} onChange={(event) => setName(event.target.value)} error={fields.display_name} required />
        <Field label={t.email} value={me.email ?? ""} readOnly className="opacity-80" />
      </div>
      <RolePicker legend={t.role} name="profile-role" value={role} onChange={setRole} roles={config.roles} error={fields.role} />
      <div className="flex flex-wrap items-center justify-between gap-3">
        <p className="text-[13px] text-ink-faint">{t.roleHint}</p>
        <Button type="submit" tone="primary" busy={save.isPending} disabled={!changed || name.trim() === ""}>
          {words.save}
        </Button>
      </div>
    </form>
  );
}
