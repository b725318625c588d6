import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { useRef, useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { useServices } from "@/lib/services";
import { authSentence, looksLikeEmail } from "./auth-error";
import { AuthLayout } from "./AuthLayout";
import { messages } from "./messages";
import { PasswordField } from "./PasswordField";

export function LoginPage() {
  const t = messages.use();
  const { supabase } = useServices();
  const router = useRouter();
  const { to, ended } = useSearch({ strict: false }) as { to?: string; ended?: string };
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [errors, setErrors] = useState<{ email?: string; password?: string; form?: string }>({});
  const [busy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found: typeof errors = {};
    if (!looksLikeEmail(email.trim())) found.email = t.emailMissing;
    if (!password) found.password = t.passwordMissing;
    setErrors(found);
    const first = Object.keys(found)[0];
    if (first) return form.current?.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
    setBusy(true);
    const { error } = await supabase.auth.signInWithPassword({ email: email.trim(), password });
    if (error) {
      setBusy(false);
      setErrors({ form: authSentence(error) });
      return;
    }
    await router.navigate({ href: to?.startsWith("/app/") ? to : "/app/library", replace: true });
  };

  return (
    <AuthLayout title={t.signInTitle} lead={t.signInLead}>
      <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
        {ended && !errors.form && <Notice tone="info">{t.ended}</Notice>}
        {errors.form && <Notice tone="bad">{errors.form}</Notice>}
        <Field label={t.email} name="email" type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.target.value)} error={errors.email} required autoFocus />
        <PasswordField value={password} onChange={setPassword} error={errors.password} fresh={false} />
        <Button type="submit" tone="primary" busy={busy} className="mt-2 h-11">
          {t.signIn}
        </Button>
        <p className="mt-2 text-center text-sm text-ink-soft">
          {t.noAccount}{" "}
          <Link to="/register" className="font-semibold text-accent underline-offset-4 hover:underline">
            {t.register}
          </Link>
        </p>
      </form>
    </AuthLayout>
  );
}
