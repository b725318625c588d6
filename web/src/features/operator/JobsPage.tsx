import { useInfiniteQuery } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { STAGES, type AdminJob, type JobState } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { Filters, sent } from "./Filters";
import { messages } from "./messages";
import { Facts, Paged, Panel, Pill } from "./parts";
import { jobsQuery } from "./queries";
import { useFilter } from "./use-filter";

const STATES: readonly JobState[] = ["pending", "running", "completed", "failed", "cancelled"];

/** Stages of everybody's videos, filtered by what stands in the address. */
export function JobsPage() {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const navigate = useNavigate();
  const filter = useFilter();
  const query = useInfiniteQuery(jobsQuery(api, sent(filter)));
  return (
    <Panel title={t.tabs.jobs}>
      <Filters
        key={JSON.stringify(filter)}
        value={filter}
        onChange={(next) => void navigate({ to: "/operator/jobs", search: next })}
        fields={[
          { name: "state", label: t.state, options: STATES.map((state) => [state, words.jobStates[state]]) },
          { name: "stage", label: t.stage, options: STAGES.map((stage) => [stage, words.stages[stage]]) },
          { name: "code", label: t.code },
          { name: "video_id", label: t.video },
          { name: "owner_id", label: t.owner },
          { name: "worker", label: t.worker },
          { name: "since", label: t.since, type: "datetime-local" },
          { name: "until", label: t.until, type: "datetime-local" },
        ]}
      />
      <Paged query={query} label={t.tabs.jobs} keyOf={(job) => job.job_id} row={(job) => <JobRow job={job} />} />
    </Panel>
  );
}

function JobRow({ job }: { job: AdminJob }) {
  const t = messages.use();
  const words = common.use();
  const lang = useLanguage();
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="text-sm font-medium">
          <Link to="/operator/jobs/$jobId" params={{ jobId: job.job_id }} className="rounded hover:underline">
            {words.stages[job.stage]}
          </Link>
        </h3>
        <Pill state={job.state}>{words.jobStates[job.state]}</Pill>
        {job.error_code !== null && <code className="text-xs text-bad">{job.error_code}</code>}
        <span className="nums ml-auto text-[13px] text-ink-faint">{formatDate(job.finished_at ?? job.started_at ?? job.created_at, lang)}</span>
      </div>
      {job.error_message !== null && <p className="text-[13px] [overflow-wrap:anywhere] text-ink-soft">{job.error_message}</p>}
      <Facts
        of={[
          [t.owner, job.owner_email ?? job.owner_id],
          [t.video, <code key="video" className="text-xs">{job.video_id}</code>],
          [t.attempts, t.attemptOf(job.attempts, job.max_attempts)],
          job.worker === null ? null : [t.worker, job.worker],
        ]}
      />
    </>
  );
}
