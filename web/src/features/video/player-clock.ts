import { useSyncExternalStore } from "react";

/** Where the player is. Those who watch it say which part of the time they care about, and render only when that changes. */
export class PlayerClock {
  #at_ms = 0;
  readonly #listeners = new Set<() => void>();

  get at_ms() {
    return this.#at_ms;
  }

  set(at_ms: number) {
    if (at_ms === this.#at_ms) return;
    this.#at_ms = at_ms;
    for (const listener of this.#listeners) listener();
  }

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  };
}

export function useClock<T extends string | number | boolean>(clock: PlayerClock, select: (at_ms: number) => T): T {
  return useSyncExternalStore(clock.subscribe, () => select(clock.at_ms));
}
