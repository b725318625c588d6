import type { QueryClient } from "@tanstack/react-query";
import { keys } from "@/lib/api/queries";

/** Who somebody is stands in more places than on their page: in lists, at the scenes of videos, and among what a search found. */
export function peopleChanged(client: QueryClient) {
  const stale = [keys.people, keys.everyPerson, keys.everyScene, keys.search];
  return Promise.all(stale.map((queryKey) => client.invalidateQueries({ queryKey })));
}
