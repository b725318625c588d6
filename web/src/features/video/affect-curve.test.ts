import { describe, expect, it } from "vitest";
import { curves, extremes } from "./affect-curve";
import type { SeenScene } from "./scene-facts";

const scene = (number: number, valence: number | null): SeenScene => ({
  scene_id: `s${number}`,
  start_ms: number * 1000,
  end_ms: (number + 1) * 1000,
  affect: valence === null ? null : { valence: { value: valence, confidence: 1 } },
});

describe("the mood over time", () => {
  it("puts each scene that tells something at its middle", () => {
    const scenes = [scene(0, -1), scene(1, null), scene(2, 0.5), scene(3, 3)];
    expect(curves(scenes, 4000)).toEqual({
      valence: [
        { x: 0.125, y: 0 },
        { x: 0.625, y: 0.75 },
        { x: 0.875, y: 1 },
      ],
      arousal: [],
      energy: [],
    });
    expect(extremes(scenes, "valence")).toEqual({ highest_ms: 3000, lowest_ms: 0 });
    expect(extremes(scenes.slice(0, 2), "valence")).toBeUndefined();
    expect(curves(scenes, 0).valence).toEqual([]);
  });
});
