import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate, useParams } from "@tanstack/react-router";
import { ArrowLeft, Film, Pencil, Trash2, UserRound, UserRoundX } from "lucide-react";
import { useState } from "react";
import { Button, IconButton } from "@/components/Button";
import { Dialog } from "@/components/Dialog";
import { Notice } from "@/components/Notice";
import { SignedImage } from "@/components/SignedImage";
import { ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { keys, personQuery, personScenesQuery } from "@/lib/api/queries";
import type { PersonScene } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useLanguage } from "@/lib/i18n/i18n";
import { useServices } from "@/lib/services";
import { formatDate, formatTimecode } from "@/lib/time";
import { useTitle } from "@/lib/title";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";
import { PersonForm } from "./PersonForm";
import { Photos } from "./Photos";

export function PersonPage() {
  const t = messages.use();
  const words = common.use();
  const lang = useLanguage();
  const { personId } = useParams({ strict: false }) as { personId: string };
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [dialog, setDialog] = useState<"name" | "delete" | null>(null);
  const query = useQuery(personQuery(api, personId));
  const person = query.data;
  useTitle(person?.display_name ?? t.title);
  const remove = useMutation({
    mutationFn: () => api.json<undefined>(`/people/${personId}`, { method: "DELETE" }),
    onSuccess: async () => {
      showToast({ text: t.deleteDone, tone: "good" });
      await navigate({ to: "/people" });
      client.removeQueries({ queryKey: keys.person(personId) });
      void client.invalidateQueries({ queryKey: keys.people });
    },
  });

  return (
    <div className="mx-auto grid w-full max-w-5xl gap-10 px-4 py-8 sm:px-6">
      <Link to="/people" className="inline-flex items-center gap-2 justify-self-start rounded-lg text-sm text-ink-soft hover:text-ink [&_svg]:size-4">
        <ArrowLeft aria-hidden="true" />
        {t.back}
      </Link>
      {query.error && !person ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : !person ? (
        <div>
          <LoadingLabel />
          <Skeleton className="size-28 rounded-full" />
        </div>
      ) : (
        <>
          <header className="flex flex-wrap items-center gap-6">
            <span className="grid size-28 shrink-0 place-items-center overflow-hidden rounded-full border border-line bg-sunken text-line-strong shadow-card">
              {person.cover_url ? <SignedImage src={person.cover_url} alt="" className="size-full object-cover" onExpired={() => void query.refetch()} /> : <UserRound className="size-10" strokeWidth={1.5} aria-hidden="true" />}
            </span>
            <div className="grid min-w-0 flex-1 basis-60 gap-1.5">
              <h1 className="text-2xl font-semibold tracking-tight [overflow-wrap:anywhere]">{person.display_name ?? t.noName}</h1>
              <p className="text-[15px] text-ink-soft">{person.scenes > 0 ? t.scenes(person.scenes) : t.notSeen}</p>
              {person.consent && <p className="text-[13px] text-ink-faint [overflow-wrap:anywhere]">{t.consentGiven(formatDate(person.consent.at, lang), person.consent.note)}</p>}
            </div>
            <div className="flex flex-wrap gap-2">
              <Button tone={person.display_name ? "plain" : "primary"} onClick={() => setDialog("name")}>
                <Pencil aria-hidden="true" />
                {person.display_name ? t.rename : t.giveName}
              </Button>
              <Button tone="danger" onClick={() => setDialog("delete")}>
                <Trash2 aria-hidden="true" />
                {t.deletePerson}
              </Button>
            </div>
          </header>
          {person.state === "enrolling" && <Notice tone="info">{t.missing(person.photos_missing)}</Notice>}
          {person.display_name && person.consent && <Photos personId={personId} photos={person.photos} />}
          <SeenIn personId={personId} />
          <Dialog open={dialog === "name"} onClose={() => setDialog(null)} title={person.display_name ? t.rename : t.giveName}>
            <PersonForm person={person} onDone={() => setDialog(null)} />
          </Dialog>
          <Dialog open={dialog === "delete"} onClose={() => setDialog(null)} title={t.deletePerson}>
            <p className="text-[15px] leading-relaxed text-ink-soft">{t.deleteWarning}</p>
            <div className="mt-6 flex flex-wrap justify-end gap-2">
              <Button onClick={() => setDialog(null)}>{words.cancel}</Button>
              <Button tone="danger" busy={remove.isPending} onClick={() => remove.mutate()}>
                {t.deletePerson}
              </Button>
            </div>
          </Dialog>
        </>
      )}
    </div>
  );
}

function SeenIn({ personId }: { personId: string }) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const query = useInfiniteQuery(personScenesQuery(api, personId));
  const scenes = query.data?.pages.flatMap((page) => page.items) ?? [];
  const reject = useMutation({
    mutationFn: (scene: PersonScene) => api.json<undefined>(`/people/${personId}/reject`, { method: "POST", body: { scene_id: scene.scene_id } }),
    onSuccess: () => showToast({ text: t.notThemDone, tone: "good" }),
    onSettled: () => Promise.all([client.invalidateQueries({ queryKey: keys.person(personId) }), client.invalidateQueries({ queryKey: keys.people })]),
  });
  if (scenes.length === 0) return null;
  return (
    <section aria-labelledby="scenes">
      <h2 id="scenes" className="mb-4 text-lg font-semibold tracking-tight">
        {t.scenesTitle}
      </h2>
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,14rem),1fr))] gap-x-5 gap-y-7">
        {scenes.map((scene) => (
          <li key={scene.scene_id} data-scene={scene.scene_id}>
            <Link to="/videos/$videoId" params={{ videoId: scene.video_id }} search={{ t: scene.tracks[0]?.start_ms ?? scene.start_ms }} className="group block rounded-2xl focus-visible:outline-offset-4">
              <span className="relative grid aspect-video place-items-center overflow-hidden rounded-2xl border border-line bg-sunken text-line-strong shadow-card">
                {scene.thumbnail_url ? <SignedImage src={scene.thumbnail_url} alt="" className="size-full object-cover" /> : <Film className="size-7" strokeWidth={1.5} aria-hidden="true" />}
                <span className="nums absolute right-2 bottom-2 rounded-md bg-black/75 px-1.5 py-0.5 text-xs font-medium text-white">{formatTimecode(scene.start_ms)}</span>
              </span>
              <span className="mt-2 block truncate px-0.5 text-sm font-medium group-hover:text-accent">{scene.video_title}</span>
            </Link>
            <div className="flex items-center gap-2 px-0.5">
              <p className="line-clamp-1 min-w-0 flex-1 text-[13px] text-ink-faint">{scene.text}</p>
              <IconButton label={t.notThem} disabled={reject.isPending} onClick={() => reject.mutate(scene)} className="size-9">
                <UserRoundX />
              </IconButton>
            </div>
          </li>
        ))}
      </ul>
      {query.hasNextPage && (
        <div className="mt-8 grid place-items-center">
          <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
            {t.more}
          </Button>
        </div>
      )}
    </section>
  );
}
