import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { ApiError, sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Person } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { messages } from "./messages";

/** A name, and that the person agreed. For somebody new (`person` is null), a face without a name, or a new name. */
export function PersonForm({ person, onDone }: { person: Person | null; onDone: () => void }) {
  const t = messages.use();
  const words = common.use();
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const [name, setName] = useState(person?.display_name ?? "");
  const [agreed, setAgreed] = useState(false);
  const [note, setNote] = useState("");
  const [errors, setErrors] = useState<Partial<Record<string, string>>>({});
  const form = useErrorFocus(errors);
  const asks = !person?.consent;

  const save = useMutation({
    mutationFn: () => {
      const body = { display_name: name.trim(), ...(asks ? { consent: true, consent_note: note.trim() } : {}) };
      return person
        ? api.json<Person>(`/people/${person.person_id}`, { method: "PATCH", body })
        : api.json<Person>("/people", { method: "POST", body });
    },
    onSuccess: (saved) => {
      void client.invalidateQueries({ queryKey: keys.people });
      client.setQueryData(keys.person(saved.person_id), saved);
      onDone();
      if (!person) void navigate({ to: "/people/$personId", params: { personId: saved.person_id } });
    },
    onError: (error) => setErrors(error instanceof ApiError ? error.fields : {}),
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    const found: typeof errors = {};
    if (name.trim() === "") found.display_name = t.nameMissing;
    if (asks && !agreed) found.consent = t.consentMissing;
    if (asks && note.trim() === "") found.consent_note = t.consentNoteMissing;
    setErrors(found);
    if (Object.keys(found).length === 0) save.mutate();
  };

  return (
    <form ref={form} noValidate onSubmit={submit} className="grid gap-5">
      {save.error && Object.keys(errors).length === 0 && <Notice tone="bad">{sentence(save.error)}</Notice>}
      <Field label={t.name} name="display_name" value={name} maxLength={100} autoComplete="off" onChange={(event) => setName(event.target.value)} error={errors.display_name} required />
      {asks && (
        <>
          <div className="grid gap-1.5">
            <label className="flex items-start gap-3 text-sm">
              <input
                type="checkbox"
                name="consent"
                checked={agreed}
                onChange={(event) => setAgreed(event.target.checked)}
                aria-invalid={errors.consent ? true : undefined}
                aria-describedby={errors.consent ? "consent-error" : undefined}
                className="mt-0.5 size-4 shrink-0 accent-(--accent)"
              />
              {t.consent}
            </label>
            {errors.consent && (
              <p id="consent-error" className="text-[13px] text-bad">
                {errors.consent}
              </p>
            )}
          </div>
          <Field label={t.consentNote} name="consent_note" value={note} maxLength={1000} autoComplete="off" placeholder={t.consentNoteExample} onChange={(event) => setNote(event.target.value)} error={errors.consent_note} required />
        </>
      )}
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onDone}>{words.cancel}</Button>
        <Button type="submit" tone="primary" busy={save.isPending}>
          {t.save}
        </Button>
      </div>
    </form>
  );
}
