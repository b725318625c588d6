import { defineMessages } from "@/lib/i18n/i18n";
import type { ProblemDocument } from "./types";

const messages = defineMessages({
  en: {
    offline: "Heimdex cannot be reached. Check your connection and try again.",
    server: "Something went wrong on the server. Try again in a moment.",
    unknown: (status: number) => `The server answered with status ${status}.`,
  },
  ko: {
    offline: "Heimdex에 연결할 수 없습니다. 네트워크를 확인하고 다시 시도하세요.",
    server: "서버에 문제가 생겼습니다. 잠시 후 다시 시도하세요.",
    unknown: (status: number) => `서버가 상태 코드 ${status}(으)로 응답했습니다.`,
  },
});

/** Every failed request becomes this: `code` for decisions, `message` for the person. `status` 0 means no answer came. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly requestId: string | null;
  /** Sentences by field name, for forms. */
  readonly fields: Readonly<Record<string, string>>;
  readonly problem: ProblemDocument;

  constructor(status: number, problem: ProblemDocument = {}, options?: { cause?: unknown }) {
    const t = messages.now();
    const fallback = status === 0 ? t.offline : status >= 500 ? t.server : t.unknown(status);
    super(problem.detail || problem.title || fallback, options);
    this.name = "ApiError";
    this.status = status;
    this.code = problem.code ?? (status === 0 ? "network" : `http_${status}`);
    this.requestId = problem.request_id ?? null;
    this.fields = Object.fromEntries((problem.errors ?? []).map((error) => [error.field, error.detail]));
    this.problem = problem;
  }

  /** Worth trying again without changing anything. */
  get isTransient(): boolean {
    return this.status === 0 || this.status === 408 || this.status === 429 || this.status >= 500;
  }
}

export async function errorFromResponse(response: Response): Promise<ApiError> {
  const type = response.headers.get("content-type") ?? "";
  let problem: ProblemDocument = {};
  if (type.includes("json")) {
    try {
      const body: unknown = await response.json();
      if (body && typeof body === "object") problem = body as ProblemDocument;
    } catch {
      // A broken body says no more than its status.
    }
  }
  return new ApiError(response.status, problem);
}

/** A sentence for the person, whatever was thrown. */
export function sentence(error: unknown): string {
  if (error instanceof Error && error.message) return error.message;
  return messages.now().server;
}
