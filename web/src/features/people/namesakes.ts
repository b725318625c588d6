import type { Person } from "@/lib/api/types";

const plain = (name: string | null) => (name ?? "").normalize("NFC").trim().replace(/\s+/g, " ").toLocaleLowerCase();

/** Whom somebody can be joined to: others with a name, who agreed to be recognised. */
export const joinable = (people: readonly Person[], person: Person) =>
  people.filter((other) => other.person_id !== person.person_id && other.display_name !== null && other.consent !== null);

/** Those of them who have this name, however it is written. */
export const namesakes = (people: readonly Person[], person: Person, name: string) =>
  joinable(people, person).filter((other) => plain(other.display_name) === plain(name));
