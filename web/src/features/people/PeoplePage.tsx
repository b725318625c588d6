import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { UserRound, UserRoundPlus, UsersRound } from "lucide-react";
import { useState } from "react";
import { Button } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { SignedImage } from "@/components/SignedImage";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { peopleQuery } from "@/lib/api/queries";
import type { Person } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { useTitle } from "@/lib/title";
import { messages } from "./messages";
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
  const error = named.error ?? unknown.error;

  if (!config.features.faces) return <EmptyState icon={<UsersRound />} title={t.title}>{t.off}</EmptyState>;
  return (
    <div className="mx-auto w-full max-w-7xl px-4 py-8 sm:px-6">
      <div className="mb-6 flex flex-wrap items-center justify-between gap-4">
        <h1 className="text-2xl font-semibold tracking-tight">{t.title}</h1>
        {people.length > 0 && (
          <Button tone="primary" onClick={() => setAdding(true)}>
            <UserRoundPlus aria-hidden="true" />
            {t.add}
          </Button>
        )}
      </div>
      {error && people.length === 0 ? (
        <ErrorState error={error} retry={() => void Promise.all([named.refetch(), unknown.refetch()])} />
      ) : named.isPending ? (
        <div className={gridClass}>
          <LoadingLabel />
          {Array.from({ length: 6 }, (_, index) => (
            <Skeleton key={index} className="aspect-square rounded-full" />
          ))}
        </div>
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
        <People people={people} more={named.hasNextPage ? () => void named.fetchNextPage() : null} busy={named.isFetchingNextPage} />
      )}
      {strangers.length > 0 && (
        <section aria-labelledby="unknown" className="mt-12">
          <h2 id="unknown" className="text-lg font-semibold tracking-tight">
            {t.unknownTitle}
          </h2>
          <p className="mt-1 mb-6 max-w-prose text-[15px] text-ink-soft">{t.unknownHint}</p>
          <People people={strangers} more={unknown.hasNextPage ? () => void unknown.fetchNextPage() : null} busy={unknown.isFetchingNextPage} />
        </section>
      )}
      <Dialog open={adding} onClose={() => setAdding(false)} title={t.add}>
        <PersonForm person={null} onDone={() => setAdding(false)} />
      </Dialog>
    </div>
  );
}

function People({ people, more, busy }: { people: Person[]; more: (() => void) | null; busy: boolean }) {
  const t = messages.use();
  return (
    <>
      <ul className={gridClass}>
        {people.map((person) => (
          <li key={person.person_id} data-person={person.person_id}>
            <Link to="/people/$personId" params={{ personId: person.person_id }} className="group grid justify-items-center gap-3 rounded-2xl text-center focus-visible:outline-offset-4">
              <span className="grid aspect-square w-full max-w-40 place-items-center overflow-hidden rounded-full border border-line bg-sunken text-line-strong shadow-card">
                {person.cover_url ? (
                  <SignedImage src={person.cover_url} alt="" className="size-full object-cover transition-transform duration-300 group-hover:scale-[1.04]" />
                ) : (
                  <UserRound className="size-10" strokeWidth={1.5} aria-hidden="true" />
                )}
              </span>
              <span className="grid min-w-0">
                <span className="truncate text-[15px] font-medium group-hover:text-accent">{person.display_name ?? t.noName}</span>
                <span className="text-[13px] text-ink-faint">{person.state === "enrolling" ? t.missing(person.photos_missing) : t.scenes(person.scenes)}</span>
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {more && (
        <div className="mt-8 grid place-items-center">
          <Button busy={busy} onClick={more}>
            {t.more}
          </Button>
        </div>
      )}
    </>
  );
}
