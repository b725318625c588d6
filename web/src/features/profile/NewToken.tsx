import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useId, useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { CopyField } from "@/components/CopyField";
import { cx } from "@/components/cx";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import { SCOPES, type NewApiToken, type Scope } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { messages } from "./messages";

/** How long a token may live, in days; null: until it is revoked. */
const LIVES = [30, 90, 365, null] as const;

export function NewToken({ onClose }: { onClose: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const [name, setName] = useState("");
  const [scopes, setScopes] = useState<readonly Scope[]>(["read"]);
  const [days, setDays] = useState<(typeof LIVES)[number]>(90);
  const [errors, setErrors] = useState<Partial<Record<string, string>>>({});
  const form = useErrorFocus(errors);
  const selectId = useId();

  const make = useMutation({
    mutationFn: () => {
      const expires_at = days === null ? null : new Date(Date.now() + days * 86_400_000).toISOString();
      return api.json<NewApiToken>("/users/me/tokens", { method: "POST", body: { name: name.trim(), scopes, expires_at } });
    },
    onSuccess: () => client.invalidateQueries({ queryKey: keys.tokens }),
    onError: (error) => setErrors(error instanceof ApiError ? error.fields : {}),
  });

  if (make.data) {
    return (
      <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
        <Notice tone="warn">{t.shownOnce}</Notice>
        <CopyField label={t.token} value={make.data.token} />
        <p className="text-[13px] leading-relaxed text-ink-faint">{t.tokenUse}</p>
        <Button tone="primary" onClick={onClose} className="justify-self-end">
          {t.done}
        </Button>
      </div>
    );
  }

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found: typeof errors = {};
    if (name.trim() === "") found.name = t.tokenNameMissing;
    if (scopes.length === 0) found.scopes = t.scopesMissing;
    setErrors(found);
    if (Object.keys(found).length === 0) make.mutate();
  };

  return (
    <form ref={form} noValidate onSubmit={submit} className="grid gap-5">
      {make.error && Object.keys(errors).length === 0 && <Notice tone="bad">{sentence(make.error)}</Notice>}
      <Field label={t.tokenName} name="name" value={name} maxLength={80} autoComplete="off" placeholder={t.tokenNameExample} onChange={(event) => setName(event.target.value)} error={errors.name} required />
      <fieldset className="grid gap-2">
        <legend className="mb-1.5 text-[13px] font-medium text-ink-soft">{t.scopesLabel}</legend>
        {SCOPES.map((scope) => (
          <label
            key={scope}
            className={cx(
              "flex items-start gap-3 rounded-xl border px-3 py-2.5 has-focus-visible:outline-2 has-focus-visible:outline-offset-2 has-focus-visible:outline-accent",
              scopes.includes(scope) ? "border-accent bg-accent-wash" : "border-line hover:border-line-strong",
            )}
          >
            <input
              type="checkbox"
              name="scopes"
              checked={scopes.includes(scope)}
              onChange={(event) => setScopes(SCOPES.filter((known) => (known === scope ? event.target.checked : scopes.includes(known))))}
              className="mt-0.5 size-4 shrink-0 accent-(--accent)"
            />
            <span className="grid">
              <span className="text-sm font-medium">{t.scopes[scope]}</span>
              <span className="text-[13px] text-ink-soft">{t.scopeHints[scope]}</span>
            </span>
          </label>
        ))}
        {errors.scopes && <p className="text-[13px] text-bad">{errors.scopes}</p>}
      </fieldset>
      <div className="grid gap-1.5">
        <label htmlFor={selectId} className="text-[13px] font-medium text-ink-soft">
          {t.life}
        </label>
        <select
          id={selectId}
          value={days ?? "never"}
          onChange={(event) => setDays(LIVES.find((life) => String(life ?? "never") === event.target.value) ?? null)}
          className="h-11 rounded-xl border border-line bg-surface px-3 text-[15px] text-ink hover:border-line-strong"
        >
          {LIVES.map((life) => (
            <option key={life ?? "never"} value={life ?? "never"}>
              {life === null ? t.lifeUnlimited : t.lifeDays(life)}
            </option>
          ))}
        </select>
      </div>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onClose}>{words.cancel}</Button>
        <Button type="submit" tone="primary" busy={make.isPending}>
          {t.makeToken}
        </Button>
      </div>
    </form>
  );
}
