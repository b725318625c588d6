import { useNavigate } from "@tanstack/react-router";
import { Plus, X } from "lucide-react";
import { useRef, useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { CHIP_KEYS, chipsOf, withChip, withoutChip, type ChipKey } from "./chips";
import { messages } from "./messages";

/** The operators of the query as chips, and a way to add one. The query is the truth: a chip is a piece of it. `only` is the title of
 *  the video that is searched in, empty while it is not known. */
export function Chips({ q, video, only }: { q: string; video: string | undefined; only: string }) {
  const t = messages.use();
  const navigate = useNavigate();
  const [adding, setAdding] = useState(false);
  const opener = useRef<HTMLButtonElement>(null);
  const ask = (query: string, inVideo: string | undefined) => void navigate({ to: "/search", search: { q: query || undefined, video: inVideo } });
  const close = () => {
    setAdding(false);
    // The form is gone with the key that was pressed in it.
    requestAnimationFrame(() => opener.current?.focus());
  };
  return (
    <>
      <ul aria-label={t.chips.label} className="flex max-w-full flex-wrap items-center gap-2">
        {video && <ChipItem text={only === "" ? t.chips.oneVideo : t.chips.only(only)} onRemove={() => ask(q, undefined)} />}
        {chipsOf(q).map((chip, number) => (
          <ChipItem
            key={`${number} ${chip.key} ${chip.value}`}
            text={`${chip.excluded ? t.chips.not : ""}${t.chips.keys[chip.key]}: ${chip.value}`}
            onRemove={() => ask(withoutChip(q, number), video)}
          />
        ))}
        <li>
          <button
            ref={opener}
            type="button"
            aria-expanded={adding}
            onClick={() => setAdding(!adding)}
            className="inline-flex h-8 items-center gap-1.5 rounded-full border border-dashed border-line-strong px-3 text-[13px] font-medium text-ink-soft hover:bg-sunken hover:text-ink"
          >
            <Plus className="size-4" aria-hidden="true" />
            {t.chips.add}
          </button>
        </li>
      </ul>
      {adding && (
        <AddChip
          onClose={close}
          onAdd={(key, value, excluded) => {
            ask(withChip(q, { key, value, excluded }), video);
            close();
          }}
        />
      )}
    </>
  );
}

function ChipItem({ text, onRemove }: { text: string; onRemove: () => void }) {
  const t = messages.use();
  return (
    <li data-testid="chip" className="inline-flex h-8 max-w-full items-center gap-1 rounded-full bg-accent-wash pr-1 pl-3 text-[13px] font-medium text-ink">
      <span className="truncate">{text}</span>
      <button type="button" aria-label={t.chips.remove(text)} onClick={onRemove} className="grid size-6 shrink-0 place-items-center rounded-full text-ink-soft hover:bg-line hover:text-ink">
        <X className="size-3.5" aria-hidden="true" />
      </button>
    </li>
  );
}

const isDate = (key: ChipKey) => key === "after" || key === "before";

function AddChip({ onAdd, onClose }: { onAdd: (key: ChipKey, value: string, excluded: boolean) => void; onClose: () => void }) {
  const t = messages.use();
  const [key, setKey] = useState<ChipKey>("person");
  const [value, setValue] = useState("");
  const [excluded, setExcluded] = useState(false);
  const field = "h-10 rounded-xl border border-line bg-surface px-3 text-sm text-ink hover:border-line-strong focus:border-accent";
  return (
    <form
      aria-label={t.chips.add}
      className="flex w-full flex-wrap items-center gap-2 rounded-2xl border border-line bg-surface p-3"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (value.trim() !== "") onAdd(key, value, excluded);
      }}
      onKeyDown={(event) => {
        if (event.key !== "Escape" || event.nativeEvent.isComposing) return;
        event.stopPropagation();
        onClose();
      }}
    >
      <select
        autoFocus
        aria-label={t.chips.kind}
        value={key}
        className={field}
        onChange={(event) => {
          setKey(event.target.value as ChipKey);
          setValue("");
        }}
      >
        {CHIP_KEYS.map((each) => (
          <option key={each} value={each}>
            {t.chips.keys[each]}
          </option>
        ))}
      </select>
      <input
        type={isDate(key) ? "date" : "text"}
        aria-label={t.chips.value}
        placeholder={t.chips.examples[key]}
        maxLength={key === "lang" ? 2 : 200}
        value={value}
        autoComplete="off"
        onChange={(event) => setValue(event.target.value)}
        className={`${field} min-w-0 flex-1 basis-40`}
      />
      <label className="flex items-center gap-2 text-sm">
        <input type="checkbox" checked={excluded} onChange={(event) => setExcluded(event.target.checked)} className="size-4 accent-(--accent)" />
        {t.chips.leaveOut}
      </label>
      <Button type="submit" tone="primary">
        {t.chips.put}
      </Button>
    </form>
  );
}
