import { describe, expect, it } from "vitest";
import type { Stage } from "@/lib/api/types";
import { layOut } from "./graph";

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
});
