import { useId, type InputHTMLAttributes, type ReactNode } from "react";
import { cx } from "./cx";

interface Props extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  error?: string | undefined;
  hint?: ReactNode;
  trailing?: ReactNode;
  inputClassName?: string;
}

/** One labelled input. Its error is read out with it and marks it invalid. */
export function Field({ label, error, hint, trailing, className, inputClassName, id, ...rest }: Props) {
  const fallback = useId();
  const inputId = id ?? fallback;
  const noteId = `${inputId}-note`;
  return (
    <div className={cx("grid gap-1.5", className)}>
      <label htmlFor={inputId} className="text-[13px] font-medium text-ink-soft">
        {label}
      </label>
      <div className="relative">
        <input
          id={inputId}
          aria-invalid={error ? true : undefined}
          aria-describedby={error || hint ? noteId : undefined}
          className={cx(
            "h-11 w-full rounded-xl border bg-surface px-3.5 text-[15px] text-ink transition-colors placeholder:text-ink-faint",
            error ? "border-bad" : "border-line hover:border-line-strong focus:border-accent",
            trailing != null && "pr-12",
            inputClassName,
          )}
          {...rest}
        />
        {trailing != null && <div className="absolute inset-y-0 right-1 grid place-items-center">{trailing}</div>}
      </div>
      {(error || hint) && (
        <p id={noteId} className={cx("text-[13px]", error ? "text-bad" : "text-ink-faint")}>
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
