import { useQuery } from "@tanstack/react-query";
import { Notice } from "@/components/Notice";
import { ErrorState } from "@/components/States";
import type { TaskQueue } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatSpan } from "./ages";
import { Failures } from "./Failures";
import { messages } from "./messages";
import { Facts, listClass, Loading, Panel, rowClass } from "./parts";
import { queuesQuery, workersQuery } from "./queries";
import { StageGraph } from "./StageGraph";
import { useNow } from "./use-now";

/** All of it at a glance: the graph, what fails, and the work that is no stage. */
export function OverviewPage() {
  const t = messages.use();
  const { api } = useServices();
  const queues = useQuery(queuesQuery(api));
  const workers = useQuery(workersQuery(api));
  const now = useNow();
  if (!queues.data) return queues.error ? <ErrorState error={queues.error} retry={() => void queues.refetch()} /> : <Loading />;
  const { stages, tasks } = queues.data;
  const paused = stages.filter((stage) => stage.paused).length;
  return (
    <div className="grid gap-8">
      {workers.data && !workers.data.some((worker) => worker.alive) && <Notice tone="warn">{t.nobodyWorks}</Notice>}
      <Panel title={t.graph} action={
          <p className="flex flex-wrap gap-x-4 text-[13px] text-ink-faint">
            {paused > 0 && <span className="text-warn">{t.pausedSome(paused)}</span>}
            {t.figures}
          </p>
        }>
        <StageGraph stages={stages} now={now} />
      </Panel>
      <Panel title={t.tabs.failures}>
        <Failures />
      </Panel>
      {tasks.length > 0 && (
        <Panel title={t.otherWork}>
          <ul aria-label={t.otherWork} className={listClass}>
            {tasks.map((task) => (
              <li key={task.kind} className={rowClass}>
                <Task task={task} now={now} />
              </li>
            ))}
          </ul>
        </Panel>
      )}
    </div>
  );
}

function Task({ task, now }: { task: TaskQueue; now: number }) {
  const t = messages.use();
  const lang = useLanguage();
  return (
    <div className="flex flex-wrap items-baseline justify-between gap-x-6 gap-y-1">
      <h3 className="font-mono text-[13px] font-medium">{task.kind}</h3>
      <Facts
        of={[
          [t.running, task.running],
          [t.waiting, task.waiting],
          [t.scheduled, task.scheduled],
          [t.failed, task.failed],
          [t.throughput, `${task.done_1m} · ${task.done_5m} · ${task.done_60m}`],
          task.oldest_waiting_at === null ? null : [t.oldest, formatSpan(task.oldest_waiting_at, now, lang)],
        ]}
      />
    </div>
  );
}
