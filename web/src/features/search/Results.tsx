import { useEffect, useRef, type KeyboardEvent } from "react";
import type { Hit } from "@/lib/api/types";
import { HitCard } from "./HitCard";
import { takeLeft } from "./way-back";

const links = (list: Element | null) => [...(list?.querySelectorAll<HTMLElement>("[data-hit]") ?? [])];
const toTheBox = () => document.querySelector<HTMLElement>("[role=combobox]")?.focus();

/** Arrow keys go from hit to hit, and from the first one back to the box, as Escape does from any. */
function moveAmongHits(event: KeyboardEvent<HTMLOListElement>) {
  if (event.key === "Escape") {
    event.preventDefault();
    toTheBox();
  }
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  const all = links(event.currentTarget);
  const at = all.findIndex((link) => link.closest("li")?.contains(event.target as Node));
  if (at < 0) return;
  event.preventDefault();
  const next = all[at + (event.key === "ArrowDown" ? 1 : -1)];
  if (next) next.focus();
  else if (event.key === "ArrowUp") toTheBox();
}

/** The hits. Whoever comes back from a moment goes on from the hit that led there. */
export function Results({ hits, q, inVideo, stale, chosen, onChoose, onExpired }: {
  hits: Hit[];
  q: string;
  inVideo: boolean;
  stale: boolean;
  /** Those that are chosen, by their scene; null while none is to be. */
  chosen: ReadonlyMap<string, Hit> | null;
  onChoose: (hit: Hit) => void;
  onExpired: () => void;
}) {
  const list = useRef<HTMLOListElement>(null);
  useEffect(() => {
    const left = takeLeft();
    if (left) links(list.current).find((link) => link.dataset.hit === left)?.focus();
  }, []);
  // Of the hits of a video the last one says what its pages left out.
  const last = new Map(hits.map((hit) => [hit.video_id, hit.scene_id]));
  return (
    <ol ref={list} aria-busy={stale} className="grid gap-3 transition-opacity aria-busy:opacity-60" onKeyDown={moveAmongHits}>
      {hits.map((hit) => (
        <HitCard key={hit.scene_id} hit={hit} q={q} more={!inVideo && q !== "" && last.get(hit.video_id) === hit.scene_id ? hit.more_in_video : 0} chosen={chosen?.has(hit.scene_id) ?? null} onChoose={() => onChoose(hit)} onExpired={onExpired} />
      ))}
    </ol>
  );
}
