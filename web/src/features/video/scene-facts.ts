import type { Language } from "@/lib/i18n/i18n";
import type { Scene } from "@/lib/api/types";

/** What the pictures of a scene gave. A server, or an indexing, without that kind of model has nothing in the field or no such field. */
export interface SeenScene extends Pick<Scene, "scene_id" | "start_ms" | "end_ms"> {
  tags?: readonly SceneTag[] | null;
  on_screen?: readonly SceneText[] | null;
  people?: readonly ScenePerson[] | null;
  affect?: SceneAffect | null;
}
export interface SceneTag {
  tag: string;
  label: string;
  score: number;
}
export interface SceneText {
  text: string;
  confidence: number;
  start_ms: number;
  end_ms: number;
}
export interface ScenePerson {
  person_id: string;
  /** Null: somebody who has no name yet. */
  display_name: string | null;
}
export interface SceneAffect {
  valence?: AffectValue | null;
  arousal?: AffectValue | null;
  energy?: AffectValue | null;
}
interface AffectValue {
  value: number;
  confidence: number;
}

export const MOODS = ["pleasant", "unpleasant", "excited", "calm", "lively", "quiet"] as const;
export type Mood = (typeof MOODS)[number];

/** What is said of a mood only when it stands out and there was enough to tell it by. */
const SURE = 0.35;

export function moods(affect: SceneAffect | null | undefined): Mood[] {
  const told = (dimension: AffectValue | null | undefined, low: number, high: number, less: Mood, more: Mood): Mood[] => {
    if (!dimension || dimension.confidence < SURE) return [];
    if (dimension.value >= high) return [more];
    return dimension.value <= low ? [less] : [];
  };
  return [
    ...told(affect?.valence, -0.3, 0.3, "unpleasant", "pleasant"),
    ...told(affect?.arousal, 0.35, 0.65, "calm", "excited"),
    ...told(affect?.energy, 0.2, 0.7, "quiet", "lively"),
  ];
}

/** Scenes of which anything was found, in order. */
export function withFindings(scenes: readonly SeenScene[]): SeenScene[] {
  return scenes.filter((scene) => scene.tags?.length || scene.on_screen?.length || scene.people?.length);
}

/** Tags by how much of the video they are in, the greatest first. */
export function commonTags(scenes: readonly SeenScene[], most: number): (SceneTag & { count: number })[] {
  const all = new Map<string, SceneTag & { count: number }>();
  for (const tag of scenes.flatMap((scene) => scene.tags ?? [])) {
    const known = all.get(tag.tag);
    if (known) {
      known.score += tag.score;
      known.count += 1;
    } else all.set(tag.tag, { ...tag, count: 1 });
  }
  return [...all.values()].sort((a, b) => b.score - a.score || a.tag.localeCompare(b.tag)).slice(0, most);
}

/** The start of the next scene that has it, after `at_ms`; the first one's again after the last. */
export function nextWith(scenes: readonly SeenScene[], has: (scene: SeenScene) => boolean, at_ms: number): number | undefined {
  const starts = scenes.filter(has).map((scene) => scene.start_ms);
  return starts.find((start) => start > at_ms) ?? starts[0];
}

export const percent = (share: number, language: Language) => new Intl.NumberFormat(language, { style: "percent", maximumFractionDigits: 0 }).format(share);
