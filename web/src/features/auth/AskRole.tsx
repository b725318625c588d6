import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Notice } from "@/components/Notice";
import { RolePicker } from "@/components/RolePicker";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Me, Role } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { messages } from "./messages";

/** People who came by another door than our sign-up have a role by default only: they are asked once. */
export function AskRole({ me }: { me: Me }) {
  const t = messages.use();
  const words = common.use();
  const { api, config } = useServices();
  const client = useQueryClient();
  const [role, setRole] = useState<Role>(me.role);
  const save = useMutation({
    mutationFn: () => api.json<Me>("/users/me", { method: "PATCH", body: { role } }),
    onSuccess: (next) => client.setQueryData(keys.me, next),
  });
  return (
    <Dialog open={!me.role_chosen} must onClose={() => undefined} title={t.askTitle}>
      <div className="grid gap-4">
        {save.error && <Notice tone="bad">{sentence(save.error)}</Notice>}
        <RolePicker legend={t.role} name="ask-role" value={role} onChange={setRole} roles={config.roles} />
        <p className="text-[13px] text-ink-faint">{t.roleHint}</p>
        <Button tone="primary" busy={save.isPending} onClick={() => save.mutate()}>
          {words.save}
        </Button>
      </div>
    </Dialog>
  );
}
