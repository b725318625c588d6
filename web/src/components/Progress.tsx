import { cx } from "./cx";

/** `percent` 0–100. */
export function ProgressBar({ percent, label, tone = "accent", className }: { percent: number; label: string; tone?: "accent" | "good" | "bad" | "rest"; className?: string }) {
  const value = Math.max(0, Math.min(100, percent));
  const fill = { accent: "bg-accent", good: "bg-good", bad: "bg-bad", rest: "bg-line-strong" }[tone];
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={Math.round(value)}
      aria-valuemin={0}
      aria-valuemax={100}
      className={cx("h-1.5 overflow-hidden rounded-full bg-sunken", className)}
    >
      <div className={cx("h-full rounded-full transition-[width] duration-300", fill)} style={{ width: `${value}%` }} />
    </div>
  );
}
