import type { Match } from "@/lib/api/types";
import type { messages } from "./messages";

type Words = Pick<ReturnType<typeof messages.use>, "why">;

/** Why a channel found a scene, in the person's language. The server's own sentence is English: of it only what is written in the
 *  picture is taken, and all of it where the channel is not known here. */
export function why({ channel, score, detail }: Pick<Match, "channel" | "score" | "detail">, { why: t }: Words): string {
  switch (channel) {
    case "words":
      if (score >= 1) return t.wordForWord;
      return score > 0.01 ? t.words : t.someWords;
    case "written": {
      const text = /“(.*)”/s.exec(detail)?.[1];
      if (!text) return t.written;
      return score >= 1 ? t.writtenText(text) : t.writtenNearly(text);
    }
    case "meaning":
    case "seen":
    case "tagged":
    case "who":
    case "filters":
      return t[channel];
    default:
      return detail;
  }
}
