/** Where links in mails lead, and where a person may be sent afterwards. */

/** A page of this app, or undefined: a link must not lead anywhere else. */
export function ownPath(value: unknown): string | undefined {
  if (typeof value !== "string" || !/^\/app(\/|$)/.test(value)) return undefined;
  // As a browser reads it: dots, backslashes and control characters must not lead out of the app.
  const url = new URL(value, window.location.origin);
  return url.origin === window.location.origin && /^\/app(\/|$)/.test(url.pathname) ? url.pathname + url.search + url.hash : undefined;
}

export type MailKind = "signup" | "magiclink" | "recovery" | "email_change";

/** The address for `redirect_to`: one page takes all links from mails, and knows the type also where only a code comes back. */
export function confirmUrl(type: MailKind, next?: string): string {
  const url = new URL(`/app/auth/confirm/${type}`, window.location.origin);
  if (next) url.searchParams.set("next", next);
  return url.href;
}
