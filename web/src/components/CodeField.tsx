import { Field } from "./Field";

/** What is left of a code as people paste it: "123 456", "123-456", or with words around it. */
export const codeDigits = (text: string) => text.replace(/\D/g, "").slice(0, 6);

/** The six digits of a mail. `name` is what errors call it. */
export function CodeField({ label, value, onChange, error, hint, name = "code", autoFocus }: {
  label: string;
  value: string;
  onChange: (digits: string) => void;
  error?: string | undefined;
  hint?: string;
  name?: string;
  autoFocus?: boolean;
}) {
  return (
    <Field
      label={label}
      name={name}
      type="text"
      inputMode="numeric"
      autoComplete="one-time-code"
      placeholder="123456"
      value={value}
      onChange={(event) => onChange(codeDigits(event.target.value))}
      error={error}
      hint={hint}
      inputClassName="nums text-lg tracking-[0.35em] placeholder:tracking-[0.35em]"
      autoFocus={autoFocus}
      required
    />
  );
}
