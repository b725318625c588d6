import { useState, type FormEvent, type ReactNode } from "react";
import { fieldOf, formErrors, type AuthTrouble } from "@/lib/auth-error";
import { defineMessages } from "@/lib/i18n/i18n";
import { Button } from "./Button";
import { CodeField } from "./CodeField";
import { useErrorFocus } from "./form";
import { Notice } from "./Notice";
import { MIN_PASSWORD_LENGTH, PasswordField } from "./PasswordField";

const messages = defineMessages({
  en: {
    fresh: "New password",
    current: "Current password",
    short: "Please choose a password of at least 8 characters.",
    currentMissing: "Please enter your current password.",
    code: "Code from the mail",
    codeMissing: "Please enter the six digits of the mail.",
    codeSent: (email: string) => `It has been a while since you signed in. We have sent a code to ${email}: enter it to go on.`,
    save: "Save password",
  },
  ko: {
    fresh: "새 비밀번호",
    current: "현재 비밀번호",
    short: "8자 이상의 비밀번호를 정하세요.",
    currentMissing: "현재 비밀번호를 입력하세요.",
    code: "메일의 코드",
    codeMissing: "메일에 있는 여섯 자리 숫자를 입력하세요.",
    codeSent: (email: string) => `로그인한 지 오래되었습니다. ${email}(으)로 코드를 보냈습니다. 입력하고 계속하세요.`,
    save: "비밀번호 저장",
  },
});

export interface NewPassword {
  password: string;
  current_password?: string;
  nonce?: string;
}
type Errors = Partial<Record<"password" | "current" | "code" | "form", string>>;

/** A new password. `askCurrent` asks for the one before; the server may ask for it too, or for a code that it mails. */
export function NewPasswordForm({ email, askCurrent, save, sendCode, extra, wide }: {
  email: string;
  askCurrent: boolean;
  /** Null when the password is in place. */
  save: (values: NewPassword) => Promise<AuthTrouble | null>;
  /** Has the server mail a code; null when it did. */
  sendCode: () => Promise<AuthTrouble | null>;
  extra?: ReactNode;
  wide?: boolean;
}) {
  const t = messages.use();
  const [password, setPassword] = useState("");
  const [current, setCurrent] = useState("");
  const [code, setCode] = useState("");
  const [asks, setAsks] = useState({ current: askCurrent, code: false });
  const [errors, setErrors] = useState<Errors>({});
  const [busy, setBusy] = useState(false);
  const form = useErrorFocus(errors);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const found: Errors = {};
    if (asks.current && !current) found.current = t.currentMissing;
    if (password.length < MIN_PASSWORD_LENGTH) found.password = t.short;
    if (asks.code && code.length !== 6) found.code = t.codeMissing;
    if (Object.keys(found).length > 0) return setErrors(found);
    setErrors({});
    setBusy(true);
    const error = await save({ password, ...(asks.current ? { current_password: current } : {}), ...(asks.code ? { nonce: code } : {}) });
    setBusy(false);
    if (!error) {
      setPassword("");
      setCurrent("");
      setCode("");
      setAsks({ current: askCurrent, code: false });
    } else if (fieldOf(error) === "code" && !asks.code) {
      const unsent = await sendCode();
      if (unsent) setErrors(formErrors(unsent, []));
      else setAsks({ ...asks, code: true });
    } else {
      if (fieldOf(error) === "current") setAsks({ ...asks, current: true });
      setErrors(formErrors(error, ["password", "current", "code"]));
    }
  };

  return (
    <form ref={form} noValidate onSubmit={(event) => void submit(event)} className="grid gap-4">
      {errors.form && <Notice tone="bad">{errors.form}</Notice>}
      {/* For password managers: whose password this is. */}
      <input type="text" autoComplete="username" value={email} readOnly hidden />
      <div className={wide ? "grid items-start gap-4 sm:grid-cols-2" : "grid gap-4"}>
        {asks.current && <PasswordField label={t.current} name="current" value={current} onChange={setCurrent} error={errors.current} fresh={false} />}
        <PasswordField label={t.fresh} value={password} onChange={setPassword} error={errors.password} fresh />
      </div>
      {asks.code && (
        <>
          <Notice tone="info">{t.codeSent(email)}</Notice>
          <CodeField label={t.code} value={code} onChange={setCode} error={errors.code} autoFocus />
        </>
      )}
      <div className={wide ? "flex flex-wrap items-center justify-between gap-3" : "grid gap-3"}>
        {wide && extra}
        <Button type="submit" tone="primary" busy={busy} className={wide ? "ml-auto" : "mt-1 h-11"}>
          {t.save}
        </Button>
        {!wide && extra}
      </div>
    </form>
  );
}
