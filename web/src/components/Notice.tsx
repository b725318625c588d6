import { CircleAlert, CircleCheck, Info, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { cx } from "./cx";

const tones = {
  info: { box: "bg-accent-wash text-ink", icon: <Info className="text-accent" /> },
  good: { box: "bg-good-wash text-ink", icon: <CircleCheck className="text-good" /> },
  warn: { box: "bg-warn-wash text-ink", icon: <TriangleAlert className="text-warn" /> },
  bad: { box: "bg-bad-wash text-ink", icon: <CircleAlert className="text-bad" /> },
};

export function Notice({ tone, children, action, className }: { tone: keyof typeof tones; children: ReactNode; action?: ReactNode; className?: string }) {
  return (
    <div
      role={tone === "bad" ? "alert" : "status"}
      className={cx("flex flex-wrap items-start gap-x-3 gap-y-2 rounded-xl px-4 py-3 text-sm leading-relaxed", tones[tone].box, className)}
    >
      <span className="mt-0.5 [&_svg]:size-[18px]" aria-hidden="true">
        {tones[tone].icon}
      </span>
      <div className="min-w-0 flex-1 basis-52 [overflow-wrap:anywhere]">{children}</div>
      {action}
    </div>
  );
}
