import { RotateCw } from "lucide-react";
import type { ReactNode } from "react";
import { sentence } from "@/lib/api/errors";
import { common } from "@/lib/i18n/common";
import { Button } from "./Button";
import { cx } from "./cx";

/** Nothing here yet: what it means and what to do next. */
export function EmptyState({ icon, title, children, action }: { icon: ReactNode; title: string; children?: ReactNode; action?: ReactNode }) {
  return (
    <div className="mx-auto grid max-w-md animate-rise justify-items-center gap-3 px-4 py-16 text-center sm:py-24">
      <div className="mb-2 grid size-16 place-items-center rounded-2xl bg-accent-wash text-accent [&_svg]:size-7" aria-hidden="true">
        {icon}
      </div>
      <h2 className="text-lg font-semibold tracking-tight text-balance">{title}</h2>
      {children && <div className="text-[15px] leading-relaxed text-pretty text-ink-soft">{children}</div>}
      {action && <div className="mt-3 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}

export function ErrorState({ error, retry, title }: { error: unknown; retry?: () => void; title?: string }) {
  const t = common.use();
  return (
    <div role="alert" className="mx-auto grid max-w-md justify-items-center gap-4 px-4 py-16 text-center">
      {title && <h2 className="text-lg font-semibold tracking-tight">{title}</h2>}
      <p className="text-[15px] leading-relaxed text-ink-soft [overflow-wrap:anywhere]">{sentence(error)}</p>
      {retry && (
        <Button onClick={retry}>
          <RotateCw aria-hidden="true" />
          {t.retry}
        </Button>
      )}
    </div>
  );
}

export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden="true" className={cx("animate-breathe rounded-xl bg-sunken", className)} />;
}

/** Says that something is on its way to people who do not see the skeleton. */
export function LoadingLabel() {
  const t = common.use();
  return (
    <span role="status" className="sr-only">
      {t.loading}
    </span>
  );
}
