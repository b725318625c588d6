import { Link, useRouterState, useSearch } from "@tanstack/react-router";
import { ArrowLeft } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { formErrors, looksLikeEmail } from "@/lib/auth-error";
import { AuthLayout, linkClass } from "./AuthLayout";
import { useSendMail, type Kind } from "./mails";
import { messages } from "./messages";

/** Asks for the address a mail is to go to: for a new password, or for the confirmation of a sign-up once more. */
export function AskForMail({ kind, title, lead, button }: { kind: Kind; title: string; lead: string; button: string }) {
  const t = messages.use();
  const { to } = useSearch({ strict: false }) as { to?: string };
  const typed = useRouterState({ select: (state) => state.location.state.mailbox?.email });
  const [email, setEmail] = useState(typed ?? "");
  const [errors, setErrors] = useState<{ email?: string; form?: string }>({});
  const [busy, setBusy] = useState(false);
  const form = useErrorFocus(errors);
  const { send, openMailbox } = useSendMail();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found = looksLikeEmail(email.trim()) ? {} : { email: t.emailMissing };
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    const error = await send(kind, email.trim());
    setBusy(false);
    if (error) setErrors(formErrors(error, ["email"]));
    else openMailbox(kind, email.trim());
  };

  return (
    <AuthLayout title={title} lead={lead}>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
        {errors.form && <Notice tone="bad">{errors.form}</Notice>}
        <Field label={t.email} name="email" type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.target.value)} error={errors.email} required autoFocus />
        <Button type="submit" tone="primary" busy={busy} className="mt-2 h-11">
          {button}
        </Button>
        <Link to="/login" search={{ to }} className={`mt-2 inline-flex items-center justify-center gap-2 text-sm ${linkClass}`}>
          <ArrowLeft className="size-4" aria-hidden="true" />
          {t.backToSignIn}
        </Link>
      </form>
    </AuthLayout>
  );
}

export function ForgotPage() {
  const t = messages.use();
  return <AskForMail kind="recovery" title={t.forgotTitle} lead={t.forgotLead} button={t.sendReset} />;
}
