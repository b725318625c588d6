import { describe, expect, it } from "vitest";
import { authSentence, formErrors, linkSentence, looksLikeEmail, waitSeconds } from "./auth-error";

const trouble = (code: string | undefined, status = 400, message = "words of the server", name = "AuthApiError") => ({ code, status, message, name });

describe("what the auth server says", () => {
  it("becomes a sentence at the field it is about", () => {
    expect(formErrors(trouble("weak_password", 422), ["password"])).toEqual({ password: expect.stringContaining("too easy") });
    expect(formErrors({ ...trouble("weak_password", 422), reasons: ["pwned"] }, ["password"])).toEqual({ password: expect.stringContaining("leak") });
    expect(formErrors(trouble("current_password_invalid"), ["password", "current"])).toEqual({ current: expect.stringContaining("not your current") });
    expect(formErrors(trouble("email_exists", 422), ["password"])).toEqual({ form: expect.stringContaining("has this address") });
    expect(formErrors(trouble("invalid_credentials"), ["email", "password"])).toEqual({ form: expect.stringContaining("do not belong together") });
  });

  it("keeps its own words when nobody here knows the code", () => {
    expect(authSentence(trouble("brand_new"))).toContain("words of the server");
  });

  it("tells an expired code from an expired link", () => {
    expect(authSentence(trouble("otp_expired", 403))).toContain("code");
    expect(linkSentence(trouble("otp_expired", 403))).toContain("link");
  });

  it("says how long to wait, where the server does", () => {
    const soon = trouble("over_email_send_rate_limit", 429, "For security purposes, you can only request this after 43 seconds.");
    expect(waitSeconds(soon)).toBe(43);
    expect(authSentence(soon)).toContain("43 seconds");
    expect(waitSeconds(trouble("over_request_rate_limit", 429))).toBeNull();
    expect(authSentence(trouble("over_request_rate_limit", 429))).toContain("Too many");
    expect(waitSeconds(trouble("validation_failed", 400, "after 43 seconds"))).toBeNull();
  });

  it("tells a server out of reach from one in trouble", () => {
    expect(authSentence(trouble(undefined, 0, "Failed to fetch", "AuthRetryableFetchError"))).toContain("cannot be reached");
    expect(authSentence(trouble(undefined, 503, "busy", "AuthRetryableFetchError"))).toContain("just now");
  });
});

describe("an email address", () => {
  it("is only looked at for slips", () => {
    expect(["a@b.cd", "ann+x@example.org", "demo@localhost"].every(looksLikeEmail)).toBe(true);
    expect(["", "ann", "ann@", "ann@host", "a b@c.de", "ann@@c.de"].some(looksLikeEmail)).toBe(false);
  });
});
