import { useEffect, useRef } from "react";

/** For a form's ref: whenever other errors are shown, the keyboard goes to the first field that has one. */
export function useErrorFocus(errors: Partial<Record<string, string>>) {
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => {
    for (const input of form.current?.querySelectorAll<HTMLInputElement>("input[name]") ?? []) {
      if (errors[input.name]) return input.focus();
    }
  }, [errors]);
  return form;
}
