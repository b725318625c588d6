import { useMutation, useQueryClient } from "@tanstack/react-query";
import { CircleAlert, CircleCheck, ImagePlus, Trash2 } from "lucide-react";
import { useMemo, useRef, useState, type ChangeEvent } from "react";
import { Button, IconButton } from "@/components/Button";
import { cx } from "@/components/cx";
import { Notice } from "@/components/Notice";
import { SignedImage } from "@/components/SignedImage";
import { Spinner } from "@/components/Spinner";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Photo } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";
import { useListFocus } from "./use-list-focus";

const MAX_BYTES = 10 * 1024 * 1024;

/** The photos a person is known by, each with what became of it. */
export function Photos({ personId, photos }: { personId: string; photos: Photo[] }) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const input = useRef<HTMLInputElement>(null);
  const [problems, setProblems] = useState<string[]>([]);
  const heading = useListFocus(useMemo(() => photos.map((photo) => photo.photo_id), [photos]));
  // Lists show one of the photos where no scene shows the person.
  const refresh = () => Promise.all([client.invalidateQueries({ queryKey: keys.person(personId) }), client.invalidateQueries({ queryKey: keys.people })]);
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.person(personId) }));

  const send = useMutation({
    mutationFn: async (files: File[]) => {
      const failed: string[] = [];
      for (const file of files) {
        if (file.size > MAX_BYTES) {
          failed.push(t.tooLarge(file.name));
          continue;
        }
        try {
          await api.json<Photo>(`/people/${personId}/photos`, { method: "POST", body: file });
        } catch (error) {
          failed.push(`${file.name}: ${sentence(error)}`);
        }
      }
      return failed;
    },
    onSuccess: setProblems,
    onSettled: refresh,
  });
  const remove = useMutation({
    mutationFn: (photo: Photo) => api.json<undefined>(`/people/${personId}/photos/${photo.photo_id}`, { method: "DELETE" }),
    onError: (error) => showToast({ text: sentence(error), tone: "bad" }),
    onSettled: refresh,
  });

  const chosen = (event: ChangeEvent<HTMLInputElement>) => {
    const files = [...(event.target.files ?? [])];
    event.target.value = "";
    if (files.length > 0) send.mutate(files);
  };

  return (
    <section aria-labelledby="photos">
      <div className="flex flex-wrap items-center justify-between gap-3">
        <h2 id="photos" ref={heading} tabIndex={-1} className="text-lg font-semibold tracking-tight">
          {t.photos}
        </h2>
        <Button busy={send.isPending} onClick={() => input.current?.click()}>
          <ImagePlus aria-hidden="true" />
          {t.addPhotos}
        </Button>
        <input ref={input} type="file" multiple accept="image/jpeg,image/png,image/webp" onChange={chosen} className="sr-only" tabIndex={-1} aria-label={t.addPhotos} />
      </div>
      <p className="mt-1 mb-4 max-w-prose text-[15px] text-ink-soft">{t.photosHint}</p>
      {problems.length > 0 && (
        <Notice tone="bad" className="mb-4">
          {problems.map((problem) => (
            <p key={problem}>{problem}</p>
          ))}
        </Notice>
      )}
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(100%,13rem),1fr))] gap-4">
        {photos.map((photo, index) => (
          <li key={photo.photo_id} data-photo={photo.state} className="overflow-hidden rounded-2xl border border-line bg-surface shadow-card">
            <SignedImage src={photo.url} alt={t.photoOf(index + 1)} className="aspect-[4/3] w-full object-cover" onExpired={onExpired} />
            <div className="flex items-start gap-2 p-3 text-[13px] leading-snug">
              <span className={cx("mt-0.5 [&_svg]:size-4", photo.state === "rejected" ? "text-bad" : "text-good")} aria-hidden="true">
                {photo.state === "checking" ? <Spinner /> : photo.state === "accepted" ? <CircleCheck /> : <CircleAlert />}
              </span>
              <p role="status" className="min-w-0 flex-1">
                {photo.state === "checking" ? t.photoChecking : photo.state === "accepted" ? t.photoAccepted : photo.message}
              </p>
              <IconButton
                label={t.deletePhoto(index + 1)}
                // Not disabled meanwhile: that would take the keyboard from the button.
                aria-disabled={remove.isPending || undefined}
                onClick={() => !remove.isPending && remove.mutate(photo)}
                className="-m-1.5 size-9 aria-disabled:opacity-50"
              >
                <Trash2 />
              </IconButton>
            </div>
          </li>
        ))}
      </ul>
    </section>
  );
}
