import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import { Button } from "@/components/Button";
import { Notice } from "@/components/Notice";
import { sentence } from "@/lib/api/errors";
import { messages } from "./messages";

/** The way to a list's next page, while there is one. */
export function More({ query }: { query: Pick<UseInfiniteQueryResult, "hasNextPage" | "isFetchingNextPage" | "isFetchNextPageError" | "error" | "fetchNextPage"> }) {
  const t = messages.use();
  if (!query.hasNextPage) return null;
  return (
    <div className="mt-8 grid justify-items-center gap-4">
      {query.isFetchNextPageError && <Notice tone="bad">{sentence(query.error)}</Notice>}
      <Button busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>
        {t.more}
      </Button>
    </div>
  );
}
