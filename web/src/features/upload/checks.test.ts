import { describe, expect, it } from "vitest";
import { aFewAtATime, mimeTypeOf, refusalOf } from "./checks";

const limits = { max_size_bytes: 1000, max_duration_s: 600, left_today: 3 };
const file = (name: string, type = "", size = 10) => ({ name, type, size });

it("looks at many files a few at a time, and answers in their order", async () => {
  let open = 0;
  let peak = 0;
  const answers = await aFewAtATime([...Array(20).keys()], 3, async (number) => {
    peak = Math.max(peak, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open -= 1;
    return number * 2;
  });
  expect(peak).toBe(3);
  expect(answers).toEqual([...Array(20).keys()].map((number) => number * 2));
  expect(await aFewAtATime([], 3, async () => 1)).toEqual([]);
});

describe("checks before sending", () => {
  it("know a video by its ending or its type", () => {
    expect(mimeTypeOf(file("Rain.MOV"))).toBe("video/quicktime");
    expect(mimeTypeOf(file("비 오는 날.mkv"))).toBe("video/x-matroska");
    expect(mimeTypeOf(file("clip", "video/x-odd"))).toBe("video/x-odd");
    expect(mimeTypeOf(file("notes.txt", "text/plain"))).toBeNull();
  });

  it("refuse what the server would refuse, and leave the rest to it", () => {
    expect(refusalOf(file("a.txt"), null, limits)).toEqual({ reason: "type" });
    expect(refusalOf(file("a.mp4", "", 0), null, limits)).toEqual({ reason: "empty" });
    expect(refusalOf(file("a.mp4", "", 1001), null, limits)).toEqual({ reason: "size", limit_bytes: 1000 });
    expect(refusalOf(file("a.mp4"), 602, limits)).toEqual({ reason: "duration", limit_s: 600, actual_s: 602 });
    expect(refusalOf(file("a.mp4"), 600.9, limits)).toBeNull();
    expect(refusalOf(file("a.mp4"), null, limits)).toBeNull();
    expect(refusalOf(file("a.mp4"), 9999, { ...limits, max_duration_s: null })).toBeNull();
  });
});
