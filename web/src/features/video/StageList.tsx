import { Ban, Check, CircleAlert, Circle } from "lucide-react";
import { cx } from "@/components/cx";
import { Spinner } from "@/components/Spinner";
import { STAGES, type Job } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { messages } from "./messages";

/** The twelve stages in order, each with its state in sign and word. */
export function StageList({ jobs }: { jobs: Job[] }) {
  const t = messages.use();
  const words = common.use();
  return (
    <ol className="grid gap-x-8 sm:grid-cols-2" data-testid="stages">
      {STAGES.map((stage) => {
        const job = jobs.find((candidate) => candidate.stage === stage);
        const state = job?.state ?? "pending";
        const note = job?.note ? (t.notes[job.note] ?? job.note) : null;
        return (
          <li key={stage} data-stage={stage} data-state={state} className="flex min-h-10 items-start gap-3 border-b border-line py-2 last:border-b-0 sm:[&:nth-last-child(2)]:border-b-0">
            <span
              aria-hidden="true"
              className={cx(
                "mt-0.5 grid size-5 shrink-0 place-items-center [&_svg]:size-4",
                { pending: "text-line-strong", running: "text-accent", completed: "text-good", failed: "text-bad", cancelled: "text-ink-faint" }[state],
              )}
            >
              {{ pending: <Circle />, running: <Spinner />, completed: <Check strokeWidth={3} />, failed: <CircleAlert />, cancelled: <Ban /> }[state]}
            </span>
            <span className="min-w-0 flex-1 text-sm">
              <span className={state === "pending" ? "text-ink-soft" : "text-ink"}>{words.stages[stage]}</span>
              {note && <span className="block text-[13px] text-ink-faint">{note}</span>}
              {job?.error && <span className="block text-[13px] text-bad [overflow-wrap:anywhere]">{job.error.message || job.error.code}</span>}
              {job && job.attempts > 1 && <span className="block text-[13px] text-ink-faint">{t.attempts(job.attempts, job.max_attempts)}</span>}
            </span>
            <span className="nums shrink-0 text-[13px] text-ink-faint">{state === "running" ? `${Math.round(job?.progress ?? 0)} %` : words.jobStates[state]}</span>
          </li>
        );
      })}
    </ol>
  );
}
