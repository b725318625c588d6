import { useId, useState } from "react";
import { ChevronDown, SlidersHorizontal } from "lucide-react";
import { Button } from "@/components/Button";
import { cx } from "@/components/cx";
import { messages } from "./messages";
import type { Filter } from "./queries";

/** One thing to filter by: a word to write, or one to choose. */
export interface FilterField {
  name: string;
  label: string;
  type?: "text" | "datetime-local";
  options?: readonly (readonly [value: string, label: string])[];
}

const inputClass = "h-9 w-full min-w-0 rounded-lg border border-line bg-surface px-2.5 text-[13px] text-ink hover:border-line-strong focus:border-accent";

/** Asks for a list anew when it is sent. Times are the person's own clock. */
export function Filters({ fields, value, onChange }: { fields: readonly FilterField[]; value: Filter; onChange: (filter: Filter) => void }) {
  const t = messages.use();
  const id = useId();
  const [draft, setDraft] = useState(value);
  const set = (name: string, text: string) => setDraft({ ...draft, [name]: text === "" ? undefined : text });
  const chosen = Object.values(value).filter((text) => text !== undefined).length;
  // On a phone the fields would push the list off the page: they come when they are asked for.
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button size="sm" aria-expanded={open} aria-controls={id} onClick={() => setOpen(!open)} className="justify-self-start sm:hidden">
        <SlidersHorizontal aria-hidden="true" />
        {chosen > 0 ? t.filtersSet(chosen) : t.filters}
        <ChevronDown aria-hidden="true" className={cx("transition-transform", open && "rotate-180")} />
      </Button>
      <form
        id={id}
        aria-label={t.filter}
        className={cx("grid grid-cols-2 items-end gap-x-3 gap-y-2 sm:flex sm:flex-wrap", !open && "max-sm:hidden")}
        onSubmit={(event) => {
          event.preventDefault();
          onChange(draft);
        }}
      >
        {fields.map(({ name, label, type = "text", options }) => (
          <div key={name} className={cx("grid min-w-0 gap-1", type === "datetime-local" ? "max-sm:col-span-2 sm:flex-[1_1_12.5rem] sm:max-w-60" : "sm:flex-[1_1_8.5rem] sm:max-w-60")}>
            <label htmlFor={`${id}-${name}`} className="text-xs text-ink-soft">
              {label}
            </label>
            {options ? (
              <select id={`${id}-${name}`} className={inputClass} value={draft[name] ?? ""} onChange={(event) => set(name, event.target.value)}>
                <option value="">{t.any}</option>
                {options.map(([option, word]) => (
                  <option key={option} value={option}>
                    {word}
                  </option>
                ))}
              </select>
            ) : (
              <input id={`${id}-${name}`} type={type} className={inputClass} value={draft[name] ?? ""} onChange={(event) => set(name, event.target.value)} />
            )}
          </div>
        ))}
        <div className="flex gap-2">
          <Button type="submit" size="sm" className="h-9">
            {t.filter}
          </Button>
          {chosen > 0 && (
            <Button
              size="sm"
              tone="quiet"
              className="h-9"
              onClick={() => {
                setDraft({});
                onChange({});
              }}
            >
              {t.clear}
            </Button>
          )}
        </div>
      </form>
    </>
  );
}

/** A filter as the server reads it: the person's times in UTC. What is no time goes as it is, and the server says so. */
export const sent = (filter: Filter): Filter =>
  Object.fromEntries(
    Object.entries(filter).map(([name, text]) => {
      const time = name === "since" || name === "until" ? new Date(text ?? "") : null;
      return [name, time && !Number.isNaN(time.getTime()) ? time.toISOString() : text];
    }),
  );
