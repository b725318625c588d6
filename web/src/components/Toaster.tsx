import { X } from "lucide-react";
import { common } from "@/lib/i18n/common";
import { dismissToast, useToasts } from "@/lib/toast";
import { cx } from "./cx";

export function Toaster() {
  const toasts = useToasts();
  const t = common.use();
  return (
    <div role="status" aria-live="polite" className="pointer-events-none fixed inset-x-0 bottom-20 z-50 grid justify-items-center gap-2 px-4 sm:bottom-6">
      {toasts.map((toast) => (
        <div
          key={toast.id}
          className={cx(
            "pointer-events-auto flex max-w-md animate-rise items-center gap-3 rounded-xl border border-line bg-raised py-2 pr-2 pl-4 text-sm text-ink shadow-float",
          )}
        >
          <span aria-hidden="true" className={cx("size-2 shrink-0 rounded-full", { plain: "bg-accent", good: "bg-good", bad: "bg-bad" }[toast.tone])} />
          <span className="min-w-0 [overflow-wrap:anywhere]">{toast.text}</span>
          {toast.action && (
            <button
              type="button"
              className="shrink-0 rounded-lg px-2.5 py-1.5 font-semibold text-accent hover:bg-accent-wash"
              onClick={() => {
                toast.action?.run();
                dismissToast(toast.id);
              }}
            >
              {toast.action.label}
            </button>
          )}
          <button type="button" aria-label={t.close} className="grid size-8 shrink-0 place-items-center rounded-lg text-ink-faint hover:bg-sunken" onClick={() => dismissToast(toast.id)}>
            <X className="size-4" />
          </button>
        </div>
      ))}
    </div>
  );
}
