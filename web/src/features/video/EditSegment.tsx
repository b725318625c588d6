import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/Button";
import { sentence } from "@/lib/api/errors";
import type { Segment } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { formatTimecode } from "@/lib/time";
import { messages } from "./messages";

/** Correcting a sentence in its place: Enter saves, Escape gives up. */
export function EditSegment({ segment, onCorrect, onDone }: { segment: Segment; onCorrect: (segment: Segment, text: string) => Promise<void>; onDone: () => void }) {
  const t = messages.use();
  const words = common.use();
  const field = useRef<HTMLTextAreaElement>(null);
  const [text, setText] = useState(segment.text.trim());
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    const area = field.current;
    area?.focus();
    area?.setSelectionRange(area.value.length, area.value.length);
    // The keyboard goes back to where it came from.
    return () => {
      const { segment_no } = segment;
      requestAnimationFrame(() => document.querySelector<HTMLElement>(`[data-edit="${segment_no}"]`)?.focus());
    };
  }, [segment]);

  const save = async () => {
    const next = text.trim().replace(/\s+/g, " ");
    if (busy || next === "") return;
    if (next === segment.text.trim()) return onDone();
    setBusy(true);
    setError(null);
    try {
      await onCorrect(segment, next);
      onDone();
    } catch (failure) {
      setError(sentence(failure));
      setBusy(false);
    }
  };

  return (
    <div className="col-span-2 grid min-w-0 gap-2">
      <textarea
        ref={field}
        aria-label={t.correct(formatTimecode(segment.start_ms))}
        aria-invalid={error ? true : undefined}
        value={text}
        rows={3}
        maxLength={1000}
        readOnly={busy}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={(event) => {
          // Enter that ends the composing of a syllable is not meant for us.
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter" && !event.shiftKey) {
            event.preventDefault();
            void save();
          }
          if (event.key === "Escape") {
            event.preventDefault();
            event.stopPropagation();
            if (!busy) onDone();
          }
        }}
        className="w-full rounded-lg border border-line bg-surface px-2.5 py-1.5 text-[15px] leading-relaxed text-ink focus:border-accent"
      />
      {error && (
        <p role="alert" className="text-[13px] text-bad">
          {error}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button size="sm" tone="quiet" disabled={busy} onClick={onDone}>
          {words.cancel}
        </Button>
        <Button size="sm" tone="primary" busy={busy} disabled={text.trim() === ""} onClick={() => void save()}>
          {words.save}
        </Button>
      </div>
    </div>
  );
}
