import type { AuthError } from "@supabase/supabase-js";
import { defineMessages } from "./i18n/i18n";

const messages = defineMessages({
  en: {
    wrong: "That email and password do not belong together. Check both and try again.",
    exists: "There is already an account with this email. Sign in instead.",
    taken: "Another account has this address.",
    badEmail: "Mail cannot be sent to this address. Check it, or use another one.",
    weak: "This password is too easy to guess. Choose a longer one.",
    weakReasons: {
      length: "This password is too short. Choose a longer one.",
      characters: "This password needs more kinds of characters: small and capital letters, digits, signs.",
      pwned: "This password is known from a leak. Choose another one.",
    },
    same: "This is the password you have already. Choose another one.",
    currentWrong: "This is not your current password.",
    currentMissing: "Please enter your current password.",
    codeWrong: "This code is not right, or it is no longer good. Check it, or ask for a new one.",
    nonceMissing: "Please enter the code from the mail.",
    linkUsed: "This link is no longer good: it was used already, or it is too old.",
    otherBrowser: "This link works only in the browser in which it was asked for. Open it there, or ask for a new one here.",
    unconfirmed: "This email address is not confirmed yet. Open the link in the mail we sent you.",
    banned: "This account is blocked. Ask the people who run this server.",
    closed: "This server takes no new accounts at the moment.",
    signedOut: "You are signed out. Sign in and try again.",
    tooMany: "Too many attempts. Wait a minute and try again.",
    tooSoon: (seconds: number) => `That was too soon. Try again in ${seconds} ${seconds === 1 ? "second" : "seconds"}.`,
    offline: "Heimdex cannot be reached. Check your connection and try again.",
    server: "The server could not do it just now. Try again in a moment.",
    other: (detail: string) => `That did not work: ${detail}`,
  },
  ko: {
    wrong: "이메일과 비밀번호가 맞지 않습니다. 확인하고 다시 시도하세요.",
    exists: "이 이메일로 된 계정이 이미 있습니다. 로그인하세요.",
    taken: "다른 계정이 쓰고 있는 주소입니다.",
    badEmail: "이 주소로는 메일을 보낼 수 없습니다. 확인하거나 다른 주소를 쓰세요.",
    weak: "추측하기 쉬운 비밀번호입니다. 더 길게 정하세요.",
    weakReasons: {
      length: "비밀번호가 너무 짧습니다. 더 길게 정하세요.",
      characters: "소문자, 대문자, 숫자, 기호 등 더 다양한 문자가 필요합니다.",
      pwned: "유출된 적이 있는 비밀번호입니다. 다른 것으로 정하세요.",
    },
    same: "지금 쓰는 비밀번호와 같습니다. 다른 것으로 정하세요.",
    currentWrong: "현재 비밀번호가 아닙니다.",
    currentMissing: "현재 비밀번호를 입력하세요.",
    codeWrong: "코드가 맞지 않거나 더는 쓸 수 없습니다. 확인하거나 새 코드를 요청하세요.",
    nonceMissing: "메일에 있는 코드를 입력하세요.",
    linkUsed: "더는 쓸 수 없는 링크입니다. 이미 사용했거나 너무 오래되었습니다.",
    otherBrowser: "이 링크는 요청한 브라우저에서만 쓸 수 있습니다. 거기서 열거나 여기서 새로 요청하세요.",
    unconfirmed: "아직 확인되지 않은 이메일입니다. 보내드린 메일의 링크를 여세요.",
    banned: "차단된 계정입니다. 이 서버의 운영자에게 문의하세요.",
    closed: "지금은 이 서버에서 새 계정을 만들 수 없습니다.",
    signedOut: "로그아웃되었습니다. 로그인하고 다시 시도하세요.",
    tooMany: "시도가 너무 많습니다. 잠시 후 다시 시도하세요.",
    tooSoon: (seconds: number) => `너무 이릅니다. ${seconds}초 뒤에 다시 시도하세요.`,
    offline: "Heimdex에 연결할 수 없습니다. 네트워크를 확인하고 다시 시도하세요.",
    server: "지금은 서버가 처리하지 못했습니다. 잠시 후 다시 시도하세요.",
    other: (detail: string) => `실패했습니다: ${detail}`,
  },
});

