import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { partsOf } from "./mail-text";

describe("a mail in the outbox", () => {
  it("has a link to press and a code to type", () => {
    const body = "Sign in by this link:\nhttp://127.0.0.1:8480/app/auth/confirm?token_hash=pkce_123456&type=magiclink\n\nOr enter this code: 042917. It is good for 60 minutes.";
    expect(partsOf(body).filter(({ kind }) => kind !== "text")).toEqual([
      { kind: "link", text: "http://127.0.0.1:8480/app/auth/confirm?token_hash=pkce_123456&type=magiclink" },
      { kind: "code", text: "042917" },
    ]);
  });

  it("keeps the sentence's own signs out of a link, and longer numbers out of codes", () => {
    expect(partsOf("See https://heimdex.example/app. Order 1234567.").filter(({ kind }) => kind !== "text")).toEqual([{ kind: "link", text: "https://heimdex.example/app" }]);
  });

  it("loses nothing", () => {
    const piece = fc.oneof(fc.string(), fc.constantFrom("https://heimdex.example/app?a=1.", "(http://x)", "https://"), fc.integer({ min: 0, max: 9_999_999 }).map(String));
    fc.assert(fc.property(fc.array(piece), (pieces) => partsOf(pieces.join(" ")).map(({ text }) => text).join("") === pieces.join(" ")));
  });
});
