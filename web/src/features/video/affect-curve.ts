import type { SeenScene } from "./scene-facts";

export const DIMENSIONS = ["valence", "arousal", "energy"] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/** A value at the middle of a scene: `x` from 0 to 1 over the length, `y` from 0 (least) to 1. */
export interface Point {
  x: number;
  y: number;
}

/** Each dimension's values over time, in order; scenes that tell nothing of it are left out. Valence is from -1 to 1, the others from 0. */
export function curves(scenes: readonly SeenScene[], length_ms: number): Record<Dimension, Point[]> {
  const of = (dimension: Dimension) =>
    scenes.flatMap((scene) => {
      const told = scene.affect?.[dimension];
      if (!told || length_ms <= 0) return [];
      const y = dimension === "valence" ? (told.value + 1) / 2 : told.value;
      return [{ x: Math.min(1, (scene.start_ms + scene.end_ms) / 2 / length_ms), y: Math.min(1, Math.max(0, y)) }];
    });
  return { valence: of("valence"), arousal: of("arousal"), energy: of("energy") };
}

/** The scene in which a dimension is highest, and where it is lowest; undefined with fewer than two. */
export function extremes(scenes: readonly SeenScene[], dimension: Dimension): { highest_ms: number; lowest_ms: number } | undefined {
  const told = scenes.flatMap((scene) => {
    const value = scene.affect?.[dimension]?.value;
    return value === undefined ? [] : [{ at: scene.start_ms, value }];
  });
  if (told.length < 2) return undefined;
  const highest = told.reduce((best, one) => (one.value > best.value ? one : best));
  const lowest = told.reduce((best, one) => (one.value < best.value ? one : best));
  return { highest_ms: highest.at, lowest_ms: lowest.at };
}