/** What the pages need of an error: the library's own, or one that came in a link. */
export type AuthTrouble = Pick<AuthError, "message" | "code" | "status" | "name"> & { reasons?: string[] };

/** Which field of a form an error is about; null when it is about none. */
export type AuthField = "email" | "password" | "current" | "code";
const fields: Record<string, AuthField> = {
  user_already_exists: "email",
  email_exists: "email",
  email_address_invalid: "email",
  email_address_not_authorized: "email",
  weak_password: "password",
  same_password: "password",
  current_password_required: "current",
  current_password_invalid: "current",
  otp_expired: "code",
  reauthentication_needed: "code",
  reauth_nonce_missing: "code",
  reauthentication_not_valid: "code",
};
export const fieldOf = (error: AuthTrouble): AuthField | null => fields[error.code ?? ""] ?? null;

/** Errors for one form, by field; what belongs to none of the form's fields is `form`. */
export function formErrors<F extends AuthField>(error: AuthTrouble, has: readonly F[]): Partial<Record<F | "form", string>> {
  const field = fieldOf(error);
  const key = field && (has as readonly AuthField[]).includes(field) ? (field as F) : "form";
  return { [key]: authSentence(error) } as Partial<Record<F | "form", string>>;
}

/** Seconds until mail may be asked for again, when the server says so. */
export function waitSeconds(error: AuthTrouble): number | null {
  if (error.status !== 429 && !error.code?.startsWith("over_")) return null;
  const seconds = Number(/after (\d+) seconds?/.exec(error.message)?.[1]);
  return Number.isFinite(seconds) && seconds > 0 ? seconds : null;
}

/** A sentence for each thing the auth server may say. Unknown codes keep the server's own words. */
export function authSentence(error: AuthTrouble): string {
  const t = messages.now();
  switch (error.code) {
    case "invalid_credentials":
      return t.wrong;
    case "user_already_exists":
      return t.exists;
    case "email_exists":
      return t.taken;
    case "email_address_invalid":
    case "email_address_not_authorized":
      return t.badEmail;
    case "weak_password":
      return t.weakReasons[(error.reasons?.[0] ?? "") as keyof typeof t.weakReasons] ?? t.weak;
    case "same_password":
      return t.same;
    case "current_password_invalid":
      return t.currentWrong;
    case "current_password_required":
      return t.currentMissing;
    case "reauthentication_needed":
    case "reauth_nonce_missing":
      return t.nonceMissing;
    case "reauthentication_not_valid":
    case "otp_expired":
      return t.codeWrong;
    case "flow_state_not_found":
    case "flow_state_expired":
      return t.linkUsed;
    case "pkce_code_verifier_not_found":
    case "bad_code_verifier":
      return t.otherBrowser;
    case "email_not_confirmed":
      return t.unconfirmed;
    case "user_banned":
      return t.banned;
    case "signup_disabled":
      return t.closed;
    case "session_not_found":
    case "session_expired":
    case "no_authorization":
    case "bad_jwt":
      return t.signedOut;
  }
  if (error.name === "AuthSessionMissingError") return t.signedOut;
  if (error.status === 429 || error.code?.startsWith("over_")) {
    const seconds = waitSeconds(error);
    return seconds === null ? t.tooMany : t.tooSoon(seconds);
  }
  if (error.name === "AuthRetryableFetchError") return error.status ? t.server : t.offline;
  return t.other(error.message);
}

/** What is wrong with a link: the same codes, but there is no form to look at again. */
export function linkSentence(error: AuthTrouble): string {
  return error.code === "otp_expired" ? messages.now().linkUsed : authSentence(error);
}

/** Good enough to catch slips; the server has the last word. */
export const looksLikeEmail = (value: string) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) || /^[^\s@]+@localhost$/.test(value);
