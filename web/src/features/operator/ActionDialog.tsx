import { useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { common } from "@/lib/i18n/common";
import { showToast } from "@/lib/toast";
import { keys } from "./queries";

/** Something that is done only when it is confirmed. */
export interface Ask {
  title: string;
  text: string;
  /** On the button that does it. */
  action: string;
  danger?: boolean;
  /** Does it and says what was done. */
  run: () => Promise<string>;
}

/** Asks, does, and says how it went. What goes wrong is said here: nothing behind a dialog can be read or reached. */
export function ActionDialog({ ask, onClose, children }: { ask: Ask | null; onClose: () => void; children?: ReactNode }) {
  return (
    <Dialog open={ask !== null} onClose={onClose} title={ask?.title ?? ""}>
      {ask && (
        <Question ask={ask} onClose={onClose}>
          {children}
        </Question>
      )}
    </Dialog>
  );
}

function Question({ ask, onClose, children }: { ask: Ask; onClose: () => void; children?: ReactNode }) {
  const words = common.use();
  const client = useQueryClient();
  const act = useMutation({
    mutationFn: ask.run,
    onSuccess: (text) => {
      showToast({ text, tone: "good" });
      void client.invalidateQueries({ queryKey: keys.all });
      onClose();
    },
  });
  return (
    <form
      className="grid gap-5"
      onSubmit={(event) => {
        event.preventDefault();
        act.mutate();
      }}
    >
      {act.error && <Notice tone="bad">{sentence(act.error)}</Notice>}
      <p className="text-[15px] leading-relaxed text-ink-soft">{ask.text}</p>
      {children}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button type="submit" tone={ask.danger ? "danger" : "primary"} busy={act.isPending}>
          {ask.action}
        </Button>
      </div>
    </form>
  );
}
