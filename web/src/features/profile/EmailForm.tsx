import type { User } from "@supabase/supabase-js";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { keys } from "@/lib/api/queries";
import type { Me } from "@/lib/api/types";
import { authSentence, formErrors, looksLikeEmail, waitSeconds } from "@/lib/auth-error";
import { confirmUrl } from "@/lib/auth-links";
import { MAIL_COOLDOWN_MS, mailedAt, useSecondsLeft } from "@/lib/cooldown";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { messages } from "./messages";

const USER = ["auth-user"];

/** The address of the account. A new one counts when its mailbox (and, as most servers have it, the old one) has agreed. */
export function EmailForm({ me }: { me: Me }) {
  const t = messages.use();
  const { supabase } = useServices();
  const client = useQueryClient();
  // The auth server alone knows of a change that waits.
  const waiting = useQuery({ queryKey: USER, queryFn: async () => (await supabase.auth.getUser()).data.user }).data?.new_email;
  const [email, setEmail] = useState("");
  const [errors, setErrors] = useState<{ email?: string; form?: string }>({});
  const [busy, setBusy] = useState(false);
  const [sentAt, setSentAt] = useState(0);
  const form = useErrorFocus(errors);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wanted = email.trim();
    const wrong = !looksLikeEmail(wanted) ? t.emailMissing : wanted.toLowerCase() === me.email?.toLowerCase() ? t.emailSame : null;
    setErrors(wrong ? { email: wrong } : {});
    if (wrong) return;
    setBusy(true);
    const { data, error } = await supabase.auth.updateUser({ email: wanted }, { emailRedirectTo: confirmUrl("email_change") });
    setBusy(false);
    if (error) return setErrors(formErrors(error, ["email"]));
    setEmail("");
    setSentAt(mailedAt());
    client.setQueryData<User | null>(USER, data.user);
    if (data.user.new_email) return;
    // A server that asks no mailbox. The token still says the old address: the next one does not.
    await supabase.auth.refreshSession();
    await client.invalidateQueries({ queryKey: keys.me });
    showToast({ tone: "good", text: t.emailChanged });
  };

  return (
    <div className="grid gap-4">
      {waiting && <Waiting from={me.email ?? ""} to={waiting} sentAt={sentAt} onSent={setSentAt} />}
      <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
        {errors.form && <Notice tone="bad">{errors.form}</Notice>}
        <div className="grid justify-items-start gap-3 sm:flex sm:items-start">
          <Field label={t.newEmail} name="email" type="email" autoComplete="email" value={email} onChange={(event) => setEmail(event.target.value)} error={errors.email} className="w-full min-w-0 sm:flex-1" required />
          <Button type="submit" busy={busy} className="h-11 sm:mt-[1.6rem]">
            {t.changeEmail}
          </Button>
        </div>
      </form>
    </div>
  );
}

function Waiting({ from, to, sentAt, onSent }: { from: string; to: string; sentAt: number; onSent: (at: number) => void }) {
  const t = messages.use();
  const { supabase } = useServices();
  const [busy, setBusy] = useState(false);
  const wait_s = useSecondsLeft(sentAt === 0 ? 0 : sentAt + MAIL_COOLDOWN_MS);

  const again = async () => {
    setBusy(true);
    const { error } = await supabase.auth.resend({ type: "email_change", email: from, options: { emailRedirectTo: confirmUrl("email_change") } });
    setBusy(false);
    const wait = error && waitSeconds(error);
    if (!error || wait !== null) onSent(mailedAt(wait));
    showToast(error ? { tone: "bad", text: authSentence(error) } : { tone: "good", text: t.resent });
  };

  return (
    <Notice
      tone="info"
      action={
        <Button size="sm" busy={busy} disabled={wait_s > 0} onClick={() => void again()} className="nums">
          {wait_s > 0 ? t.resendIn(wait_s) : t.resend}
        </Button>
      }
    >
      {t.emailWaiting(from, to)}
    </Notice>
  );
}
