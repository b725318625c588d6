import { afterEach, describe, expect, it } from "vitest";
import { setLanguage } from "@/lib/i18n/i18n";
import { messages } from "./messages";
import { why } from "./why";

const CHANNELS = ["words", "meaning", "seen", "written", "tagged", "who"];
const found = (channel: string, score = 0.5, detail = "shows it (0.50)") => why({ channel, score, detail }, messages.now());

describe("why a scene was found", () => {
  afterEach(() => setLanguage("en"));

  it("is said in the person's language for every channel", () => {
    const english = CHANNELS.map((channel) => found(channel));
    expect(new Set(english).size).toBe(CHANNELS.length);
    setLanguage("ko");
    for (const channel of CHANNELS) expect(found(channel)).toMatch(/^[^a-z]*[가-힣][^a-z]*$/);
  });

  it("keeps what is written in the picture, and whether it is only nearly what was asked for", () => {
    expect(found("written", 1, "shows “OPEN “24” HOURS”")).toBe("“OPEN “24” HOURS” is written in the picture");
    setLanguage("ko");
    expect(found("written", 1, "shows “영업중”")).toBe("화면에 쓰인 글자: “영업중”");
    expect(found("written", 0.7, "shows “영업증”, which is nearly that")).toContain("“영업증”");
    expect(found("written", 0.7, "shows “영업증”, which is nearly that")).not.toBe(found("written", 1, "shows “영업증”"));
  });

  it("does not claim all words where only some were said", () => {
    expect(new Set([found("words", 1), found("words", 0.4), found("words", 0.001)]).size).toBe(3);
  });

  it("is what the server says of a channel that is not known here", () => {
    expect(found("heard", 1, "sounds like it")).toBe("sounds like it");
  });
});
