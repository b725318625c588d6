import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { CircleCheckBig } from "lucide-react";
import { useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { EmptyState, ErrorState } from "@/components/States";
import type { FailureGroup } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { ActionDialog, type Ask } from "./ActionDialog";
import { messages } from "./messages";
import { Chain, Facts, listClass, Loading, Pill, rowClass } from "./parts";
import { failuresQuery } from "./queries";

/** What has failed, by kind, with the newest of each as the example: its reason is read here and mended from here. */
export function Failures() {
  const t = messages.use();
  const { api } = useServices();
  const query = useQuery(failuresQuery(api));
  const [ask, setAsk] = useState<Ask | null>(null);
  if (!query.data) return query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  const retry = ({ code, count }: FailureGroup) =>
    setAsk({
      title: t.retryAllTitle(code),
      text: t.retryAllText(count),
      action: t.retryAll,
      run: async () => {
        const done = await api.json<{ retried: number; skipped: number; more: boolean }>(`/admin/failures/${encodeURIComponent(code)}/retry`, { method: "POST" });
        return [t.retriedMany(done.retried, done.skipped), done.more ? t.retriedMore : ""].filter(Boolean).join(". ");
      },
    });
  return (
    <>
      {query.data.length === 0 ? (
        <EmptyState icon={<CircleCheckBig />} title={t.noFailures}>
          {t.noFailuresMore}
        </EmptyState>
      ) : (
        <ul aria-label={t.tabs.failures} className={listClass}>
          {query.data.map((failure) => (
            <li key={failure.code} data-failure={failure.code} data-count={failure.count} className={rowClass}>
              <Failure failure={failure} onRetry={() => retry(failure)} />
            </li>
          ))}
        </ul>
      )}
      <ActionDialog ask={ask} onClose={() => setAsk(null)} />
    </>
  );
}

function Failure({ failure, onRetry }: { failure: FailureGroup; onRetry: () => void }) {
  const t = messages.use();
  const lang = useLanguage();
  const words = common.use();
  const named: Record<string, string> = words.stages;
  return (
    <>
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2">
        <h3 className="min-w-0 font-mono text-sm font-semibold [overflow-wrap:anywhere]">{failure.code}</h3>
        <Pill state="failed">{t.occurred(failure.count)}</Pill>
        <div className="flex flex-wrap gap-2 sm:ml-auto">
          {failure.job_id !== null && (
            <>
              <Link to="/operator/jobs" search={{ code: failure.code, state: "failed" }} className={buttonClass("plain", "sm")}>
                {t.allOfKind}
              </Link>
              <Link to="/operator/jobs/$jobId" params={{ jobId: failure.job_id }} className={buttonClass("plain", "sm")}>
                {t.example}
              </Link>
            </>
          )}
          <Button size="sm" onClick={onRetry} className="max-sm:order-first">
            {t.retryAll}
          </Button>
        </div>
      </div>
      <p className="text-sm [overflow-wrap:anywhere]">{failure.message}</p>
      <Facts
        of={[
          [t.stage, failure.places.map((place) => named[place] ?? place).join(", ")],
          failure.last_at === null ? null : [t.lastAt, formatDate(failure.last_at, lang)],
          failure.first_at === null || failure.count === 1 ? null : [t.firstAt, formatDate(failure.first_at, lang)],
        ]}
      />
      <Chain text={failure.chain} />
    </>
  );
}
