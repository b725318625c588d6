import type { Scene } from "./api/types";

/** As much as fits beside the time, in UTF-16 units. */
const LONGEST = 42;

/** What a scene is called as a chapter: the first words that are said in it, else what is surest to be seen. Null where neither is
 *  known. */
export function chapterTitle({ text, tags }: Pick<Scene, "text" | "tags">): string | null {
  const said = text.trim().replace(/\s+/g, " ");
  if (said !== "") return shortened(said);
  const surest = tags.reduce<Scene["tags"][number] | null>((best, tag) => (best === null || tag.score > best.score ? tag : best), null);
  return surest?.label ?? null;
}

/** Whole words where the writing has spaces, whole characters where it has none. */
function shortened(text: string): string {
  if (text.length <= LONGEST) return text;
  const cut = text.lastIndexOf(" ", LONGEST);
  const kept = cut > 0 ? text.slice(0, cut) : [...text.slice(0, LONGEST)].slice(0, -1).join("");
  return `${kept.replace(/[\s,;:.!?–-]+$/u, "")}…`;
}
