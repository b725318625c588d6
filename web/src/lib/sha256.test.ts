import { createHash } from "node:crypto";
import fc from "fast-check";
import { expect, it } from "vitest";
import { Sha256 } from "./sha256";

const ours = (...pieces: Uint8Array[]) => pieces.reduce((hash, piece) => hash.update(piece), new Sha256()).hex();

it("gives the examples of the standard", () => {
  expect(ours()).toBe("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  expect(ours(new TextEncoder().encode("abc"))).toBe("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
});

it("is the same as another implementation, whatever the pieces", () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 12 }), (pieces) => {
      const hash = createHash("sha256");
      for (const piece of pieces) hash.update(piece);
      expect(ours(...pieces)).toBe(hash.digest("hex"));
    }),
  );
});
