import { Eye, EyeOff } from "lucide-react";
import { useState, type ReactNode } from "react";
import { defineMessages } from "@/lib/i18n/i18n";
import { IconButton } from "./Button";
import { Field } from "./Field";

const messages = defineMessages({
  en: { password: "Password", hint: "At least 8 characters.", show: "Show password", hide: "Hide password" },
  ko: { password: "비밀번호", hint: "8자 이상.", show: "비밀번호 보기", hide: "비밀번호 숨기기" },
});

/** As the servers have it by default; they have the last word. */
export const MIN_PASSWORD_LENGTH = 8;

/** A password that can be looked at. `fresh` asks a password manager for a new one instead of the known one. */
export function PasswordField({ label, name = "password", value, onChange, error, fresh, hint }: {
  label?: string;
  name?: string;
  value: string;
  onChange: (value: string) => void;
  error?: string | undefined;
  fresh: boolean;
  hint?: ReactNode;
}) {
  const t = messages.use();
  const [visible, setVisible] = useState(false);
  return (
    <Field
      label={label ?? t.password}
      name={name}
      type={visible ? "text" : "password"}
      autoComplete={fresh ? "new-password" : "current-password"}
      minLength={fresh ? MIN_PASSWORD_LENGTH : undefined}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error}
      hint={hint ?? (fresh ? t.hint : undefined)}
      required
      trailing={
        <IconButton label={visible ? t.hide : t.show} aria-pressed={visible} onClick={() => setVisible(!visible)} className="size-9">
          {visible ? <EyeOff /> : <Eye />}
        </IconButton>
      }
    />
  );
}
