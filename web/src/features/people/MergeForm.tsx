import { useQuery } from "@tanstack/react-query";
import { ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { everybodyQuery } from "@/lib/api/queries";
import type { Person } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { JoinForm } from "./JoinForm";
import { messages } from "./messages";
import { joinable } from "./namesakes";

/** Chooses among those who have a name whom this person is the same as. */
export function MergeForm({ person, onDone }: { person: Person; onDone: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const query = useQuery(everybodyQuery(api));
  const people = joinable(query.data ?? [], person);
  if (query.error && !query.data) return <ErrorState error={query.error} retry={() => void query.refetch()} />;
  if (query.isPending) {
    return (
      <div>
        <LoadingLabel />
        <Skeleton className="h-40" />
      </div>
    );
  }
  if (people.length === 0) return <p className="text-[15px] leading-relaxed text-ink-soft">{t.mergeNobody}</p>;
  return <JoinForm person={person} people={people} question={t.mergeWho} yes={t.mergeDo} no={words.cancel} onNo={onDone} onDone={onDone} />;
}
