import { Link } from "@tanstack/react-router";
import { ChevronRight, Hash, ScanText, UserRound } from "lucide-react";
import { useEffect, useRef, type ReactNode } from "react";
import { cx } from "@/components/cx";
import { useLanguage } from "@/lib/i18n/i18n";
import { useLongList } from "@/lib/long-list";
import { formatTimecode } from "@/lib/time";
import { indexAt } from "./follow";
import { messages } from "./messages";
import { useClock, type PlayerClock } from "./player-clock";
import { commonTags, moods, nextWith, percent, withFindings, type ScenePerson, type SeenScene } from "./scene-facts";

const MOST_TAGS = 12;
/** Of a scene with one line of findings, pixels. */
const ROW_PX = 45;

/** What was seen: the video's tags, each of which leads to the next scene with it, and scene by scene people, tags and writing. */
export function SceneFacts({ scenes, clock, onSeek }: { scenes: readonly SeenScene[]; clock: PlayerClock; onSeek: (at_ms: number) => void }) {
  const t = messages.use();
  const language = useLanguage();
  const list = useRef<HTMLOListElement>(null);
  const hovered = useRef(false);
  const found = withFindings(scenes);
  const starts = found.map((scene) => scene.start_ms);
  const current = useClock(clock, (at_ms) => {
    const index = indexAt(starts, at_ms);
    return at_ms < (found[index]?.end_ms ?? 0) ? index : -1;
  });
  const { first, end, before_px, after_px, measure, reveal, onKeyDown } = useLongList<HTMLLIElement>(list, { count: found.length, estimate_px: () => ROW_PX, place: "data-seen" });

  useEffect(() => {
    const box = list.current;
    if (!box || current < 0) return;
    // What somebody points at or stands on does not move away from under them.
    if (hovered.current || box.contains(document.activeElement)) return;
    reveal(current);
  }, [current, reveal]);

  if (found.length === 0) return null;
  const toNext = (tag: string) => {
    const next = nextWith(found, (scene) => scene.tags?.some((one) => one.tag === tag) ?? false, clock.at_ms);
    if (next !== undefined) onSeek(next);
  };
  const tags = commonTags(found, MOST_TAGS);
  return (
    <section aria-labelledby="seen" className="min-w-0 rounded-2xl border border-line bg-surface shadow-card">
      <h2 id="seen" className="px-5 pt-4 pb-2 text-[15px] font-semibold">
        {t.seen}
      </h2>
      {tags.length > 0 && (
        <ul aria-label={t.tags} className="flex flex-wrap gap-1.5 px-5 pb-3">
          {tags.map((tag) => (
            <li key={tag.tag}>
              <Chip icon={<Hash />} label={t.nextWith(tag.label)} onClick={() => toNext(tag.tag)}>
                {tag.label}
                {tag.count > 1 && <span className="nums font-normal text-ink-faint">{tag.count}</span>}
              </Chip>
            </li>
          ))}
        </ul>
      )}
      <ol
        ref={list}
        tabIndex={0}
        aria-labelledby="seen"
        onKeyDown={onKeyDown}
        // A finger that has been lifted points at nothing.
        onPointerEnter={(event) => (hovered.current = event.pointerType !== "touch")}
        onPointerLeave={() => (hovered.current = false)}
        className="thin-scroll relative max-h-80 divide-y divide-line overflow-y-auto border-t border-line"
      >
        {before_px > 0 && <li aria-hidden="true" className="border-0 [overflow-anchor:none]" style={{ height: before_px }} />}
        {found.slice(first, end).map((scene, offset) => {
          const index = first + offset;
          return (
            <li
              key={scene.scene_id}
              ref={measure}
              data-seen={index}
              aria-setsize={found.length}
              aria-posinset={index + 1}
              aria-current={index === current ? "true" : undefined}
              className={cx("grid grid-cols-[3.75rem_minmax(0,1fr)] items-start gap-x-3 px-5 py-2.5", index === current && "bg-accent-wash")}
            >
              <button
                type="button"
                aria-label={t.seekTo(formatTimecode(scene.start_ms))}
                onClick={() => onSeek(scene.start_ms)}
                className="nums inline-flex h-6 items-center text-left text-[13px] font-medium text-accent hover:underline"
              >
                {formatTimecode(scene.start_ms)}
              </button>
              <div className="flex min-w-0 flex-wrap items-center gap-1.5">
                {scene.people?.map((person) => (
                  <span key={person.person_id} className="inline-flex max-w-full items-center">
                    <Chip icon={<UserRound />} strong label={t.seekTo(formatTimecode(scene.start_ms))} onClick={() => onSeek(scene.start_ms)}>
                      {person.display_name ?? t.somebody}
                    </Chip>
                    <ToPerson person={person} at={formatTimecode(scene.start_ms)} />
                  </span>
                ))}
                {scene.tags?.map((tag) => (
                  <span key={tag.tag} title={t.sure(percent(tag.score, language))} className="inline-flex h-6 items-center rounded-full bg-sunken px-2.5 text-xs font-medium text-ink-soft">
                    {tag.label}
                  </span>
                ))}
                {moods(scene.affect).map((mood) => (
                  <span key={mood} className="inline-flex h-6 items-center px-1 text-xs text-ink-soft italic">
                    {t.moods[mood]}
                  </span>
                ))}
                {scene.on_screen?.map((text, place) => (
                  <button
                    key={place}
                    type="button"
                    title={t.sure(percent(text.confidence, language))}
                    onClick={() => onSeek(text.start_ms)}
                    className="flex w-full min-w-0 items-start gap-1.5 text-left text-[13px] text-ink hover:text-accent hover:underline"
                  >
                    <ScanText className="mt-0.5 size-3.5 shrink-0 text-ink-faint" aria-hidden="true" />
                    <span className="sr-only">{t.onScreen}: </span>
                    <span className="[overflow-wrap:anywhere]">{text.text}</span>
                  </button>
                ))}
              </div>
            </li>
          );
        })}
        {after_px > 0 && <li aria-hidden="true" className="border-0 [overflow-anchor:none]" style={{ height: after_px }} />}
      </ol>
    </section>
  );
}

/** To a person's page, which is also where somebody gets a name. */
function ToPerson({ person, at }: { person: ScenePerson; at: string }) {
  const t = messages.use();
  const label = person.display_name === null ? t.nameSomebody(at) : t.toPerson(person.display_name);
  return (
    <Link to="/people/$personId" params={{ personId: person.person_id }} aria-label={label} title={label} className="grid size-6 shrink-0 place-items-center rounded-full text-accent hover:bg-accent-wash">
      <ChevronRight className="size-3.5" aria-hidden="true" />
    </Link>
  );
}

function Chip({ icon, label, strong = false, onClick, children }: { icon: ReactNode; label: string; strong?: boolean; onClick: () => void; children: ReactNode }) {
  return (
    <button
      type="button"
      title={label}
      onClick={onClick}
      className={cx(
        "inline-flex h-6 max-w-full items-center gap-1 rounded-full border px-2.5 text-xs font-medium transition-colors [&_svg]:size-3 [&_svg]:shrink-0",
        strong ? "border-accent text-accent hover:bg-accent-wash" : "border-line text-ink-soft hover:border-line-strong hover:text-ink",
      )}
    >
      <span aria-hidden="true" className="contents">
        {icon}
      </span>
      {children}
    </button>
  );
}
