import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useEffect, useRef, useState, type FormEvent } from "react";
import { Button } from "@/components/Button";
import { Field } from "@/components/Field";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { keys } from "@/lib/api/queries";
import type { Person, PersonWithPhotos } from "@/lib/api/types";
import { useRenewal } from "@/lib/expired";
import { useServices } from "@/lib/services";
import { showToast } from "@/lib/toast";
import { peopleChanged } from "./changed";
import { Face } from "./Face";
import { messages } from "./messages";

/** From so many on, names can be filtered. */
const MANY = 8;

interface Props {
  person: Person;
  /** Who it may be. */
  people: Person[];
  question: string;
  yes: string;
  no: string;
  onNo: () => void;
  onDone: () => void;
}

/** Joins a person to another one, who is shown afterwards: the first one is gone then. */
export function JoinForm({ person, people, question, yes, no, onNo, onDone }: Props) {
  const t = messages.use();
  const { api } = useServices();
  const client = useQueryClient();
  const navigate = useNavigate();
  const form = useRef<HTMLFormElement>(null);
  const [typed, setTyped] = useState("");
  const [chosen, setChosen] = useState(people.length === 1 ? people[0]?.person_id : undefined);
  const onExpired = useRenewal(() => void client.invalidateQueries({ queryKey: keys.people }));
  const offered = people.filter((other) => other.display_name?.toLocaleLowerCase().includes(typed.trim().toLocaleLowerCase()));
  const into = offered.find((other) => other.person_id === chosen);

  // It takes the place of something else in its dialog, and the keyboard with it.
  useEffect(() => form.current?.querySelector("input")?.focus(), []);

  const join = useMutation({
    mutationFn: (other: Person) => api.json<PersonWithPhotos>(`/people/${other.person_id}/merge`, { method: "POST", body: { from: [person.person_id] } }),
    onSuccess: async (joined) => {
      client.setQueryData(keys.person(joined.person_id), joined);
      showToast({ text: t.mergeDone(joined.display_name ?? t.noName), tone: "good" });
      onDone();
      await navigate({ to: "/people/$personId", params: { personId: joined.person_id }, replace: true });
      client.removeQueries({ queryKey: keys.person(person.person_id) });
      void peopleChanged(client);
    },
  });

  return (
    <form
      ref={form}
      noValidate
      className="grid gap-5"
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        if (into) join.mutate(into);
      }}
    >
      {join.error && <Notice tone="bad">{sentence(join.error)}</Notice>}
      {people.length >= MANY && <Field label={t.mergeFind} value={typed} autoComplete="off" onChange={(event) => setTyped(event.target.value)} />}
      <fieldset className="min-w-0">
        <legend className="mb-2 text-[15px] font-medium">{question}</legend>
        <div className="thin-scroll -mx-1 grid max-h-72 gap-1 overflow-y-auto px-1 py-1">
          {offered.map((other) => (
            <label key={other.person_id} className="flex cursor-pointer items-center gap-3 rounded-xl border border-line px-3 py-2 hover:border-line-strong has-checked:border-accent has-checked:bg-accent-wash">
              <input type="radio" name="into" value={other.person_id} checked={other.person_id === chosen} onChange={() => setChosen(other.person_id)} className="size-4 shrink-0 accent-(--accent)" />
              <Face url={other.cover_url} className="size-11" onExpired={onExpired} />
              <span className="grid min-w-0">
                <span className="truncate text-[15px] font-medium">{other.display_name}</span>
                <span className="text-[13px] text-ink-soft">{t.scenes(other.scenes)}</span>
              </span>
            </label>
          ))}
        </div>
      </fieldset>
      <p className="text-sm leading-relaxed text-ink-soft">{t.mergeWarning}</p>
      <div className="flex flex-wrap justify-end gap-2">
        <Button onClick={onNo}>{no}</Button>
        <Button type="submit" tone="primary" busy={join.isPending} disabled={!into}>
          {yes}
        </Button>
      </div>
    </form>
  );
}
