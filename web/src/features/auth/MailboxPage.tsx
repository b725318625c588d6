import { Link, useRouter, useRouterState, useSearch } from "@tanstack/react-router";
import { ArrowLeft, MailCheck } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { CodeField } from "@/components/CodeField";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { authSentence, formErrors, waitSeconds } from "@/lib/auth-error";
import { MAIL_COOLDOWN_MS, useSecondsLeft } from "@/lib/cooldown";
import { ownPath } from "@/lib/auth-links";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { AuthLayout, linkClass } from "./AuthLayout";
import { AskForMail } from "./ForgotPage";
import { KINDS, useSendMail, type Kind, type Mailbox } from "./mails";
import { messages } from "./messages";
import { afterVerified } from "./verified";

/** Where the mail is that the person waits for. Its link does the rest, in this browser or another; its code does it here. */
export function MailboxPage() {
  const t = messages.use();
  const { for: wanted } = useSearch({ from: "/visitor/mailbox" });
  const kind = KINDS.find((known) => known === wanted) ?? "magiclink";
  const mailbox = useRouterState({ select: (state) => state.location.state.mailbox });
  if (mailbox) return <Waiting kind={kind} mailbox={mailbox} />;
  // Opened by its address: nobody has asked for a mail yet.
  const [title, lead, button] =
    kind === "recovery" ? [t.forgotTitle, t.forgotLead, t.sendReset] : kind === "signup" ? [t.newMailTitle, t.newMailLead, t.sendMail] : [t.signInTitle, t.signInLead, t.sendLink];
  return <AskForMail key={kind} kind={kind} title={title} lead={lead} button={button} />;
}

function Waiting({ kind, mailbox: { email, sentAt } }: { kind: Kind; mailbox: Mailbox }) {
  const t = messages.use();
  const { supabase, config } = useServices();
  const router = useRouter();
  const { to } = useSearch({ strict: false }) as { to?: string };
  const { send, openMailbox } = useSendMail();
  const [code, setCode] = useState("");
  const [errors, setErrors] = useState<{ code?: string; form?: string }>({});
  const [busy, setBusy] = useState<"code" | "mail" | null>(null);
  const form = useErrorFocus(errors);
  const wait_s = useSecondsLeft(sentAt === 0 ? 0 : sentAt + MAIL_COOLDOWN_MS);
  const verify = async (event: FormEvent) => {
    event.preventDefault();
    const missing = code.length === 6 ? {} : { code: t.codeMissing };
    setErrors(missing);
    if (code.length !== 6) return;
    setBusy("code");
    const { error } = await supabase.auth.verifyOtp({ email, token: code, type: kind === "recovery" ? "recovery" : "email" });
    setBusy(null);
    if (!error) return void router.navigate({ href: afterVerified(kind, ownPath(to)), replace: true });
    setErrors(formErrors(error, ["code"]));
  };

  const again = async () => {
    setErrors({});
    setBusy("mail");
    const error = await send(kind, email);
    setBusy(null);
    const wait = error && waitSeconds(error);
    if (error && wait === null) return setErrors({ form: authSentence(error) });
    if (!error) showToast({ tone: "good", text: t.resent });
    // The server knows better when the next one may go.
    openMailbox(kind, email, { replace: true, wait_s: wait });
  };

  return (
    <AuthLayout title={t.mailboxTitle} lead={t.mailboxLead[kind]}>
      <form ref={form} noValidate onSubmit={(event) => void verify(event)} className="grid gap-5">
        {errors.form && <Notice tone="bad">{errors.form}</Notice>}
        <div className="flex gap-3.5 rounded-xl bg-accent-wash px-4 py-3.5 text-[15px] leading-relaxed">
          <MailCheck className="mt-0.5 size-5 shrink-0 text-accent" aria-hidden="true" />
          <p className="min-w-0 [overflow-wrap:anywhere]">{t.mailedTo[kind](email)}</p>
        </div>
        <CodeField label={t.code} value={code} onChange={setCode} error={errors.code} autoFocus />
        <Button type="submit" tone="primary" busy={busy === "code"} disabled={busy !== null} className="h-11">
          {t.verify}
        </Button>
        <div className="grid gap-2 border-t border-line pt-5">
          {config.features.local_outbox ? (
            <p className="text-[13px] leading-relaxed text-ink-soft">
              {t.outbox}{" "}
              <a href="/app/outbox" target="_blank" rel="noreferrer" className={linkClass}>
                {t.openOutbox}
              </a>
            </p>
          ) : (
            <p className="text-[13px] text-ink-faint">{t.nothingCame}</p>
          )}
          <div className="flex flex-wrap items-center justify-between gap-x-4 gap-y-3">
            <Button size="sm" busy={busy === "mail"} disabled={busy !== null || wait_s > 0} onClick={() => void again()} className="nums">
              {wait_s > 0 ? t.resendIn(wait_s) : t.resend}
            </Button>
            <Link to={kind === "signup" ? "/register" : kind === "recovery" ? "/forgot" : "/login"} search={{ to }} className={`inline-flex items-center gap-2 text-sm ${linkClass}`}>
              <ArrowLeft className="size-4" aria-hidden="true" />
              {t.otherAddress}
            </Link>
          </div>
          {kind === "signup" && (
            <p className="mt-2 text-sm text-ink-soft">
              {t.haveAccount}{" "}
              <Link to="/login" search={{ to }} className={linkClass}>
                {t.signIn}
              </Link>
            </p>
          )}
        </div>
      </form>
    </AuthLayout>
  );
}
