import { X } from "lucide-react";
import { useEffect, useId, useRef, type ReactNode } from "react";
import { common } from "@/lib/i18n/common";
import { IconButton } from "./Button";

/** The platform's own modal dialog: it traps the focus, gives it back, and closes with Escape unless it must be answered. */
export function Dialog({ open, onClose, title, children, must = false }: { open: boolean; onClose: () => void; title: string; children: ReactNode; must?: boolean }) {
  const ref = useRef<HTMLDialogElement>(null);
  const titleId = useId();
  const t = common.use();

  useEffect(() => {
    const dialog = ref.current;
    if (!dialog) return;
    if (open && !dialog.open) {
      dialog.showModal();
      // What is to be filled in comes before the button that closes.
      dialog.querySelector<HTMLElement>("input:not([readonly])")?.focus();
    }
    if (!open && dialog.open) dialog.close();
  }, [open]);

  return (
    <dialog
      ref={ref}
      aria-labelledby={titleId}
      onCancel={(event) => {
        event.preventDefault();
        if (!must) onClose();
      }}
      onClick={(event) => {
        if (!must && event.target === ref.current) onClose();
      }}
      className="m-auto w-[min(30rem,calc(100vw-2rem))] rounded-2xl border border-line bg-raised p-0 text-ink shadow-float open:animate-rise"
    >
      {open && (
        <div className="p-6">
          <div className="mb-4 flex items-start justify-between gap-4">
            <h2 id={titleId} className="text-lg font-semibold tracking-tight">
              {title}
            </h2>
            {!must && (
              <IconButton label={t.close} onClick={onClose} className="-mt-2 -mr-2">
                <X />
              </IconButton>
            )}
          </div>
          {children}
        </div>
      )}
    </dialog>
  );
}
