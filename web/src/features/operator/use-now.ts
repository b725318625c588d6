import { useEffect, useState } from "react";

/** The time in milliseconds, anew every `every_ms`: ages grow while nothing happens. */
export function useNow(every_ms = 5000): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every_ms);
    return () => clearInterval(timer);
  }, [every_ms]);
  return now;
}
