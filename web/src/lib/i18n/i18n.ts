import { useSyncExternalStore } from "react";

// Two languages, chosen by the person or else by the browser. Each feature keeps its own dictionary; the compiler
// refuses one whose Korean half lacks a key. A message with a value in it is a function.

export type Language = "en" | "ko";
type Message = string | ((...args: never[]) => string);
type Dictionary = { [key: string]: Message | Dictionary };
/** The English dictionary's shape, with any string in place of the English one. */
type Translated<T> = { [K in keyof T]: T[K] extends string ? string : T[K] extends (...args: infer A) => string ? (...args: A) => string : Translated<T[K]> };

const KEY = "heimdex.language";
const listeners = new Set<() => void>();

function initial(): Language {
  try {
    const stored = localStorage.getItem(KEY);
    if (stored === "en" || stored === "ko") return stored;
  } catch {
    // Storage may be forbidden; the browser's language is used then.
  }
  return navigator.language.toLowerCase().startsWith("ko") ? "ko" : "en";
}

let current: Language = initial();
document.documentElement.lang = current;

export const language = () => current;

export function setLanguage(next: Language) {
  current = next;
  document.documentElement.lang = next;
  try {
    localStorage.setItem(KEY, next);
  } catch {
    // Without storage the choice lasts for this visit.
  }
  for (const listener of listeners) listener();
}

export function useLanguage(): Language {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, language);
}

export interface Messages<T> {
  /** For components: renders again when the language changes. */
  use: () => Translated<T>;
  /** For code outside of rendering (toasts, errors). */
  now: () => Translated<T>;
}

export function defineMessages<T extends Dictionary>(dictionaries: { en: T; ko: Translated<T> }): Messages<T> {
  const pick = (lang: Language) => (lang === "ko" ? dictionaries.ko : (dictionaries.en as unknown as Translated<T>));
  return { use: () => pick(useLanguage()), now: () => pick(current) };
}
