import { describe, expect, it } from "vitest";
import type { Scene } from "./api/types";
import { chapterTitle } from "./chapters";

const tag = (label: string, score: number) => ({ tag: label, label, score }) as Scene["tags"][number];

describe("a chapter's title", () => {
  it("is what is said first, in whole words", () => {
    expect(chapterTitle({ text: " It was the best of times. ", tags: [tag("car", 0.9)] })).toBe("It was the best of times.");
    expect(chapterTitle({ text: "It was the best of times, it was the worst of times", tags: [] })).toBe("It was the best of times, it was the worst…");
  });
  it("of a writing without spaces is cut between characters", () => {
    const title = chapterTitle({ text: "𠮷".repeat(60), tags: [] });
    expect(title).toMatch(/^𠮷+…$/u);
  });
  it("of a scene without words is what is surest to be seen, or nothing", () => {
    expect(chapterTitle({ text: "", tags: [tag("car", 0.4), tag("tie", 0.8)] })).toBe("tie");
    expect(chapterTitle({ text: " ", tags: [] })).toBeNull();
  });
});
