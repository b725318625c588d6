import type { PastSearch } from "@/lib/api/types";

/** The history without what was only the beginning of what came next: whoever waits while typing has searched for that too. */
export function withoutBeginnings(items: readonly PastSearch[]): PastSearch[] {
  return items.filter((item, place) => {
    const begun = item.query.toLowerCase();
    return !items.slice(Math.max(0, place - 8), place).some((newer) => newer.query.toLowerCase().startsWith(begun));
  });
}
