import { Link, useRouter, useSearch } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { MIN_PASSWORD_LENGTH, PasswordField } from "@/components/PasswordField";
import { RolePicker } from "@/components/RolePicker";
import type { Role } from "@/lib/api/types";
import { formErrors, looksLikeEmail } from "@/lib/auth-error";
import { confirmUrl, ownPath } from "@/lib/auth-links";
import { useServices } from "@/lib/services";
import { AuthLayout, linkClass } from "./AuthLayout";
import { useSendMail } from "./mails";
import { messages } from "./messages";

type Errors = Partial<Record<"name" | "email" | "password" | "role" | "form", string>>;

export function RegisterPage() {
  const t = messages.use();
  const { supabase, config } = useServices();
  const router = useRouter();
  const { to } = useSearch({ strict: false }) as { to?: string };
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const [role, setRole] = useState<Role | null>(null);
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const form = useErrorFocus(errors);
  const { openMailbox } = useSendMail();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found: Errors = {};
    if (!name.trim()) found.name = t.nameMissing;
    if (!looksLikeEmail(email.trim())) found.email = t.emailMissing;
    if (password.length < MIN_PASSWORD_LENGTH) found.password = t.passwordShort;
    if (!role) found.role = t.roleMissing;
    setErrors(found);
    if (Object.keys(found).length > 0) return;
    setBusy(true);
    const { data, error } = await supabase.auth.signUp({
      email: email.trim(),
      password,
      options: { data: { name: name.trim(), role }, emailRedirectTo: confirmUrl("signup", ownPath(to)) },
    });
    setBusy(false);
    if (error) {
      setErrors(formErrors(error, ["email", "password"]));
    } else if (data.session) {
      await router.navigate({ href: ownPath(to) ?? "/app/library", replace: true });
    } else {
      // A server that confirms addresses first; it answers the same for an address that has an account.
      openMailbox("signup", email.trim());
    }
  };

  return (
    <AuthLayout title={t.registerTitle} lead={t.registerLead}>
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
          <Link to="/login" search={{ to }} className={linkClass}>
            {t.signIn}
          </Link>
        </p>
      </form>
    </AuthLayout>
  );
}
