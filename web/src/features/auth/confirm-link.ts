import type { EmailOtpType } from "@supabase/supabase-js";
import { ownPath } from "@/lib/auth-links";

const TYPES = ["signup", "invite", "magiclink", "recovery", "email_change", "email"] as const satisfies readonly EmailOtpType[];
export type LinkType = (typeof TYPES)[number];

/** What a link from a mail brings. `next` is where the person was going. */
export type ConfirmLink = { type: LinkType; next: string | undefined } & (
  | { kind: "token"; tokenHash: string }
  /** The server has verified already and gives a code for the browser that asked (PKCE, RFC 7636). */
  | { kind: "code"; code: string }
  /** The first of two mailboxes has agreed to a new address. */
  | { kind: "half" }
  | { kind: "failed"; code: string; message: string }
  /** Tokens in the address: a link of the implicit flow, which nobody here has asked for. */
  | { kind: "foreign" }
  | { kind: "empty" }
);

/** Templates of a Supabase project pass on where the link was to lead: this page, with `next` in its own query. */
function nextOf(redirectTo: string | null): string | null {
  return redirectTo && URL.canParse(redirectTo) ? new URL(redirectTo).searchParams.get("next") : null;
}

/** Reads the address of the confirm page: query and fragment, since auth servers use both. */
export function parseConfirmLink(href: string): ConfirmLink {
  const url = new URL(href);
  const fragment = new URLSearchParams(url.hash.replace(/^#/, ""));
  const value = (name: string) => url.searchParams.get(name) || fragment.get(name) || undefined;
  // In the path, because auth servers drop the query when they report an error; in the query where a template says so.
  const said = value("type") ?? url.pathname.split("/").at(-1);
  const type = TYPES.find((known) => known === said) ?? "email";
  const next = ownPath(url.searchParams.get("next") ?? nextOf(url.searchParams.get("redirect_to")));
  const base = { type, next };
  const failure = value("error_code") ?? value("error");
  if (failure) return { ...base, kind: "failed", code: failure, message: value("error_description") ?? failure };
  const tokenHash = value("token_hash");
  if (tokenHash) return { ...base, kind: "token", tokenHash };
  const code = url.searchParams.get("code");
  if (code) return { ...base, kind: "code", code };
  if (fragment.has("access_token")) return { ...base, kind: "foreign" };
  return { ...base, kind: value("message") ? "half" : "empty" };
}
