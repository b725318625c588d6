import { useSyncExternalStore } from "react";

export interface Toast {
  id: number;
  text: string;
  tone: "plain" | "good" | "bad";
  action?: { label: string; run: () => void };
}

let toasts: readonly Toast[] = [];
let next = 1;
const listeners = new Set<() => void>();
const emit = (value: readonly Toast[]) => {
  toasts = value;
  for (const listener of listeners) listener();
};

export function dismissToast(id: number) {
  emit(toasts.filter((toast) => toast.id !== id));
}

/** What was told to a person who has signed out is nothing for the next one, and cannot be undone by them. */
export function dismissToasts() {
  emit([]);
}

/** With an action it stays longer: a person needs the time to read and reach it. */
export function showToast(toast: Omit<Toast, "id">) {
  const id = next++;
  emit([...toasts.slice(-2), { ...toast, id }]);
  setTimeout(() => dismissToast(id), toast.action ? 10_000 : 5_000);
}

export function useToasts(): readonly Toast[] {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => toasts,
  );
}
