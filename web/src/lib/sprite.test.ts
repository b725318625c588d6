import { describe, expect, it } from "vitest";
import { parseSprite } from "./sprite";

describe("the seek bar's pictures", () => {
  it("come from the sheet's cues, with hours or without, and any newline", () => {
    const vtt = "WEBVTT\r\n\r\n1\r\n00:00.000 --> 00:02.500\r\nsprite.webp#xywh=0,0,160,90\r\n\r\n01:00:02.500 --> 01:00:05.000 align:start\r\nsprite.webp#xywh=160,90,160,90\r\n";
    expect(parseSprite(vtt)).toEqual([
      { start_ms: 0, end_ms: 2500, x: 0, y: 0, width: 160, height: 90 },
      { start_ms: 3_602_500, end_ms: 3_605_000, x: 160, y: 90, width: 160, height: 90 },
    ]);
  });

  it("are none where there is something else", () => {
    expect(parseSprite("WEBVTT\n\n00:00.000 --> 00:01.000\nspoken words\n\n00:01.000 --> 00:02.000\ns.webp#xywh=0,0,0,0\n")).toEqual([]);
    expect(parseSprite("")).toEqual([]);
  });
});
