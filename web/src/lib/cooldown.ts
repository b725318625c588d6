import { useSyncExternalStore } from "react";

/** Servers send one mail a minute to one address. */
export const MAIL_COOLDOWN_MS = 60_000;

/** Whole seconds until `until`, 0 when it has passed. A clock that was set back must not lock the person out for long. */
export const secondsLeft = (until: number, now: number) => Math.ceil(Math.min(Math.max(0, until - now), MAIL_COOLDOWN_MS) / 1000);

/** When the last mail counts as asked for: now, or so that the server's own waiting time, in seconds, is what is left. */
export const mailedAt = (wait_s: number | null = null) => Date.now() + (wait_s === null ? 0 : wait_s * 1000 - MAIL_COOLDOWN_MS);

function everySecond(changed: () => void) {
  const timer = setInterval(changed, 1000);
  return () => clearInterval(timer);
}

/** Counts down to `until` (milliseconds since 1970). */
export const useSecondsLeft = (until: number) => useSyncExternalStore(everySecond, () => secondsLeft(until, Date.now()));
