import { expect, it } from "vitest";
import { filesOf, MAX_FILES, videosAmong, type Entry } from "./folders";

const file = (name: string): Entry => ({ isFile: true, isDirectory: false, name, file: (done: (file: File) => void) => done(new File(["x"], name)) }) as unknown as Entry;
/** Gives its children a hundred at a time, as Chromium does. */
const folder = (name: string, children: Entry[]): Entry =>
  ({
    isFile: false,
    isDirectory: true,
    name,
    createReader: () => {
      let at = 0;
      return { readEntries: (done: (some: Entry[]) => void) => done(children.slice(at, (at += 100))) };
    },
  }) as unknown as Entry;
const names = (files: readonly File[]) => files.map((each) => each.name);

it("finds the videos of a folder and of those inside it, and counts the rest", async () => {
  const found = await filesOf([folder("trip", [file("b.mp4"), file("notes.txt"), folder("day 2", [file("c.mov"), file(".hidden.mp4")]), file("a.mp4")]), file("letter.txt")]);
  expect(names(found.files)).toEqual(["a.mp4", "b.mp4", "c.mov", "letter.txt"]);
  expect(found).toMatchObject({ others: 2, cut: false });
});

it("reads a folder of more than a hundred, and stops where it is told to", async () => {
  const many = (count: number) => Array.from({ length: count }, (_, index) => file(`${index}.mp4`));
  expect((await filesOf([folder("all", many(250))])).files).toHaveLength(250);
  const found = await filesOf([folder("all", many(MAX_FILES + 50))]);
  expect(found.files).toHaveLength(MAX_FILES);
  expect(found.cut).toBe(true);
  expect(videosAmong(Array.from({ length: MAX_FILES + 1 }, () => new File(["x"], "a.mp4"))).cut).toBe(true);
});

it("goes on when a file or a folder cannot be read, and ends in one without end", async () => {
  const broken = { isFile: true, isDirectory: false, name: "x.mp4", file: (_: unknown, fail: (error: Error) => void) => fail(new Error("gone")) } as unknown as Entry;
  const endless: Entry = folder("again", []);
  Object.assign(endless, { createReader: () => { let first = true; return { readEntries: (done: (some: Entry[]) => void) => { done(first ? [endless] : []); first = false; } }; } });
  const found = await filesOf([broken, endless, file("a.mp4")]);
  expect(names(found.files)).toEqual(["a.mp4"]);
  expect(found).toMatchObject({ others: 1, cut: true });
});
