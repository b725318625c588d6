import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { backoffMs, SseParser, type SseEvent } from "./sse";

const parseAll = (text: string, cuts: number[] = []) => {
  const parser = new SseParser();
  const events: SseEvent[] = [];
  let from = 0;
  for (const cut of [...cuts.map((at) => at % (text.length + 1)).sort((a, b) => a - b), text.length]) {
    events.push(...parser.push(text.slice(from, cut)));
    from = cut;
  }
  return events;
};

describe("the event stream parser", () => {
  it("reads events, their types, many data lines, and skips comments", () => {
    expect(parseAll(": heartbeat\n\nevent: job\ndata: {\"a\":\ndata: 1}\n\ndata:no space\n\n")).toEqual([
      { event: "job", data: '{"a":\n1}', id: "" },
      { event: "message", data: "no space", id: "" },
    ]);
  });

  it("drops an event that has no data or was not ended", () => {
    expect(parseAll("event: job\n\ndata: half\n")).toEqual([]);
  });

  it("ignores a byte order mark, unknown fields and an id with a zero byte", () => {
    expect(parseAll("\uFEFFid: 7\ndata: x\nretry: 10\nwhat: ever\n\nid: a\0b\ndata: y\n\n")).toEqual([
      { event: "message", data: "x", id: "7" },
      { event: "message", data: "y", id: "7" },
    ]);
  });

  const line = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\r\n]/g, ""));
  const written = fc.array(fc.record({ event: line.filter((name) => name !== "" && !name.startsWith(" ")), data: fc.array(line, { minLength: 1, maxLength: 3 }) }), { maxLength: 5 });
  const newline = fc.constantFrom("\n", "\r\n", "\r");
  // A lone "\r" at the very end may still become "\r\n", so the stream ends with a comment, as a heartbeat would.
  const write = (events: { event: string; data: string[] }[], end: string) =>
    events.map(({ event, data }) => `event: ${event}${end}${data.map((text) => `data: ${text}${end}`).join("")}${end}`).join("") + `:${end}.`;

  it("gives back what was written, with any newline", () => {
    fc.assert(
      fc.property(written, newline, (events, end) => {
        expect(parseAll(write(events, end)).map(({ event, data }) => ({ event, data }))).toEqual(events.map(({ event, data }) => ({ event, data: data.join("\n") })));
      }),
    );
  });

  it("gives the same events however the network cuts the text", () => {
    fc.assert(
      fc.property(written, newline, fc.array(fc.nat(), { maxLength: 20 }), (events, end, cuts) => {
        const text = write(events, end);
        expect(parseAll(text, cuts)).toEqual(parseAll(text));
      }),
    );
  });
});

describe("the back-off", () => {
  it("grows, stays under its ceiling and never falls under half of it", () => {
    fc.assert(
      fc.property(fc.nat(40), fc.double({ min: 0, max: 1, noNaN: true }), (attempt, random) => {
        const ceiling = Math.min(30_000, 1000 * 2 ** attempt);
        const wait = backoffMs(attempt, 1000, 30_000, () => random);
        expect(wait).toBeGreaterThanOrEqual(Math.floor(ceiling / 2));
        expect(wait).toBeLessThanOrEqual(ceiling);
      }),
    );
  });
});
