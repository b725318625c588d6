import { Link, useRouter } from "@tanstack/react-router";
import { useRef, useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { RolePicker } from "@/components/RolePicker";
import type { Role } from "@/lib/api/types";
import { useServices } from "@/lib/services";
import { authSentence, looksLikeEmail } from "./auth-error";
import { AuthLayout } from "./AuthLayout";
import { messages } from "./messages";
import { PasswordField } from "./PasswordField";

type Errors = Partial<Record<"name" | "email" | "password" | "role" | "form", string>>;

export function RegisterPage() {
  const t = messages.use();
  const { supabase, config } = useServices();
  const router = useRouter();
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role | null>(null);
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const [mailed, setMailed] = useState(false);
  const form = useRef<HTMLFormElement>(null);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found: Errors = {};
    if (!name.trim()) found.name = t.nameMissing;
    if (!looksLikeEmail(email.trim())) found.email = t.emailMissing;
    if (password.length < 8) found.password = t.passwordShort;
    if (!role) found.role = t.roleMissing;
    setErrors(found);
    const first = Object.keys(found)[0];
    if (first) return form.current?.querySelector<HTMLInputElement>(`[name=${first}]`)?.focus();
    setBusy(true);
    const { data, error } = await supabase.auth.signUp({
      email: email.trim(),
      password,
      options: { data: { name: name.trim(), role } },
    });
    if (error) {
      setBusy(false);
      const text = authSentence(error);
      setErrors(error.code === "weak_password" ? { password: text } : { form: text });
      return;
    }
    // A server that confirms addresses first gives a user but no session yet.
    if (!data.session) return setMailed(true);
    await router.navigate({ href: "/app/library", replace: true });
  };

  return (
    <AuthLayout title={t.registerTitle} lead={t.registerLead}>
      {mailed ? (
        <Notice tone="good">{t.checkMail(email.trim())}</Notice>
      ) : (
        <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
          {errors.form && <Notice tone="bad">{errors.form}</Notice>}
          <Field label={t.name} name="name" autoComplete="name" maxLength={120} value={name} onChange={(event) => setName(event.target.value)} error={errors.name} required autoFocus />
          <Field label={t.email} name="email" type="email" autoComplete="username" value={email} onChange={(event) => setEmail(event.target.value)} error={errors.email} required />
          <PasswordField value={password} onChange={setPassword} error={errors.password} fresh />
          <RolePicker legend={t.role} name="role" value={role} onChange={setRole} roles={config.roles} error={errors.role} />
          <p className="text-[13px] text-ink-faint">{t.roleHint}</p>
          <Button type="submit" tone="primary" busy={busy} className="mt-1 h-11">
            {t.register}
          </Button>
          <p className="mt-2 text-center text-sm text-ink-soft">
            {t.haveAccount}{" "}
            <Link to="/login" className="font-semibold text-accent underline-offset-4 hover:underline">
              {t.signIn}
            </Link>
          </p>
        </form>
      )}
    </AuthLayout>
  );
}
