import type { ReactNode } from "react";
import { cx } from "@/components/cx";

/** One subject of the profile. `id` is where the list of subjects leads. */
export function Card({ id, title, lead, tone = "plain", children }: { id: string; title: string; lead?: ReactNode; tone?: "plain" | "danger"; children: ReactNode }) {
  return (
    <section id={id} aria-labelledby={`${id}-title`} className={cx("scroll-mt-20 rounded-2xl border bg-surface p-5 shadow-card sm:p-6", tone === "danger" ? "border-bad/40" : "border-line")}>
      <h2 id={`${id}-title`} className="text-[15px] font-semibold">
        {title}
      </h2>
      {lead && <p className="mt-1 text-sm leading-relaxed text-pretty text-ink-soft">{lead}</p>}
      <div className="mt-4">{children}</div>
    </section>
  );
}
