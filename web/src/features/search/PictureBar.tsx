import { useNavigate, useSearch } from "@tanstack/react-router";
import { ImagePlus, X } from "lucide-react";
import { useEffect, useRef } from "react";
import { Button, IconButton } from "@/components/Button";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";
import { PICTURE_TYPES, refusal, setPicture, usePicture } from "./picture";

const pictureIn = (files: FileList | null | undefined) => [...(files ?? [])].find((file) => file.type.startsWith("image/"));

/** Takes a picture that is chosen, or dropped or pasted anywhere on the page. */
function useTaking(): (file: File | undefined) => void {
  const t = messages.use();
  const navigate = useNavigate();
  const { q, video } = useSearch({ strict: false }) as { q?: string; video?: string };
  const take = (file: File | undefined) => {
    if (!file) return;
    const why = refusal(file);
    if (why) return showToast({ tone: "bad", text: why === "type" ? t.picture.wrongType : t.picture.tooLarge });
    setPicture(file);
    // A picture is asked for instead of a scene that others are to be like.
    void navigate({ to: "/search", search: { q, video } });
  };
  const latest = useRef(take);
  useEffect(() => {
    latest.current = take;
  });
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (event.dataTransfer?.types.includes("Files")) event.preventDefault();
    };
    const dropped = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes("Files")) return;
      event.preventDefault();
      // What is no picture is refused by name of its kind, not passed over.
      latest.current(pictureIn(event.dataTransfer.files) ?? event.dataTransfer.files[0]);
    };
    const pasted = (event: ClipboardEvent) => {
      const file = pictureIn(event.clipboardData?.files);
      if (!file) return;
      event.preventDefault();
      latest.current(file);
    };
    window.addEventListener("dragover", over);
    window.addEventListener("drop", dropped);
    window.addEventListener("paste", pasted);
    return () => {
      window.removeEventListener("dragover", over);
      window.removeEventListener("drop", dropped);
      window.removeEventListener("paste", pasted);
    };
  }, []);
  return take;
}

/** The picture that is searched with, or the button to choose one. */
export function PictureBar() {
  const t = messages.use();
  const picture = usePicture();
  const take = useTaking();
  const input = useRef<HTMLInputElement>(null);
  return (
    <div className="flex flex-wrap items-center gap-2">
      <input
        ref={input}
        type="file"
        accept={PICTURE_TYPES.join(",")}
        aria-label={t.picture.choose}
        data-testid="picture-input"
        tabIndex={-1}
        className="sr-only"
        onChange={(event) => {
          take(event.target.files?.[0]);
          // The same file may be chosen again.
          event.target.value = "";
        }}
      />
      <Button size="sm" onClick={() => input.current?.click()}>
        <ImagePlus aria-hidden="true" />
        {picture ? t.picture.another : t.picture.search}
      </Button>
      {picture && (
        <span data-testid="picture" className="inline-flex max-w-full items-center gap-2 rounded-xl border border-line bg-surface py-1 pr-1 pl-1.5">
          <img src={picture.url} alt={t.picture.alt} className="h-9 max-w-24 rounded-lg object-cover" />
          <span className="max-w-40 truncate text-[13px] text-ink-soft">{picture.file.name}</span>
          <IconButton label={t.picture.remove} className="size-8" onClick={() => setPicture(null)}>
            <X />
          </IconButton>
        </span>
      )}
    </div>
  );
}
