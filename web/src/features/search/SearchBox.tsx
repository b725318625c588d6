import { useQuery } from "@tanstack/react-query";
import { useLocation, useNavigate } from "@tanstack/react-router";
import { Bookmark, History, Search, X } from "lucide-react";
import { useEffect, useId, useRef, useState, type FormEvent, type KeyboardEvent } from "react";
import { cx } from "@/components/cx";
import type { Suggestions } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { isFinished } from "./chips";
import { messages } from "./messages";
import { setPicture } from "./picture";
import { useWayBack } from "./way-back";

/** What is typed, after it has rested: typing must not send a request for each letter. */
function useRested(value: string, rest_ms = 150): string {
  const [rested, setRested] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setRested(value), rest_ms);
    return () => clearTimeout(timer);
  }, [value, rest_ms]);
  return rested;
}

/** A whole search counts, so typing has to rest for longer before one is made; and be about something. */
const SEARCH_REST_MS = 700;
const SEARCH_LEAST_CHARS = 3;

/** The one search box, on every page. "/" goes to it from anywhere. */
export function SearchBox() {
  const t = messages.use();
  const { api } = useServices();
  const navigate = useNavigate();
  const location = useLocation();
  const params = location.search as { q?: string; video?: string; like?: string };
  /** `null` on other pages. */
  const asked = location.pathname.endsWith("/search") ? (params.q ?? "") : null;
  const [text, setText] = useState(asked ?? "");
  /** What was searched for while typing: when the address says it, the person has gone on typing already. */
  const [sent, setSent] = useState<string | null>(null);
  const [open, setOpen] = useState(false);
  const [active, setActive] = useState(-1);
  const input = useRef<HTMLInputElement>(null);
  const listId = useId();

  // The address is the truth: back and forward change what the box says.
  const [followed, setFollowed] = useState(asked);
  if (asked !== followed) {
    setFollowed(asked);
    if (asked === sent) setSent(null);
    else if (asked !== null) setText(asked);
  }
  useWayBack();
  // The box goes when the person signs out: the next one must not find their picture.
  useEffect(() => () => setPicture(null), []);

  const rested = useRested(text.trim());
  const suggestions = useQuery({
    queryKey: ["suggest", rested],
    queryFn: ({ signal }) => api.json<Suggestions>("/search/suggest", { query: { q: rested }, signal }),
    enabled: open && rested.length >= 2,
    staleTime: 60_000,
    retry: false,
    placeholderData: (previous) => previous,
  });
  // On the search page what is typed is found without a key being pressed.
  const whole = text.trim();
  const { video } = params;
  useEffect(() => {
    if (asked === null || whole === asked || whole.length < SEARCH_LEAST_CHARS || !isFinished(whole)) return;
    const timer = setTimeout(() => {
      setSent(whole);
      void navigate({ to: "/search", search: { q: whole, video }, replace: true });
    }, SEARCH_REST_MS);
    return () => clearTimeout(timer);
  }, [asked, whole, navigate, video]);

  const items = open && text.trim().length >= 2 ? (suggestions.data?.items ?? []).filter((item) => item.text.toLowerCase() !== text.trim().toLowerCase()).slice(0, 8) : [];

  useEffect(() => {
    const pressed = (event: globalThis.KeyboardEvent) => {
      if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
      if ((event.target as HTMLElement).closest("input:not([type=range]), textarea, select, [contenteditable=true], dialog")) return;
      event.preventDefault();
      input.current?.focus();
      input.current?.select();
    };
    window.addEventListener("keydown", pressed);
    return () => window.removeEventListener("keydown", pressed);
  }, []);

  // Who opens the empty search page wants to type.
  const waiting = asked === "" && params.like === undefined;
  useEffect(() => {
    if (waiting) input.current?.focus();
  }, [waiting]);

  const go = (query: string) => {
    const trimmed = query.trim();
    setOpen(false);
    setActive(-1);
    if (trimmed === "") return;
    setText(trimmed);
    setSent(null);
    // As for what is found while typing: whoever searches in one video goes on doing so.
    void navigate({ to: "/search", search: { q: trimmed, video: asked === null ? undefined : video } });
  };

  const onKey = (event: KeyboardEvent<HTMLInputElement>) => {
    // These keys choose among syllables that are being composed, or give them up.
    if (event.nativeEvent.isComposing) return;
    if (event.key === "Escape") {
      if (open && items.length > 0) setOpen(false);
      else event.currentTarget.blur();
      setActive(-1);
    } else if ((event.key === "ArrowDown" || event.key === "ArrowUp") && items.length > 0) {
      event.preventDefault();
      const step = event.key === "ArrowDown" ? 1 : -1;
      setActive((current) => ((current + 1 + step + items.length + 1) % (items.length + 1)) - 1);
    } else if (event.key === "ArrowDown") {
      // From the box straight to what it found.
      const first = document.querySelector<HTMLElement>("#content [data-testid=hit] a");
      if (first) event.preventDefault();
      first?.focus();
    }
  };

  return (
    <form
      role="search"
      className="relative w-full"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        go(items[active]?.text ?? text);
      }}
      onBlur={(event) => {
        if (!event.currentTarget.contains(event.relatedTarget)) setOpen(false);
      }}
    >
      <Search className="pointer-events-none absolute top-1/2 left-3.5 size-[18px] -translate-y-1/2 text-ink-faint" aria-hidden="true" />
      <input
        ref={input}
        type="text"
        inputMode="search"
        enterKeyHint="search"
        role="combobox"
        aria-label={t.box}
        aria-expanded={items.length > 0}
        aria-controls={listId}
        aria-autocomplete="list"
        aria-activedescendant={active >= 0 && items[active] ? `${listId}-${active}` : undefined}
        autoComplete="off"
        spellCheck={false}
        placeholder={t.placeholder}
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          setOpen(true);
          setActive(-1);
        }}
        onFocus={() => setOpen(true)}
        onKeyDown={onKey}
        className="h-10 w-full rounded-xl border border-line bg-sunken pr-10 pl-10 text-[15px] text-ink transition-colors placeholder:text-ink-faint hover:border-line-strong focus:border-accent focus:bg-surface"
      />
      {text === "" ? (
        <kbd aria-hidden="true" className="pointer-events-none absolute top-1/2 right-3 hidden -translate-y-1/2 rounded-md border border-line bg-surface px-1.5 py-px font-sans text-xs text-ink-faint sm:block">
          /
        </kbd>
      ) : (
        <button
          type="button"
          aria-label={t.clear}
          className="absolute top-1/2 right-1.5 grid size-8 -translate-y-1/2 place-items-center rounded-lg text-ink-faint hover:bg-line hover:text-ink"
          onClick={() => {
            setText("");
            input.current?.focus();
          }}
        >
          <X className="size-4" />
        </button>
      )}
      <ul
        id={listId}
        role="listbox"
        aria-label={t.suggestions}
        hidden={items.length === 0}
        className="absolute inset-x-0 top-full z-40 mt-2 rounded-xl border border-line bg-raised p-1.5 shadow-float"
      >
        {items.map((item, index) => (
          <li
            key={item.text}
            id={`${listId}-${index}`}
            role="option"
            aria-selected={index === active}
            className={cx("cursor-pointer truncate rounded-lg px-3 py-2 text-sm", index === active ? "bg-accent-wash text-ink" : "text-ink hover:bg-sunken")}
            onPointerDown={(event) => {
              event.preventDefault();
              go(item.text);
            }}
          >
            {item.kind === "saved" || item.kind === "recent" ? (
              <span className="flex items-center gap-2">
                {item.kind === "saved" ? <Bookmark className="size-4 shrink-0 text-ink-faint" aria-hidden="true" /> : <History className="size-4 shrink-0 text-ink-faint" aria-hidden="true" />}
                <span className="sr-only">{t.kinds[item.kind]}: </span>
                <span className="truncate">{item.name ?? item.text}</span>
              </span>
            ) : (
              item.text
            )}
          </li>
        ))}
      </ul>
    </form>
  );
}
