import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState, type CSSProperties, type PointerEvent } from "react";
import { spriteQuery } from "@/lib/api/queries";
import type { Video } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { parseSprite, tileAt, tileStyle } from "@/lib/sprite";

/** A pointer that only passes over asks for nothing. */
const REST_MS = 150;
/** Steps of the keyboard through the whole. */
const STEPS = 20;

const clamp = (share: number) => Math.min(1, Math.max(0, share));
const quiet = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Looking through a video on its poster: a mouse moves along it, the keyboard steps. A finger scrolls the page instead, and
 *  for people who asked for less motion pictures change only by their own keystroke. What there is to see comes by `useTile`,
 *  which a card that nobody looks through never calls. */
export function useScrub(video: Video) {
  /** Where, from 0 to 1; null while the poster is shown. */
  const [at, setAt] = useState<number | null>(null);
  const [wanted, setWanted] = useState(false);
  const timer = useRef(0);
  useEffect(() => () => window.clearTimeout(timer.current), []);

  const length_ms = video.duration_ms ?? 0;
  const possible = video.state === "indexed" && length_ms > 0;
  const leave = () => {
    window.clearTimeout(timer.current);
    setAt(null);
  };
  const follow = (event: PointerEvent<HTMLElement>) => {
    if (event.pointerType === "touch" || !possible || quiet()) return;
    const box = event.currentTarget.getBoundingClientRect();
    setAt(clamp((event.clientX - box.left) / Math.max(1, box.width)));
    if (wanted) return;
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setWanted(true), REST_MS);
  };

  return {
    /** The moment that is looked at; null while the poster is shown. */
    at_ms: at !== null && wanted && possible ? at * length_ms : null,
    pointer: { onPointerEnter: follow, onPointerMove: follow, onPointerLeave: leave },
    leave,
    step: (by: -1 | 1) => {
      if (!possible) return;
      setWanted(true);
      setAt((now) => (now === null ? 0 : clamp(now + by / STEPS)));
    },
  };
}

/** The small picture of a moment, as the style of the box that shows it; null until it is there. */
export function useTile(videoId: string, at_ms: number): CSSProperties | null {
  const { api } = useServices();
  const sprite = useQuery(spriteQuery(api, videoId)).data;
  const tiles = useQuery({
    // The signature changes, the sheet does not.
    queryKey: ["sprite", sprite?.vtt_url.split("?", 1)[0]],
    queryFn: async ({ signal }) => {
      const response = await fetch(sprite?.vtt_url ?? "", { signal });
      if (!response.ok) throw new Error(`the store answered ${response.status}`);
      return parseSprite(await response.text());
    },
    enabled: sprite !== undefined,
    staleTime: Infinity,
    retry: 1,
  }).data;
  const tile = tiles && tileAt(tiles, at_ms);
  return tile && sprite ? { ...tileStyle(tiles, tile), backgroundImage: `url("${sprite.url}")` } : null;
}
