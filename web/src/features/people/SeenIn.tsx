import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Link, useNavigate } from "@tanstack/react-router";
import { Film, UserRoundPlus, UserRoundX } from "lucide-react";
import { useMemo } from "react";
import { IconButton } from "@/components/Button";
import { SignedImage } from "@/components/SignedImage";
import { ErrorState, LoadingLabel, Skeleton } from "@/components/States";
import { sentence } from "@/lib/api/errors";
import { keys, personScenesQuery } from "@/lib/api/queries";
import type { PersonScene, PersonWithPhotos } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import { formatTimecode } from "@/lib/time";
import { showToast } from "@/lib/toast";
import { peopleChanged } from "./changed";
import { messages } from "./messages";
import { More } from "./More";
import { useListFocus } from "./use-list-focus";

const gridClass = "grid grid-cols-[repeat(auto-fill,minmax(min(100%,14rem),1fr))] gap-x-5 gap-y-7";

/** The scenes a person is in, each of which can be taken away: it is not them, or it is somebody who is to have a name of their own. */
export function SeenIn({ personId }: { personId: string }) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const query = useInfiniteQuery(personScenesQuery(api, personId));
  const scenes = useMemo(() => query.data?.pages.flatMap((page) => page.items) ?? [], [query.data]);
  const heading = useListFocus(useMemo(() => scenes.map((scene) => scene.scene_id), [scenes]));
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.person(personId) }));

  const onError = (error: unknown) => showToast({ text: sentence(error), tone: "bad" });
  const onSettled = () => peopleChanged(client);
  const reject = useMutation({
    mutationFn: (scene: PersonScene) => api.json<undefined>(`/people/${personId}/reject`, { method: "POST", body: { scene_id: scene.scene_id } }),
    onSuccess: () => showToast({ text: t.notThemDone, tone: "good" }),
    onError,
    onSettled,
  });
  const split = useMutation({
    mutationFn: (scene: PersonScene) => api.json<PersonWithPhotos>(`/people/${personId}/split`, { method: "POST", body: { faces: [{ scene_id: scene.scene_id }] } }),
    onSuccess: (other) => {
      const run = () => void navigate({ to: "/people/$personId", params: { personId: other.person_id } });
      showToast({ text: t.somebodyElseDone, tone: "good", action: { label: t.giveName, run } });
    },
    onError,
    onSettled,
  });
  const busy = reject.isPending || split.isPending;

  return (
    <section aria-labelledby="scenes">
      <h2 id="scenes" ref={heading} tabIndex={-1} className="mb-4 text-lg font-semibold tracking-tight">
        {t.scenesTitle}
      </h2>
      {query.error && !query.data ? (
        <ErrorState error={query.error} retry={() => void query.refetch()} />
      ) : query.isPending ? (
        <div className={gridClass}>
          <LoadingLabel />
          {[0, 1, 2, 3].map((index) => (
            <Skeleton key={index} className="aspect-video rounded-2xl" />
          ))}
        </div>
      ) : scenes.length === 0 ? (
        <p className="text-[15px] text-ink-soft">{t.notSeen}</p>
      ) : (
        <ul className={gridClass}>
          {scenes.map((scene) => (
            <Seen key={scene.scene_id} scene={scene} busy={busy} onReject={() => reject.mutate(scene)} onSplit={() => split.mutate(scene)} onExpired={onExpired} />
          ))}
        </ul>
      )}
      <More query={query} />
    </section>
  );
}

function Seen({ scene, busy, onReject, onSplit, onExpired }: { scene: PersonScene; busy: boolean; onReject: () => void; onSplit: () => void; onExpired: () => void }) {
  const t = messages.use();
  const at = formatTimecode(scene.start_ms);
  // Not disabled while one is on its way: that would take the keyboard from the button.
  const wait = (run: () => void) => ({ "aria-disabled": busy || undefined, onClick: busy ? undefined : run, className: "size-9 aria-disabled:opacity-50" });
  return (
    <li data-scene={scene.scene_id}>
      <Link to="/videos/$videoId" params={{ videoId: scene.video_id }} search={{ t: scene.tracks[0]?.start_ms ?? scene.start_ms }} className="group block rounded-2xl focus-visible:outline-offset-4">
        <span className="relative grid aspect-video place-items-center overflow-hidden rounded-2xl border border-line bg-sunken text-line-strong shadow-card">
          {scene.thumbnail_url ? <SignedImage src={scene.thumbnail_url} alt="" className="size-full object-cover" onExpired={onExpired} /> : <Film className="size-7" strokeWidth={1.5} aria-hidden="true" />}
          <span className="nums absolute right-2 bottom-2 rounded-md bg-black/75 px-1.5 py-0.5 text-xs font-medium text-white">{at}</span>
        </span>
        <span className="mt-2 block truncate px-0.5 text-sm font-medium group-hover:text-accent">{scene.video_title}</span>
      </Link>
      <div className="flex items-start gap-1 px-0.5">
        <p className="line-clamp-2 min-w-0 flex-1 pt-0.5 text-[13px] text-ink-faint">{scene.text}</p>
        <IconButton label={t.notThem(scene.video_title, at)} {...wait(onReject)}>
          <UserRoundX />
        </IconButton>
        <IconButton label={t.somebodyElse(scene.video_title, at)} {...wait(onSplit)}>
          <UserRoundPlus />
        </IconButton>
      </div>
    </li>
  );
}
