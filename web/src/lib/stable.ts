import { useEffect, useRef, useState } from "react";

type Handlers = Record<string, (...args: never[]) => void>;

/** The same handlers under functions that never change, for children that are rendered only when something else does. Each calls the
 *  newest; none may be called while rendering. */
export function useStable<T extends Handlers>(handlers: T): T {
  const latest = useRef<Handlers>(handlers);
  useEffect(() => {
    latest.current = handlers;
  });
  const [stable] = useState(() => Object.fromEntries(Object.keys(handlers).map((name) => [name, (...args: never[]) => latest.current[name]?.(...args)])));
  return stable as T;
}
