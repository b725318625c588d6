import { useInfiniteQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import type { AuditLine } from "@/lib/api/types";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { changes } from "./changes";
import { Filters, sent } from "./Filters";
import { messages } from "./messages";
import { Facts, Paged, Panel } from "./parts";
import { auditQuery } from "./queries";
import { useFilter } from "./use-filter";

/** Everything that was done to accounts and by operators. */
export function AuditPage() {
  const t = messages.use();
  const { api } = useServices();
  const navigate = useNavigate();
  const filter = useFilter();
  const query = useInfiniteQuery(auditQuery(api, sent(filter)));
  return (
    <Panel title={t.tabs.audit}>
      <Filters
        key={JSON.stringify(filter)}
        value={filter}
        onChange={(next) => void navigate({ to: "/operator/audit", search: next })}
        fields={[
          { name: "action", label: t.what },
          { name: "actor_id", label: t.who },
          { name: "subject_id", label: t.whom },
          { name: "since", label: t.since, type: "datetime-local" },
          { name: "until", label: t.until, type: "datetime-local" },
        ]}
      />
      <Paged query={query} label={t.tabs.audit} keyOf={(line) => line.event_id} row={(line) => <Line line={line} />} />
    </Panel>
  );
}

function Line({ line }: { line: AuditLine }) {
  const t = messages.use();
  const lang = useLanguage();
  const kinds: Record<string, string> = t.actors;
  const at = new Intl.DateTimeFormat(lang, { dateStyle: "medium", timeStyle: "medium" }).format(new Date(line.at));
  return (
    <>
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h3 className="font-mono text-[13px] font-medium">{line.action}</h3>
        <span className="nums text-[13px] text-ink-faint sm:ml-auto">{at}</span>
      </div>
      <Facts
        of={[
          [t.who, line.actor_email ?? line.actor_id ?? kinds[line.actor_kind] ?? line.actor_kind],
          line.subject_id === null ? null : [t.whom, line.subject_email ?? line.subject_id],
          line.target === null ? null : [t.target, line.target],
          line.ip === null ? null : ["IP", line.ip],
        ]}
      />
      <Facts of={changes(line.before, line.after).map(([name, text]) => [name, <code key={name} className="text-xs">{text}</code>])} />
    </>
  );
}
