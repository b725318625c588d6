import { useEffect, useRef, useState } from "react";
import { Button } from "@/components/Button";
import { ApiError, sentence } from "@/lib/api/errors";
import type { Segment } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { formatTimecode } from "@/lib/time";
import { messages } from "./messages";

/** A correction that is not saved yet, and the sentence as it was when it was begun. */
export interface Draft {
  seen: Segment;
  text: string;
}

interface Props {
  segment: Segment;
  /** By the number of the sentence: a row that is scrolled away is gone, what was written in it is not. */
  drafts: Map<number, Draft>;
  onCorrect: (segment: Segment, text: string) => Promise<void>;
  onDone: (segment_no: number) => void;
}

/** Correcting a sentence in its place: Enter saves, Escape gives up. */
export function EditSegment({ segment, drafts, onCorrect, onDone }: Props) {
  const t = messages.use();
  const words = common.use();
  const field = useRef<HTMLTextAreaElement>(null);
  const { segment_no } = segment;
  const [begun] = useState(() => drafts.get(segment_no));
  const [seen] = useState(begun?.seen ?? segment);
  const [text, setText] = useState(begun?.text ?? segment.text.trim());
  /** The person knows that it says something else by now. */
  const [told, setTold] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string | null>(null);

  useEffect(() => {
    const area = field.current;
    // One that was scrolled away and comes into sight again must not move what is being read.
    area?.focus({ preventScroll: begun !== undefined });
    area?.setSelectionRange(area.value.length, area.value.length);
    // The keyboard goes back to where it came from, unless it has gone elsewhere by itself.
    return () => {
      requestAnimationFrame(() => {
        if (document.activeElement === document.body) document.querySelector<HTMLElement>(`[data-edit="${segment_no}"]`)?.focus();
      });
    };
  }, [segment_no, begun]);

  const otherwise = segment.text.trim() !== seen.text.trim();
  const save = async () => {
    const next = text.trim().replace(/\s+/g, " ");
    if (busy || next === "") return;
    if (next === seen.text.trim() || next === segment.text.trim()) return onDone(segment_no);
    if (otherwise && !told) return setTold(true);
    setBusy(true);
    setError(null);
    try {
      await onCorrect(told ? segment : seen, next);
      onDone(segment_no);
    } catch (failure) {
      if (failure instanceof ApiError && failure.status === 409) setTold(true);
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
        onChange={(event) => {
          setText(event.target.value);
          drafts.set(segment_no, { seen, text: event.target.value });
        }}
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
            if (!busy) onDone(segment_no);
          }
        }}
        className="w-full rounded-lg border border-line bg-surface px-2.5 py-1.5 text-[15px] leading-relaxed text-ink focus:border-accent"
      />
      {otherwise && !busy && (
        <p role="status" className="text-[13px] text-ink-soft [overflow-wrap:anywhere]">
          {t.nowSays(segment.text.trim())}
        </p>
      )}
      {error && (
        <p role="alert" className="text-[13px] text-bad">
          {error}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button size="sm" tone="quiet" disabled={busy} onClick={() => onDone(segment_no)}>
          {words.cancel}
        </Button>
        <Button size="sm" tone="primary" busy={busy} disabled={text.trim() === ""} onClick={() => void save()}>
          {words.save}
        </Button>
      </div>
    </div>
  );
}
