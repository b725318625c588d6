import type { AuthError } from "@supabase/supabase-js";
import { messages } from "./messages";

/** A sentence for each thing the auth server may say. Unknown codes keep the server's own words. */
export function authSentence(error: AuthError): string {
  const t = messages.now();
  switch (error.code) {
    case "invalid_credentials":
      return t.wrong;
    case "user_already_exists":
    case "email_exists":
      return t.exists;
    case "weak_password":
      return error.message || t.weak;
    case "email_not_confirmed":
      return t.unconfirmed;
    case "over_request_rate_limit":
    case "over_email_send_rate_limit":
      return t.tooMany;
  }
  if (error.name === "AuthRetryableFetchError" || error.status === 0) return t.offline;
  if (error.status === 429) return t.tooMany;
  return t.other(error.message);
}

/** Good enough to catch slips; the server has the last word. */
export const looksLikeEmail = (value: string) => /^[^\s@]+@[^\s@]+\.[^\s@]+$/.test(value) || /^[^\s@]+@localhost$/.test(value);
