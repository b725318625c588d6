import { ApiError, errorFromResponse } from "./errors";

/** Where the token comes from. `refresh` gives a new one in place of the refused one, or null when the session is over.
 *  Both throw when the auth server cannot be asked. */
export interface TokenSource {
  token: () => Promise<string | null>;
  refresh: (refused: string) => Promise<string | null>;
  /** The server refuses even a fresh token: the session is over. */
  ended: () => void;
}

export interface RequestOptions {
  method?: "GET" | "POST" | "PATCH" | "PUT" | "DELETE";
  /** JSON, but for a file, which is sent as it is. */
  body?: unknown;
  query?: Record<string, string | number | null | undefined>;
  headers?: Record<string, string>;
  signal?: AbortSignal;
}

export interface ApiClient {
  json: <T>(path: string, options?: RequestOptions) => Promise<T>;
  text: (path: string, options?: RequestOptions) => Promise<string>;
  /** The response itself (streams). Errors are thrown as for the others. */
  raw: (path: string, options?: RequestOptions) => Promise<Response>;
}

function target(path: string, query: RequestOptions["query"]): string {
  const entries = Object.entries(query ?? {}).filter(([, value]) => value !== null && value !== undefined && value !== "");
  if (entries.length === 0) return path;
  return `${path}?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)]))}`;
}

/** One door to the API: adds the token, refreshes it once when it is refused and repeats, turns problem+json into ApiError. */
export function createApiClient(tokens: TokenSource, fetcher: typeof fetch = (...args) => fetch(...args)): ApiClient {
  let refreshing: Promise<string | null> | null = null;

  // Requests that fail together wait for the same refresh.
  const refreshOnce = (refused: string) => {
    refreshing ??= tokens.refresh(refused).finally(() => {
      refreshing = null;
    });
    return refreshing;
  };

  const send = async (path: string, options: RequestOptions, token: string | null): Promise<Response> => {
    const headers: Record<string, string> = { accept: "application/json", ...options.headers };
    if (token) headers.authorization = `Bearer ${token}`;
    const file = options.body instanceof Blob ? options.body : null;
    if (options.body !== undefined) headers["content-type"] = file ? file.type : "application/json";
    try {
      return await fetcher(target(path, options.query), {
        method: options.method ?? "GET",
        headers,
        body: file ?? (options.body === undefined ? null : JSON.stringify(options.body)),
        signal: options.signal ?? null,
      });
    } catch (cause) {
      if (options.signal?.aborted) throw cause;
      throw new ApiError(0, {}, { cause });
    }
  };

  const raw = async (path: string, options: RequestOptions = {}): Promise<Response> => {
    const used = await tokens.token();
    let response = await send(path, options, used);
    if (response.status === 401 && used) {
      // Another request may have refreshed meanwhile: then its token is the new one.
      const current = await tokens.token();
      const fresh = current && current !== used ? current : await refreshOnce(used);
      if (fresh) response = await send(path, options, fresh);
      if (response.status === 401) tokens.ended();
    }
    if (!response.ok) throw await errorFromResponse(response);
    return response;
  };

  return {
    raw,
    text: async (path, options) => (await raw(path, options)).text(),
    json: async <T>(path: string, options?: RequestOptions) => {
      const response = await raw(path, options);
      if (response.status === 204) return undefined as T;
      const body = await response.text();
      return (body === "" ? undefined : JSON.parse(body)) as T;
    },
  };
}
