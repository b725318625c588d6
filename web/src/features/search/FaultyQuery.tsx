import type { ApiError } from "@/lib/api/errors";
import { Notice } from "@/components/Notice";
import { messages } from "./messages";

/** The columns of a mistake in a query, if that is what an error is about. */
export function columnsOf({ problem }: ApiError): { first: number; end: number } | null {
  const { column, column_end } = problem;
  return typeof column === "number" && typeof column_end === "number" ? { first: column, end: column_end } : null;
}

/** A query with its mistake underlined, and what is wrong with it. Columns are counted from 1 in Unicode characters. */
export function FaultyQuery({ q, error, columns: { first, end } }: { q: string; error: ApiError; columns: { first: number; end: number } }) {
  const t = messages.use();
  const chars = [...q];
  const wrong = chars.slice(first - 1, end - 1).join("");
  return (
    <Notice tone="bad">
      <p>{t.wrong(wrong)}</p>
      <p className="my-2 font-mono text-[13px] whitespace-pre-wrap">
        {chars.slice(0, first - 1).join("")}
        <u data-testid="wrong" className="rounded-sm bg-surface decoration-bad decoration-wavy decoration-2 underline-offset-4">
          {wrong}
        </u>
        {chars.slice(end - 1).join("")}
      </p>
      <p>{error.message}</p>
    </Notice>
  );
}
