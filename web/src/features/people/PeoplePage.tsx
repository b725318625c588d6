import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { UserRound, UserRoundPlus, UsersRound } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { keys, peopleQuery } from "@/lib/api/queries";
import type { Person } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { Face } from "./Face";
import { messages } from "./messages";
import { More } from "./More";
import { PersonForm } from "./PersonForm";

const gridClass = "grid grid-cols-[repeat(auto-fill,minmax(min(46%,9.5rem),1fr))] gap-x-5 gap-y-7";

export function PeoplePage() {
  const t = messages.use();
  useTitle(t.title);
  const { api, config } = useServices();
  const [adding, setAdding] = useState(false);
  const named = useInfiniteQuery({ ...peopleQuery(api, "named"), enabled: config.features.faces });
  const unknown = useInfiniteQuery({ ...peopleQuery(api, "unknown"), enabled: config.features.faces });
  const people = named.data?.pages.flatMap((page) => page.items) ?? [];
  const strangers = unknown.data?.pages.flatMap((page) => page.items) ?? [];

  if (!config.features.faces) return <EmptyState icon={<UsersRound />} title={t.title}>{t.off}</EmptyState>;
  return (
    <div className="mx-auto w-full max-w-7xl px-4 py-8 sm:px-6">
      <div className="mb-6 flex flex-wrap items-center justify-between gap-4">
        <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
        {people.length + strangers.length > 0 && (
          <Button tone="primary" onClick={() => setAdding(true)}>
            <UserRoundPlus aria-hidden="true" />
            {t.add}
          </Button>
        )}
      </div>
      {named.error && !named.data ? (
        <ErrorState error={named.error} retry={() => void named.refetch()} />
      ) : named.isPending ? (
        <div className={gridClass}>
          <LoadingLabel />
          {Array.from({ length: 6 }, (_, index) => (
            <Skeleton key={index} className="aspect-square rounded-full" />
          ))}
        </div>
      ) : people.length === 0 && strangers.length > 0 ? (
        // The faces below are where to begin; no need to fill the page with what is not there.
        <p className="max-w-prose text-[15px] text-ink-soft">
          {t.emptyTitle}. {t.empty}
        </p>
      ) : people.length === 0 ? (
        <EmptyState
          icon={<UserRound />}
          title={t.emptyTitle}
          action={
            <Button tone="primary" onClick={() => setAdding(true)}>
              <UserRoundPlus aria-hidden="true" />
              {t.add}
            </Button>
          }
        >
          {t.empty}
        </EmptyState>
      ) : (
        <People people={people} />
      )}
      <More query={named} />
      {(strangers.length > 0 || (unknown.error && !unknown.data)) && (
        <section aria-labelledby="unknown" className="mt-12">
          <h2 id="unknown" className="text-lg font-semibold tracking-tight">
            {t.unknownTitle}
          </h2>
          <p className="mt-1 mb-6 max-w-prose text-[15px] text-ink-soft">{t.unknownHint}</p>
          {strangers.length > 0 ? <People people={strangers} /> : <ErrorState error={unknown.error} retry={() => void unknown.refetch()} />}
          <More query={unknown} />
        </section>
      )}
      <Dialog open={adding} onClose={() => setAdding(false)} title={t.add}>
        <PersonForm person={null} onDone={() => setAdding(false)} />
      </Dialog>
    </div>
  );
}

function People({ people }: { people: Person[] }) {
  const t = messages.use();
  const client = useQueryClient();
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.people }));
  return (
    <ul className={gridClass}>
      {people.map((person) => (
        <li key={person.person_id} data-person={person.person_id}>
          <Link to="/people/$personId" params={{ personId: person.person_id }} className="group grid justify-items-center gap-3 rounded-2xl text-center focus-visible:outline-offset-4">
            <Face
              url={person.cover_url}
              className="aspect-square w-full max-w-40 shadow-card"
              imageClassName="transition-transform duration-300 group-hover:scale-[1.04]"
              onExpired={onExpired}
            />
            <span className="grid min-w-0">
              <span className="truncate text-[15px] font-medium group-hover:text-accent">{person.display_name ?? t.noName}</span>
              <span className="text-[13px] text-ink-faint">{person.state === "enrolling" ? t.missing(person.photos_missing) : t.scenes(person.scenes)}</span>
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}
