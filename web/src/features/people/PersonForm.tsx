import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { useErrorFocus } from "@/components/form";
import { Notice } from "@/components/Notice";
import { ApiError, sentence } from "@/lib/api/errors";
import { everybodyQuery, keys } from "@/lib/api/queries";
import type { Person } from "@/lib/api/types";
import { common } from "@/lib/i18n/common";
import { useServices } from "@/lib/services";
import { peopleChanged } from "./changed";
import { JoinForm } from "./JoinForm";
import { messages } from "./messages";
import { namesakes } from "./namesakes";

/** A name, and that the person agreed. For somebody new (`person` is null), a face without a name, or a new name. Where somebody
 *  else is called that, it asks first whether they are the same. */
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
  /** Others of the name that was given, while it is asked whether this is one of them. */
  const [same, setSame] = useState<Person[]>([]);
  const [asked, setAsked] = useState<string | null>(null);

  const save = useMutation({
    mutationFn: () => {
      const body = { display_name: name.trim(), ...(asks ? { consent: true, consent_note: note.trim() } : {}) };
      return person
        ? api.json<Person>(`/people/${person.person_id}`, { method: "PATCH", body })
        : api.json<Person>("/people", { method: "POST", body });
    },
    onSuccess: (saved) => {
      client.setQueryData(keys.person(saved.person_id), saved);
      void peopleChanged(client);
      onDone();
      if (!person) void navigate({ to: "/people/$personId", params: { personId: saved.person_id } });
    },
    onError: (error) => setErrors(error instanceof ApiError ? error.fields : {}),
  });

  const finish = () => {
    const found: typeof errors = {};
    if (asks && !agreed) found.consent = t.consentMissing;
    if (asks && note.trim() === "") found.consent_note = t.consentNoteMissing;
    setErrors(found);
    if (Object.keys(found).length === 0) save.mutate();
  };

  const check = useMutation({
    mutationFn: async (known: Person) => namesakes(await client.fetchQuery(everybodyQuery(api)), known, name),
    onSuccess: (others) => {
      setAsked(name);
      if (others.length > 0) setSame(others);
      else finish();
    },
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    check.reset();
    save.reset();
    if (name.trim() === "") setErrors({ display_name: t.nameMissing });
    else if (person && name !== asked && name.trim() !== person.display_name) check.mutate(person);
    else finish();
  };
  const error = check.error ?? save.error;

  if (person && same[0]) {
    const another = () => {
      setSame([]);
      finish();
    };
    return <JoinForm person={person} people={same} question={t.sameTitle(same[0].display_name ?? name)} yes={t.sameYes} no={t.sameNo} onNo={another} onDone={onDone} />;
  }
  return (
    <form ref={form} noValidate onSubmit={submit} className="grid gap-5">
      {error && Object.keys(errors).length === 0 && <Notice tone="bad">{sentence(error)}</Notice>}
      <Field label={t.name} name="display_name" value={name} maxLength={100} autoComplete="off" onChange={(event) => setName(event.target.value)} error={errors.display_name} autoFocus required />
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
        <Button type="submit" tone="primary" busy={check.isPending || save.isPending}>
          {t.save}
        </Button>
      </div>
    </form>
  );
}
