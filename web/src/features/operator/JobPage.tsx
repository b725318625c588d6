import { useQuery } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { ProgressBar } from "@/components/Progress";
import { StageMeter } from "@/components/StageMeter";
import { ErrorState } from "@/components/States";
import type { AdminJob, AdminJobStory } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { ActionDialog, type Ask } from "./ActionDialog";
import { Attempts } from "./Attempts";
import { messages } from "./messages";
import { Chain, Facts, listClass, Loading, Panel, Pill, rowClass } from "./parts";
import { jobQuery } from "./queries";

/** One job's timeline: what was tried, by whom and how it ended, among the other stages of its run. */
export function JobPage() {
  const t = messages.use();
  const { jobId } = useParams({ strict: false }) as { jobId: string };
  const { api } = useServices();
  const query = useQuery(jobQuery(api, jobId));
  return (
    <div className="grid gap-6">
      <Link to="/operator/jobs" className="inline-flex items-center gap-2 justify-self-start rounded-lg text-sm text-ink-soft hover:text-ink [&_svg]:size-4">
        <ArrowLeft aria-hidden="true" />
        {t.backToJobs}
      </Link>
      {query.data ? <Story key={jobId} story={query.data} /> : query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <Loading />}
    </div>
  );
}

function Story({ story: { job, attempts, run } }: { story: AdminJobStory }) {
  const t = messages.use();
  const words = common.use();
  const lang = useLanguage();
  const [ask, setAsk] = useState<Ask | null>(null);
  const actions = useActions(job, setAsk);
  const active = run.some((other) => other.state === "pending" || other.state === "running");
  return (
    <>
      <header className="grid gap-3">
        <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
          <h2 className="text-lg font-semibold tracking-tight">{words.stages[job.stage]}</h2>
          <Pill state={job.state}>{words.jobStates[job.state]}</Pill>
          <div className="ml-auto flex flex-wrap gap-2">
            {active ? (
              <Button size="sm" tone="danger" onClick={actions.cancel}>
                {t.cancel}
              </Button>
            ) : (
              <>
                {job.state !== "completed" && (
                  <Button size="sm" tone="primary" onClick={actions.retry}>
                    {t.retry}
                  </Button>
                )}
                <Button size="sm" onClick={actions.retryFrom}>
                  {t.retryFrom}
                </Button>
              </>
            )}
          </div>
        </div>
        {job.state === "running" && <ProgressBar percent={job.progress} label={words.stages[job.stage]} />}
        {job.error_code !== null && (
          <Notice tone="bad">
            <strong className="font-mono text-[13px]">{job.error_code}</strong> {job.error_message}
          </Notice>
        )}
        <Chain text={job.error_chain} open />
        <Facts
          of={[
            [t.owner, job.owner_email ?? job.owner_id],
            [t.video, <Link key="video" to="/operator/videos" search={{ video_id: job.video_id }} className="rounded font-mono text-xs underline">{job.video_id}</Link>],
            [t.attempts, t.attemptOf(job.attempts, job.max_attempts)],
            [t.priority, job.priority],
            job.note === null ? null : [t.note, job.note],
            [t.made, formatDate(job.created_at, lang)],
            job.started_at === null ? null : [t.started, formatDate(job.started_at, lang)],
            job.finished_at === null ? null : [t.ended, formatDate(job.finished_at, lang)],
          ]}
        />
      </header>
      <Panel title={t.attempts}>
        <Attempts attempts={attempts} />
      </Panel>
      <Panel title={t.runOf}>
        <StageMeter jobs={run} progress={null} />
        <ol className={listClass}>
          {run.map((other) => (
            <li key={other.job_id} className={rowClass} aria-current={other.job_id === job.job_id ? "true" : undefined}>
              <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
                <Link to="/operator/jobs/$jobId" params={{ jobId: other.job_id }} className="rounded text-sm font-medium hover:underline">
                  {words.stages[other.stage]}
                </Link>
                <Pill state={other.state}>{words.jobStates[other.state]}</Pill>
                {other.note !== null && <span className="text-[13px] text-ink-faint">{other.note}</span>}
                {other.error_code !== null && <code className="text-xs text-bad">{other.error_code}</code>}
              </div>
            </li>
          ))}
        </ol>
      </Panel>
      <ActionDialog ask={ask} onClose={() => setAsk(null)} />
    </>
  );
}

/** What can be done to a job's run, each asked for first. */
function useActions(job: AdminJob, setAsk: (ask: Ask) => void) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const post = async (from_here: boolean) => {
    const { retried } = await api.json<{ retried: boolean }>(`/admin/jobs/${job.job_id}/retry`, { method: "POST", body: { from_here } });
    return retried ? t.retried : t.already;
  };
  return {
    retry: () => setAsk({ title: t.retryTitle, text: t.retryText, action: t.retry, run: () => post(false) }),
    retryFrom: () => setAsk({ title: t.retryFromTitle(words.stages[job.stage]), text: t.retryFromText, action: t.retryFrom, run: () => post(true) }),
    cancel: () =>
      setAsk({
        title: t.cancelTitle,
        text: t.cancelText,
        action: t.cancel,
        danger: true,
        run: async () => {
          await api.json(`/admin/jobs/${job.job_id}/cancel`, { method: "POST" });
          return t.cancelDone;
        },
      }),
  };
}
