import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHIP_KEYS, chipsOf, isFinished, parts, withChip, withoutChip, type Chip } from "./chips";

const chip = (key: Chip["key"], value: string, excluded = false): Chip => ({ key, value, excluded });

/** Texts full of what the language means something by. */
const query = fc
  .array(fc.oneof(fc.constantFrom("-", '"', "“", " ", "\t", ":", "tag:", "PERSON:", "-text:", "said:", "or", "rain", "비", "🎬", "-music", "--", "\u0000", "<60"), fc.string({ maxLength: 4, unit: "grapheme" })), { maxLength: 14 })
  .map((pieces) => pieces.join(""));
const word = fc.string({ minLength: 1, maxLength: 8, unit: "grapheme" });
const newChip = fc.record({ key: fc.constantFrom(...CHIP_KEYS), value: word, excluded: fc.boolean() });

describe("the chips of a query", () => {
  it("are its operators, whatever stands beside them", () => {
    expect(chipsOf('rain person:"Minji  Kim" tag:car -TEXT:“on air” -music http://x note: tag:')).toEqual([
      chip("person", "Minji Kim"),
      chip("tag", "car"),
      chip("text", "on air", true),
      chip("said", "music", true),
    ]);
    expect(chipsOf('"tag:car" -- - a-b')).toEqual([]);
    expect(chipsOf('-"good morning" duration:60..120 person:민지')).toEqual([chip("said", "good morning", true), chip("duration", "60..120"), chip("person", "민지")]);
  });

  it("go from the text to chips and back without losing a letter", () => {
    fc.assert(fc.property(query, (text) => void expect(parts(text).map((part) => part.source).join("")).toBe(text)));
  });

  it("that are added are there, behind those that were, and the words stay", () => {
    fc.assert(
      fc.property(query, newChip, (text, added) => {
        const before = chipsOf(text);
        const after = withChip(text, added);
        const plain = added.value.replace(/["“”„＂]/gu, " ").split(/[\p{White_Space}\p{Cc}]+/u).filter(Boolean).join(" ");
        if (plain === "") expect(after).toBe(text);
        else {
          // A word that was left open at the end is closed; an operator that waited for its value goes on waiting.
          expect(chipsOf(after)).toEqual([...before, { ...added, value: plain }]);
          expect(after.startsWith(text)).toBe(true);
        }
      }),
    );
  });

  it("that are removed are gone, and nothing else is", () => {
    fc.assert(
      fc.property(query, fc.nat(5), (text, number) => {
        const before = chipsOf(text);
        const words = (of: string) => parts(of).filter((part) => part.kind === "words").map((part) => part.source);
        const after = withoutChip(text, number);
        expect(chipsOf(after)).toEqual(before.filter((_, place) => place !== number));
        expect(words(after)).toEqual(words(text));
        if (number >= before.length) expect(after).toBe(text);
      }),
    );
  });

  it("added and removed again leave the text as it was but for a blank and a quote", () => {
    fc.assert(
      fc.property(query, newChip, (text, added) => {
        const after = withChip(text, added);
        if (after === text) return;
        const back = withoutChip(after, chipsOf(text).length);
        expect(back.startsWith(text.replace(/[\p{White_Space}\p{Cc}]+$/u, ""))).toBe(true);
        expect(["", '"']).toContain(back.slice(text.length));
      }),
    );
  });

  it("keep one blank between what was around them", () => {
    expect(withoutChip("rain tag:car wind", 0)).toBe("rain wind");
    expect(withoutChip("rain tag:car", 0)).toBe("rain");
    expect(withoutChip("tag:car  rain", 0)).toBe("rain");
    expect(withChip("rain", chip("person", "Minji Kim"))).toBe('rain person:"Minji Kim"');
    expect(withChip('"rain', chip("tag", "car", true))).toBe('"rain" -tag:car');
    expect(withChip("", chip("lang", "ko"))).toBe("lang:ko");
  });

  it("say whether somebody is in the middle of writing one", () => {
    for (const text of ["rain", 'tag:car "exact words"', "-music", "a - b", ""]) expect(isFinished(text), text).toBe(true);
    for (const text of ["rain tag:", '"exact wor', 'person:"Min', '-"', 'tag:""']) expect(isFinished(text), text).toBe(false);
  });
});
