import { useCallback, useEffect, useRef } from "react";

/** A handler that stays the same function from one rendering to the next and does what the newest would, for children that are
 *  rendered again only when something else changes. Not to be called while rendering. */
export function useStable<Args extends unknown[]>(handler: (...args: Args) => void): (...args: Args) => void {
  const latest = useRef(handler);
  useEffect(() => {
    latest.current = handler;
  });
  return useCallback((...args: Args) => latest.current(...args), []);
}
