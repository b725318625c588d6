import { useRouter, useSearch } from "@tanstack/react-router";
import type { AuthTrouble } from "@/lib/auth-error";
import { confirmUrl, ownPath } from "@/lib/auth-links";
import { mailedAt } from "@/lib/cooldown";
import { useServices } from "@/lib/services";

/** The mails that somebody who is not signed in can ask for. */
export const KINDS = ["signup", "magiclink", "recovery"] as const;
export type Kind = (typeof KINDS)[number];

/** What the mailbox page has to know. In the history's state: it survives a reload and stands in no address. */
export interface Mailbox {
  email: string;
  /** When the last mail was asked for, milliseconds since 1970; 0: not by this browser. */
  sentAt: number;
}

declare module "@tanstack/react-router" {
  interface HistoryState {
    mailbox?: Mailbox;
  }
}

/** Asks for mails and leads to the page that says where they are. */
export function useSendMail() {
  const { supabase } = useServices();
  const router = useRouter();
  const { to } = useSearch({ strict: false }) as { to?: string };

  const send = async (kind: Kind, email: string): Promise<AuthTrouble | null> => {
    const link = confirmUrl(kind, ownPath(to));
    switch (kind) {
      case "signup":
        return (await supabase.auth.resend({ type: "signup", email, options: { emailRedirectTo: link } })).error;
      case "recovery":
        return (await supabase.auth.resetPasswordForEmail(email, { redirectTo: link })).error;
      case "magiclink": {
        const { error } = await supabase.auth.signInWithOtp({ email, options: { emailRedirectTo: link, shouldCreateUser: false } });
        // "No account with this address": the page does not tell strangers who has one.
        return error?.code === "otp_disabled" || error?.code === "user_not_found" ? null : error;
      }
    }
  };

  const openMailbox = (kind: Kind, email: string, { sent = true, replace = false, wait_s = null as number | null } = {}) => {
    const sentAt = sent ? mailedAt(wait_s) : 0;
    void router.navigate({ to: "/mailbox", search: { for: kind, to }, state: { mailbox: { email, sentAt } }, replace });
  };

  return { send, openMailbox };
}
