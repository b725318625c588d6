import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { keys } from "@/lib/api/queries";
import type { BulkAction } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { refreshLists, removeFromLists } from "@/lib/video-lists";
import { changeMany, type Outcome } from "./bulk";
import { messages } from "./messages";

/** What is done to one video or to many, with what the person is told of it. */
export function useActions() {
  const { api } = useServices();
  const client = useQueryClient();
  const [busy, setBusy] = useState(false);

  const changed = () => {
    refreshLists(api, client);
    void client.invalidateQueries({ queryKey: keys.usage });
    void client.invalidateQueries({ queryKey: keys.ownTags });
  };

  const run = async (ids: readonly string[], action: BulkAction): Promise<Outcome> => {
    setBusy(true);
    try {
      return await changeMany(api, ids, action);
    } finally {
      setBusy(false);
      changed();
    }
  };

  const sayRefused = ({ refused }: Outcome) => {
    const [first] = refused;
    if (first) showToast({ tone: "bad", text: messages.now().refused(refused.length, first.detail) });
  };

  const restore = async (ids: readonly string[], putBack: (back: readonly string[]) => void) => {
    const outcome = await run(ids, "restore");
    putBack(outcome.done);
    sayRefused(outcome);
    if (outcome.done.length > 0) showToast({ tone: "good", text: messages.now().restored(outcome.done.length) });
  };

  return {
    busy,
    changed,
    remove: async (ids: readonly string[]) => {
      const putBack = removeFromLists(client, new Set(ids));
      const outcome = await run(ids, "delete");
      putBack(outcome.refused.map(({ id }) => id));
      const t = messages.now();
      sayRefused(outcome);
      if (outcome.done.length === 0) return;
      showToast({ tone: "plain", text: t.removed(outcome.done.length), action: { label: t.undo, run: () => void restore(outcome.done, putBack) } });
    },
    reprocess: async (ids: readonly string[]) => {
      const outcome = await run(ids, "reprocess");
      sayRefused(outcome);
      if (outcome.done.length > 0) showToast({ tone: "good", text: messages.now().again(outcome.done.length) });
    },
  };
}
