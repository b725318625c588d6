import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useParams } from "@tanstack/react-router";
import { ArrowLeft, Merge, Pencil, Trash2, UserRoundX } from "lucide-react";
import { useEffect, useRef, useState } from "react";
import { Button, buttonClass } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Notice } from "@/components/Notice";
import { ProgressBar } from "@/components/Progress";
import { EmptyState, ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { ApiError } from "@/lib/api/errors";
import { keys, lookingQuery, personQuery } from "@/lib/api/queries";
import type { PersonWithPhotos } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate } from "@/lib/time";
import { useTitle } from "@/lib/title";
import { DeleteForm } from "./DeleteForm";
import { Face } from "./Face";
import { MergeForm } from "./MergeForm";
import { messages } from "./messages";
import { PersonForm } from "./PersonForm";
import { Photos } from "./Photos";
import { SeenIn } from "./SeenIn";

export function PersonPage() {
  const t = messages.use();
  const { personId } = useParams({ strict: false }) as { personId: string };
  const { api } = useServices();
  const query = useQuery(personQuery(api, personId));
  useTitle(query.data?.display_name ?? t.title);

  // Also of somebody who was here: a face without a name is gone with its last scene.
  if (query.error instanceof ApiError && query.error.status === 404) return <Gone />;
  return (
    <div className="mx-auto grid w-full max-w-5xl gap-10 px-4 py-8 sm:px-6">
      <Link to="/people" className="inline-flex items-center gap-2 justify-self-start rounded-lg text-sm text-ink-soft hover:text-ink [&_svg]:size-4">
        <ArrowLeft aria-hidden="true" />
        {t.back}
      </Link>
      {query.data ? (
        <Loaded key={personId} person={query.data} />
      ) : query.error ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : (
        <div>
          <LoadingLabel />
          <Skeleton className="size-28 rounded-full" />
        </div>
      )}
    </div>
  );
}

function Gone() {
  const t = messages.use();
  const link = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (document.activeElement === document.body) link.current?.focus();
  }, []);
  return (
    <EmptyState
      icon={<UserRoundX />}
      title={t.gone}
      action={
        <Link ref={link} to="/people" className={buttonClass("primary")}>
          {t.back}
        </Link>
      }
    >
      {t.goneMore}
    </EmptyState>
  );
}

function Loaded({ person }: { person: PersonWithPhotos }) {
  const t = messages.use();
  const lang = useLanguage();
  const client = useQueryClient();
  const [dialog, setDialog] = useState<"name" | "merge" | "delete" | null>(null);
  const close = () => setDialog(null);
  const id = person.person_id;
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.person(id) }));
  return (
    <>
      <header className="flex flex-wrap items-center gap-6">
        <Face url={person.cover_url} className="size-28 shadow-card" onExpired={onExpired} />
        <div className="grid min-w-0 flex-1 basis-60 gap-1.5">
          <h1 className="text-2xl font-semibold tracking-tight [overflow-wrap:anywhere]">{person.display_name ?? t.noName}</h1>
          {person.scenes > 0 && <p className="text-[15px] text-ink-soft">{t.scenes(person.scenes)}</p>}
          {person.consent && <p className="text-[13px] text-ink-faint [overflow-wrap:anywhere]">{t.consentGiven(formatDate(person.consent.at, lang), person.consent.note)}</p>}
          <Looking personId={id} />
        </div>
        <div className="flex flex-wrap gap-2">
          <Button tone={person.display_name ? "plain" : "primary"} onClick={() => setDialog("name")}>
            <Pencil aria-hidden="true" />
            {person.display_name ? t.rename : t.giveName}
          </Button>
          <Button onClick={() => setDialog("merge")}>
            <Merge aria-hidden="true" />
            {t.merge}
          </Button>
          <Button tone="danger" onClick={() => setDialog("delete")}>
            <Trash2 aria-hidden="true" />
            {t.deletePerson}
          </Button>
        </div>
      </header>
      {person.state === "enrolling" && <Notice tone="info">{t.missing(person.photos_missing)}</Notice>}
      {person.display_name && person.consent && <Photos personId={id} photos={person.photos} />}
      <SeenIn personId={id} />
      <Dialog open={dialog === "name"} onClose={close} title={person.display_name ? t.rename : t.giveName}>
        <PersonForm person={person} onDone={close} />
      </Dialog>
      <Dialog open={dialog === "merge"} onClose={close} title={t.mergeTitle}>
        <MergeForm person={person} onDone={close} />
      </Dialog>
      <Dialog open={dialog === "delete"} onClose={close} title={t.deletePerson}>
        <DeleteForm personId={id} onClose={close} />
      </Dialog>
    </>
  );
}

/** Whether the library is being looked through for them, as live events tell. */
function Looking({ personId }: { personId: string }) {
  const t = messages.use();
  const percent = useQuery(lookingQuery(personId)).data ?? null;
  return (
    <div role="status" className="grid max-w-64 gap-1.5 text-[13px] text-ink-soft">
      {percent !== null && (
        <>
          <p>{t.looking}</p>
          <ProgressBar percent={percent} label={t.looking} />
        </>
      )}
    </div>
  );
}
