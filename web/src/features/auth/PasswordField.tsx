import { Eye, EyeOff } from "lucide-react";
import { useState } from "react";
import { IconButton } from "@/components/Button";
import { Field } from "@/components/Field";
import { messages } from "./messages";

export function PasswordField({ value, onChange, error, fresh }: { value: string; onChange: (value: string) => void; error?: string | undefined; fresh: boolean }) {
  const t = messages.use();
  const [visible, setVisible] = useState(false);
  return (
    <Field
      label={t.password}
      name="password"
      type={visible ? "text" : "password"}
      autoComplete={fresh ? "new-password" : "current-password"}
      value={value}
      onChange={(event) => onChange(event.target.value)}
      error={error}
      hint={fresh ? t.passwordHint : undefined}
      required
      trailing={
        <IconButton label={visible ? t.hidePassword : t.showPassword} onClick={() => setVisible(!visible)} className="size-9">
          {visible ? <EyeOff /> : <Eye />}
        </IconButton>
      }
    />
  );
}
