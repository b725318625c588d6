import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { Server } from "lucide-react";
import { ProgressBar } from "@/components/Progress";
import { EmptyState, ErrorState } from "@/components/States";
import { STAGES, type Worker } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { formatSpan } from "./ages";
import { messages } from "./messages";
import { Facts, listClass, Loading, Panel, Pill, rowClass } from "./parts";
import { workersQuery } from "./queries";
import { useNow } from "./use-now";

/** Who is at work, and what at. */
export function WorkersPage() {
  const t = messages.use();
  const { api } = useServices();
  const query = useQuery(workersQuery(api));
  const now = useNow(1000);
  if (!query.data) return query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  if (query.data.length === 0) {
    return (
      <EmptyState icon={<Server />} title={t.noWorkers}>
        {t.noWorkersMore}
      </EmptyState>
    );
  }
  return (
    <Panel title={t.tabs.workers}>
      <ul aria-label={t.tabs.workers} className={listClass}>
        {query.data.map((worker) => (
          <li key={worker.name} data-worker={worker.name} className={rowClass}>
            <WorkerRow worker={worker} now={now} />
          </li>
        ))}
      </ul>
    </Panel>
  );
}

function WorkerRow({ worker, now }: { worker: Worker; now: number }) {
  const t = messages.use();
  const words = common.use();
  const lang = useLanguage();
  const named: Record<string, string> = words.stages;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
        <h3 className="min-w-0 text-sm font-medium [overflow-wrap:anywhere]">{worker.name}</h3>
        <Pill state={worker.alive ? "completed" : "lost"}>{worker.alive ? t.alive : t.lost}</Pill>
      </div>
      <Facts
        of={[
          [t.host, `${worker.host} · ${worker.pid}`],
          [t.version, worker.version],
          [t.started, formatDate(worker.started_at, lang)],
          [t.heartbeat, formatSpan(worker.heartbeat_at, now, lang)],
          [t.stage, worker.stages.length === STAGES.length ? t.everyStage : worker.stages.map((stage) => words.stages[stage]).join(", ")],
        ]}
      />
      {worker.doing.length === 0 ? (
        <p className="text-[13px] text-ink-faint">{t.idle}</p>
      ) : (
        <ul className="grid gap-2">
          {worker.doing.map((doing) => {
            const name = named[doing.name] ?? doing.name;
            return (
              <li key={doing.job_id ?? doing.task_id} className="grid items-center gap-x-4 gap-y-1 rounded-lg bg-sunken px-3 py-2 text-[13px] sm:grid-cols-[1fr_auto_8rem]">
                {doing.job_id === null ? (
                  <span className="font-medium">{name}</span>
                ) : (
                  <Link to="/operator/jobs/$jobId" params={{ jobId: doing.job_id }} className="justify-self-start rounded font-medium hover:underline">
                    {name}
                  </Link>
                )}
                <span className="nums text-ink-soft">
                  {t.attempt(doing.attempt)} · {formatSpan(doing.started_at, now, lang)}
                </span>
                <ProgressBar percent={doing.progress} label={name} className="bg-line" />
              </li>
            );
          })}
        </ul>
      )}
    </>
  );
}
