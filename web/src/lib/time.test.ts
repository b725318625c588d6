import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { formatByteLimit, formatBytes, formatDate, formatEta, formatTimecode, spokenTimecode } from "./time";

describe("time and size for people", () => {
  it("writes positions as players do", () => {
    expect([0, 999, 7_000, 125_400, 3_723_000].map(formatTimecode)).toEqual(["0:00", "0:00", "0:07", "2:05", "1:02:03"]);
  });

  it("keeps the order of positions when they are read back", () => {
    const seconds = (text: string) => text.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
    fc.assert(
      fc.property(fc.nat(400_000_000), (ms) => {
        expect(seconds(formatTimecode(ms))).toBe(Math.floor(ms / 1000));
      }),
    );
  });

  it("says positions in words", () => {
    expect(spokenTimecode(65_000, "en")).toBe("1 minute 5 seconds");
    expect(spokenTimecode(3_600_000, "en")).toBe("1 hour 0 minutes 0 seconds");
  });

  it("tells what is left without false precision", () => {
    expect([0.2, 42, 120, 4000, 8000].map((s) => formatEta(s, "en"))).toEqual(["1 sec", "42 sec", "2 min", "67 min", "2 hr 14 min"]);
  });

  it("writes sizes in decimal units, and a limit never larger than it is", () => {
    expect([0, 950, 48_300_000, 1_400_000_000].map((bytes) => formatBytes(bytes, "en"))).toEqual(["0 bytes", "950 bytes", "48.3 MB", "1.4 GB"]);
    expect(formatByteLimit(1024 ** 3, "en")).toBe("1 GB");
    expect(formatByteLimit(5 * 1024 ** 3, "en")).toBe("5.3 GB");
  });

  it("names the days around today and dates the others", () => {
    const now = new Date(2026, 2, 10, 12, 0);
    const at = (day: number, hour: number) => formatDate(new Date(2026, 2, day, hour, 5).toISOString(), "en-GB", now);
    expect(at(10, 9)).toMatch(/^today, 0?9:05$/);
    expect(at(11, 0)).toMatch(/^tomorrow, /);
    expect(at(9, 23)).toMatch(/^yesterday, /);
    expect(at(3, 9)).toBe("3 Mar");
    expect(formatDate(new Date(2024, 2, 3).toISOString(), "en-GB", now)).toBe("3 Mar 2024");
  });
});
