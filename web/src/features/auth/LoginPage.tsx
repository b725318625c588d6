import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { Mail } from "lucide-react";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { PasswordField } from "@/components/PasswordField";
import { authSentence, looksLikeEmail } from "@/lib/auth-error";
import { ownPath } from "@/lib/auth-links";
import { useServices } from "@/lib/services";
import { AuthLayout, linkClass } from "./AuthLayout";
import { useSendMail } from "./mails";
import { messages } from "./messages";

type Errors = { email?: string; password?: string; form?: string };

export function LoginPage() {
  const t = messages.use();
  const { supabase } = useServices();
  const router = useRouter();
  const { to, why } = useSearch({ strict: false }) as { to?: string; why?: "ended" | "deleted" };
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState<"password" | "link" | null>(null);
  const form = useErrorFocus(errors);
  const { send, openMailbox } = useSendMail();

  const refuse = (found: Errors) => {
    setErrors(found);
    return Object.keys(found).length > 0;
  };

  const signIn = async (event: FormEvent) => {
    event.preventDefault();
    const found: Errors = {};
    if (!looksLikeEmail(email.trim())) found.email = t.emailMissing;
    if (!password) found.password = t.passwordMissing;
    if (refuse(found)) return;
    setBusy("password");
    const { error } = await supabase.auth.signInWithPassword({ email: email.trim(), password });
    if (!error) return void router.navigate({ href: ownPath(to) ?? "/app/library", replace: true });
    setBusy(null);
    // The mail was sent at sign-up; the page for it can send another.
    if (error.code === "email_not_confirmed") return openMailbox("signup", email.trim(), { sent: false });
    setErrors({ form: authSentence(error) });
  };

  const sendLink = async () => {
    if (refuse(looksLikeEmail(email.trim()) ? {} : { email: t.emailMissing })) return;
    setBusy("link");
    const error = await send("magiclink", email.trim());
    setBusy(null);
    if (error) setErrors({ form: authSentence(error) });
    else openMailbox("magiclink", email.trim());
  };

  return (
    <AuthLayout title={t.signInTitle} lead={t.signInLead}>
      <form ref={form} noValidate onSubmit={(event) => void signIn(event)} className="grid gap-4">
        {why && !errors.form && <Notice tone={why === "ended" ? "info" : "good"}>{t[why]}</Notice>}
        {errors.form && <Notice tone="bad">{errors.form}</Notice>}
        <Field label={t.email} name="email" type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.target.value)} error={errors.email} required autoFocus />
        <div className="relative">
          <PasswordField value={password} onChange={setPassword} error={errors.password} fresh={false} />
          {/* After the field in the order of the keyboard, above it for the eye. */}
          <Link to="/forgot" search={{ to }} state={{ mailbox: { email: email.trim(), sentAt: 0 } }} className={`absolute top-0 right-0 text-[13px] ${linkClass}`}>
            {t.forgot}
          </Link>
        </div>
        <Button type="submit" tone="primary" busy={busy === "password"} disabled={busy !== null} className="mt-2 h-11">
          {t.signIn}
        </Button>
        <p className="flex items-center gap-3 text-[13px] text-ink-faint before:h-px before:flex-1 before:bg-line after:h-px after:flex-1 after:bg-line">{t.or}</p>
        <Button busy={busy === "link"} disabled={busy !== null} onClick={() => void sendLink()} className="h-11">
          <Mail aria-hidden="true" />
          {t.sendLink}
        </Button>
        <p className="mt-2 text-center text-sm text-ink-soft">
          {t.noAccount}{" "}
          <Link to="/register" search={{ to }} className={linkClass}>
            {t.register}
          </Link>
        </p>
      </form>
    </AuthLayout>
  );
}
