import { ChevronDown, ChevronUp, Search } from "lucide-react";
import { IconButton } from "@/components/Button";
import { messages } from "./messages";

interface Props {
  text: string;
  /** Which of them is shown, from 1; 0 where there is none. */
  place: number;
  all: number;
  onText: (text: string) => void;
  onStep: (by: 1 | -1) => void;
}

/** Looking for words in the transcript: Enter goes on, with Shift back, Escape ends it. */
export function FindBar({ text, place, all, onText, onStep }: Props) {
  const t = messages.use();
  return (
    <div role="search" aria-label={t.find} className="mx-4 mb-2 flex h-9 items-center gap-1 rounded-xl border border-line bg-surface pl-2.5 focus-within:border-accent has-[input:focus-visible]:outline-2 has-[input:focus-visible]:outline-offset-2 has-[input:focus-visible]:outline-accent">
      <Search className="size-4 shrink-0 text-ink-faint" aria-hidden="true" />
      <input
        type="text"
        aria-label={t.find}
        placeholder={t.find}
        value={text}
        maxLength={200}
        onChange={(event) => onText(event.target.value)}
        onKeyDown={(event) => {
          if (event.nativeEvent.isComposing) return;
          if (event.key === "Enter") {
            event.preventDefault();
            onStep(event.shiftKey ? -1 : 1);
          }
          if (event.key === "Escape") onText("");
        }}
        className="h-full min-w-0 flex-1 rounded-md bg-transparent px-1 text-sm text-ink outline-none placeholder:text-ink-faint"
      />
      <span role="status" className="nums shrink-0 text-[13px] text-ink-soft">
        {text.trim() !== "" && t.foundOf(place, all)}
      </span>
      {text !== "" && (
        <>
          <IconButton label={t.findPrevious} disabled={all === 0} onClick={() => onStep(-1)} className="!size-8">
            <ChevronUp />
          </IconButton>
          <IconButton label={t.findNext} disabled={all === 0} onClick={() => onStep(1)} className="!size-8">
            <ChevronDown />
          </IconButton>
        </>
      )}
    </div>
  );
}
