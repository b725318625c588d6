import { describe, expect, it } from "vitest";
import type { Stage } from "@/lib/api/types";
import { layOut } from "./graph";
import { at, edge, GAP_X, HEIGHT, WIDTH } from "./graph-edges";

const graph: { stage: Stage; needs: Stage[] }[] = [
  { stage: "upload_validate", needs: [] },
  { stage: "audio_extract", needs: ["upload_validate"] },
  { stage: "asr_fast", needs: ["audio_extract"] },
  { stage: "scene_detect", needs: ["upload_validate"] },
  { stage: "align_merge", needs: ["asr_fast", "scene_detect"] },
  { stage: "embed_text", needs: ["align_merge"] },
  { stage: "vision_sample_frames", needs: ["scene_detect"] },
  { stage: "vision_embed_frames", needs: ["vision_sample_frames"] },
  // Its need stands after it in the list.
  { stage: "vision_affect_tags", needs: ["vision_embed_frames", "asr_fast", "faces_enroll_match"] },
  { stage: "faces_enroll_match", needs: ["vision_sample_frames"] },
  { stage: "sidecar_build", needs: ["embed_text", "vision_affect_tags"] },
  { stage: "commit", needs: ["sidecar_build"] },
];

describe("the drawing of the stages", () => {
  const places = layOut(graph);
  it("puts every stage to the right of all it needs, each at its own place", () => {
    for (const { stage, needs } of graph) for (const need of needs) expect(places.get(stage)?.column).toBeGreaterThan(places.get(need)?.column ?? Infinity);
    expect(new Set([...places.values()].map(({ column, row }) => `${column}/${row}`)).size).toBe(12);
  });
  it("is seven columns wide and at most three rows high, which fits the page", () => {
    expect(Math.max(...[...places.values()].map((place) => place.column))).toBe(6);
    expect(Math.max(...[...places.values()].map((place) => place.row))).toBeLessThan(3);
  });
  it("is no wider than the page beside a scroll bar", () => {
    expect(at({ column: 6, row: 0 }).x + WIDTH).toBeLessThanOrEqual(1280 - 48 - 17);
    expect(GAP_X).toBeGreaterThan(0);
  });
  it("leads no line behind a stage", () => {
    const boxes = [...places.entries()].map(([stage, place]) => ({ stage, ...at(place) }));
    for (const { stage, needs } of graph) {
      for (const need of needs) {
        const [from, to] = [places.get(need), places.get(stage)];
        if (!from || !to) throw new Error("a stage has no place");
        const numbers = (edge(from, to).match(/-?[\d.]+/g) ?? []).map(Number);
        // A step to the right on the same line is the only path with three numbers.
        const points = numbers.length === 3 ? [[numbers[0], numbers[1]], [numbers[2], numbers[1]]] : Array.from({ length: numbers.length / 2 }, (_, index) => [numbers[2 * index], numbers[2 * index + 1]]);
        for (let index = 1; index < points.length; index += 1) {
          const [x1 = 0, y1 = 0] = points[index - 1] as number[];
          const [x2 = 0, y2 = 0] = points[index] as number[];
          for (const box of boxes) {
            const meets = Math.max(x1, x2) > box.x && Math.min(x1, x2) < box.x + WIDTH && Math.max(y1, y2) > box.y && Math.min(y1, y2) < box.y + HEIGHT;
            expect(meets, `${need} to ${stage} behind ${box.stage}`).toBe(false);
          }
        }
      }
    }
  });
});
