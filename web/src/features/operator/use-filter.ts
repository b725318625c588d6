import { useSearch } from "@tanstack/react-router";
import type { Filter } from "./queries";

/** The filter that stands in the address. */
export function useFilter(): Filter {
  const search: Record<string, unknown> = useSearch({ strict: false });
  return Object.fromEntries(Object.entries(search).filter((entry): entry is [string, string] => typeof entry[1] === "string"));
}
