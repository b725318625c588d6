import type { LinkType } from "./confirm-link";

/** Where a person goes when a mailbox has proved theirs. */
export function afterVerified(type: LinkType, next: string | undefined): string {
  if (type === "recovery" || type === "invite") return `/app/auth/new-password${next ? `?to=${encodeURIComponent(next)}` : ""}`;
  return next ?? "/app/library";
}
