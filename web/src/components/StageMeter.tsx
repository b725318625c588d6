import { common } from "@/lib/i18n/common";
import { STAGES, type Job, type Progress } from "@/lib/api/types";
import { cx } from "./cx";

type StageLike = Pick<Job, "stage" | "state" | "progress">;

/** Twelve little bars, one for each stage. Without the jobs themselves it is drawn from their sum. */
export function StageMeter({ jobs, progress, className }: { jobs?: StageLike[] | undefined; progress: Progress | null; className?: string }) {
  const t = common.use();
  const active = new Set(progress?.active_stages ?? []);
  let left = progress?.stages_done ?? 0;
  const stages: StageLike[] = STAGES.map((stage) => {
    const job = jobs?.find((candidate) => candidate.stage === stage);
    if (job) return job;
    if (active.has(stage)) return { stage, state: "running", progress: 50 };
    return { stage, state: left-- > 0 ? "completed" : "pending", progress: 0 };
  });
  const done = stages.filter((stage) => stage.state === "completed").length;
  const running = stages.filter((stage) => stage.state === "running").map((stage) => t.stages[stage.stage]);
  return (
    <div
      role="progressbar"
      aria-label={t.stageSummary(done, stages.length)}
      aria-valuemin={0}
      aria-valuemax={stages.length}
      aria-valuenow={done}
      aria-valuetext={running.length > 0 ? running.join(", ") : t.stageSummary(done, stages.length)}
      className={cx("flex h-1.5 gap-[3px]", className)}
    >
      {stages.map(({ stage, state, progress: percent }) => (
        <span key={stage} title={t.stages[stage]} className="relative min-w-0 flex-1 overflow-hidden rounded-full bg-line">
          <span
            className={cx(
              "absolute inset-y-0 left-0 rounded-full transition-[width] duration-500",
              state === "failed" ? "bg-bad" : state === "running" ? "animate-breathe bg-accent-bright" : "bg-accent",
            )}
            style={{ width: state === "pending" || state === "cancelled" ? "0%" : state === "running" ? `${Math.max(22, percent)}%` : "100%" }}
          />
        </span>
      ))}
    </div>
  );
}
