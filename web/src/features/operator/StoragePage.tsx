import { useInfiniteQuery } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { ErrorState } from "@/components/States";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatBytes } from "@/lib/time";
import { messages } from "./messages";
import { Facts, listClass, Loading, Panel, rowClass } from "./parts";
import { storageQuery } from "./queries";

/** What everything takes, by kind, by table and by owner. */
export function StoragePage() {
  const t = messages.use();
  const lang = useLanguage();
  const { api } = useServices();
  const query = useInfiniteQuery(storageQuery(api));
  const newest = query.data?.pages[0];
  if (!newest) return query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : <Loading />;
  const totals: [string, number][] = [
    [t.originals, newest.original_bytes],
    [t.uploading, newest.uploading_bytes],
    [t.deleted, newest.deleted_bytes],
    [t.database, newest.database_bytes],
  ];
  return (
    <div className="grid gap-8">
      <Panel title={t.tabs.storage}>
        <dl className="grid grid-cols-2 gap-3 lg:grid-cols-4">
          {totals.map(([name, bytes]) => (
            <div key={name} className="flex flex-col justify-between gap-1 rounded-xl border border-line bg-surface p-4">
              <dt className="text-[13px] text-ink-soft">{name}</dt>
              <dd className="nums text-lg font-semibold">{formatBytes(bytes, lang)}</dd>
            </div>
          ))}
        </dl>
        <p className="text-[13px] text-ink-faint">{t.derived}</p>
      </Panel>
      <div className="grid items-start gap-8 lg:grid-cols-2">
        <Panel title={t.owners}>
          <ul aria-label={t.owners} className={listClass}>
            {query.data?.pages
              .flatMap((page) => page.owners)
              .map((owner) => (
                <li key={owner.user_id} className={rowClass}>
                  <h3 className="text-sm font-medium [overflow-wrap:anywhere]">{owner.email ?? owner.user_id}</h3>
                  <Facts
                    of={[
                      [t.originals, formatBytes(owner.original_bytes, lang)],
                      [t.videos, owner.video_count],
                      owner.deleted_bytes === 0 ? null : [t.deleted, formatBytes(owner.deleted_bytes, lang)],
                    ]}
                  />
                </li>
              ))}
          </ul>
          {query.hasNextPage && (
            <Button className="justify-self-center" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
              {t.more}
            </Button>
          )}
        </Panel>
        <Panel title={t.tables}>
          <ul aria-label={t.tables} className={listClass}>
            {newest.tables.map((table) => (
              <li key={table.name} className="flex justify-between gap-4 border-b border-line px-4 py-2 text-[13px] last:border-b-0">
                <code className="min-w-0 [overflow-wrap:anywhere]">{table.name}</code>
                <span className="nums shrink-0 font-medium">{formatBytes(table.bytes, lang)}</span>
              </li>
            ))}
          </ul>
        </Panel>
      </div>
    </div>
  );
}
