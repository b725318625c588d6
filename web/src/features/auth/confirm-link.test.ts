import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { confirmUrl, ownPath } from "@/lib/auth-links";
import { parseConfirmLink } from "./confirm-link";

const page = "https://heimdex.example/app/auth/confirm";

describe("a link from a mail", () => {
  it("carries a token that is spent by a press", () => {
    expect(parseConfirmLink(`${page}?token_hash=pkce_ab12&type=recovery&next=/app/search?q=rain`)).toEqual({
      kind: "token",
      tokenHash: "pkce_ab12",
      type: "recovery",
      next: "/app/search?q=rain",
    });
  });

  it("knows where the person was going, also by way of a project's template", () => {
    const asked = encodeURIComponent(confirmUrl("magiclink", "/app/search?q=rain"));
    for (const redirectTo of [asked, decodeURIComponent(asked)]) {
      expect(parseConfirmLink(`${page}?token_hash=ab&type=magiclink&redirect_to=${redirectTo}`)).toMatchObject({ kind: "token", type: "magiclink", next: "/app/search?q=rain" });
    }
    expect(parseConfirmLink(`${page}?token_hash=ab&type=invite&redirect_to=https://heimdex.example/app`)).toMatchObject({ kind: "token", type: "invite", next: undefined });
    expect(parseConfirmLink(`${page}?token_hash=ab&redirect_to=nowhere`)).toMatchObject({ kind: "token", next: undefined });
  });

  it("carries a code, of the kind that the page put into redirect_to", () => {
    expect(parseConfirmLink(`${page}/recovery?code=0b6c`)).toMatchObject({ kind: "code", code: "0b6c", type: "recovery" });
  });

  it("says what went wrong, in the query or in the fragment", () => {
    const parts = "error=access_denied&error_code=otp_expired&error_description=Email+link+is+invalid+or+has+expired";
    for (const href of [`${page}/signup?${parts}`, `${page}/signup#${parts}`, `${page}?type=signup&${parts}`]) {
      expect(parseConfirmLink(href)).toMatchObject({ kind: "failed", code: "otp_expired", message: "Email link is invalid or has expired", type: "signup" });
    }
    expect(parseConfirmLink(`${page}#error=server_error`)).toMatchObject({ kind: "failed", code: "server_error", message: "server_error" });
  });

  it("tells of the first half of a change of address", () => {
    expect(parseConfirmLink(`${page}?type=email_change#message=Confirmation+link+accepted`)).toMatchObject({ kind: "half", type: "email_change" });
  });

  it("is not taken when it brings tokens", () => {
    expect(parseConfirmLink(`${page}#access_token=ey.a.b&refresh_token=c&type=invite`)).toMatchObject({ kind: "foreign", type: "invite" });
  });

  it("may be a bare address, or of a kind nobody knows", () => {
    expect(parseConfirmLink(page)).toEqual({ kind: "empty", type: "email", next: undefined });
    expect(parseConfirmLink(`${page}?token_hash=x&type=sms`)).toMatchObject({ kind: "token", type: "email" });
  });

  it("never throws, and never leads out of the app", () => {
    const word = fc.oneof(fc.constantFrom("next", "type", "code", "token_hash", "error", "redirect_to", "/app", "//evil.example", "=", "&", "%", "/.."), fc.string({ maxLength: 6 }));
    const words = fc.array(word, { maxLength: 8 }).map((all) => all.join(""));
    fc.assert(
      fc.property(words, words, words, (query, fragment, next) => {
        const link = parseConfirmLink(`${page}?next=${encodeURIComponent(next)}&${query}#${fragment}`);
        expect(link.next === undefined || link.next.startsWith("/app")).toBe(true);
      }),
    );
  });
});

describe("where a person goes afterwards", () => {
  it("is a page of the app", () => {
    expect(ownPath("/app/search?q=rain#a")).toBe("/app/search?q=rain#a");
    expect(ownPath("/app")).toBe("/app");
  });

  it.each(["https://evil.example/app/x", "//evil.example/app/", "/app/../../evil", "/application", "/app/..//evil.example", "javascript:alert(1)", "", 7, undefined])("is nowhere else: %s", (value) => {
    expect(ownPath(value)).toBeUndefined();
  });

  it("is in the address that mails are asked to lead to", () => {
    expect(confirmUrl("magiclink", "/app/search?q=rain")).toBe(`${window.location.origin}/app/auth/confirm/magiclink?next=%2Fapp%2Fsearch%3Fq%3Drain`);
    expect(parseConfirmLink(`${confirmUrl("recovery")}?code=1`)).toMatchObject({ kind: "code", type: "recovery", next: undefined });
  });
});
