import type { AdminAttempt } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { formatDate } from "@/lib/time";
import { formatSpan } from "./ages";
import { messages } from "./messages";
import { Chain, Facts, listClass, Pill, rowClass } from "./parts";
import { useNow } from "./use-now";

/** Every try at a job, the newest first. */
export function Attempts({ attempts }: { attempts: AdminAttempt[] }) {
  const t = messages.use();
  const lang = useLanguage();
  const now = useNow();
  if (attempts.length === 0) return <p className="text-sm text-ink-soft">{t.noAttempts}</p>;
  return (
    <ol aria-label={t.attempts} className={listClass}>
      {attempts.map((attempt) => (
        <li key={attempt.attempt_id} data-attempt={attempt.number} className={rowClass}>
          <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
            <h3 className="text-sm font-medium">{t.attempt(attempt.number)}</h3>
            <Pill state={attempt.state}>{t.attemptStates[attempt.state]}</Pill>
            {attempt.error_code !== null && <code className="text-xs text-bad">{attempt.error_code}</code>}
          </div>
          {attempt.error_message !== null && <p className="text-[13px] [overflow-wrap:anywhere]">{attempt.error_message}</p>}
          <Facts
            of={[
              [t.worker, attempt.worker],
              [t.started, formatDate(attempt.started_at, lang)],
              [t.took, formatSpan(attempt.started_at, attempt.finished_at ?? now, lang)],
            ]}
          />
          <Chain text={attempt.error_chain} />
        </li>
      ))}
    </ol>
  );
}
