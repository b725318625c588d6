import { useRef } from "react";

const REST_MS = 10_000;

/** For `onExpired` of signed pictures: all of a page together ask for new ones at most once every ten seconds, so that one
 *  that is really gone does not ask for ever. */
export function useRenewal(renew: () => void): () => void {
  const asked = useRef(0);
  return () => {
    if (Date.now() - asked.current < REST_MS) return;
    asked.current = Date.now();
    renew();
  };
}
