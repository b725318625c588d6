import { Check, Copy } from "lucide-react";
import { useId, useRef, useState } from "react";
import { defineMessages } from "@/lib/i18n/i18n";
import { Button } from "./Button";

const messages = defineMessages({
  en: { copy: "Copy", copied: "Copied", selected: "Selected: copy it with your keyboard" },
  ko: { copy: "복사", copied: "복사됨", selected: "선택됨: 키보드로 복사하세요" },
});

/** A text to take away; it has the keyboard, selected, as soon as it appears. Where the browser keeps the clipboard shut (plain http), the text is selected instead. */
export function CopyField({ label, value }: { label: string; value: string }) {
  const t = messages.use();
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const [done, setDone] = useState<"copied" | "selected" | null>(null);

  const copy = async () => {
    input.current?.select();
    try {
      await navigator.clipboard.writeText(value);
      setDone("copied");
    } catch {
      setDone("selected");
    }
  };

  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-1.5">
      <label htmlFor={id} className="text-[13px] font-medium text-ink-soft">
        {label}
      </label>
      <div className="flex gap-2">
        <input
          ref={input}
          id={id}
          readOnly
          value={value}
          autoFocus
          onFocus={(event) => event.target.select()}
          className="h-10 min-w-0 flex-1 rounded-xl border border-line bg-sunken px-3 font-mono text-[13px] text-ink"
        />
        <Button onClick={() => void copy()}>
          {done === "copied" ? <Check aria-hidden="true" /> : <Copy aria-hidden="true" />}
          {t.copy}
        </Button>
      </div>
      <p role="status" className="min-h-5 text-[13px] text-ink-faint">
        {done && t[done]}
      </p>
    </div>
  );
}
