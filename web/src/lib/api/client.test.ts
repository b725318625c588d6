import { describe, expect, it, vi } from "vitest";
import { createApiClient, type TokenSource } from "./client";
import { ApiError } from "./errors";

const problem = (status: number, body: object) => new Response(JSON.stringify({ status, ...body }), { status, headers: { "content-type": "application/problem+json" } });
const ok = (body: unknown = {}) => new Response(JSON.stringify(body), { headers: { "content-type": "application/json" } });

/** A session whose token is `t0`, then `t1`, … after each refresh, and a server that accepts only the given one. */
function world(accepts: string, refreshes = 1) {
  let version = 0;
  const tokens = {
    token: vi.fn(async () => `t${version}`),
    refresh: vi.fn(async () => (version < refreshes ? `t${++version}` : null)),
    ended: vi.fn(),
  } satisfies TokenSource;
  const fetcher = vi.fn(async (_url: string | URL | Request, init?: RequestInit) => {
    const bearer = (init?.headers as Record<string, string>).authorization;
    return bearer === `Bearer ${accepts}` ? ok({ hello: "ann" }) : problem(401, { code: "unauthorized", detail: "Please sign in." });
  });
  return { tokens, fetcher, api: createApiClient(tokens, fetcher as typeof fetch) };
}

describe("the API client", () => {
  it("sends the token and needs no refresh while it is good", async () => {
    const { api, tokens, fetcher } = world("t0");
    expect(await api.json("/users/me")).toEqual({ hello: "ann" });
    expect(fetcher).toHaveBeenCalledTimes(1);
    expect(tokens.refresh).not.toHaveBeenCalled();
  });

  it("refreshes once on 401 and repeats the request", async () => {
    const { api, tokens, fetcher } = world("t1");
    expect(await api.json("/users/me")).toEqual({ hello: "ann" });
    expect(fetcher).toHaveBeenCalledTimes(2);
    expect(tokens.refresh).toHaveBeenCalledTimes(1);
    expect(tokens.ended).not.toHaveBeenCalled();
  });

  it("shares one refresh among requests that are refused together", async () => {
    const { api, tokens } = world("t1");
    await Promise.all([api.json("/a"), api.json("/b"), api.json("/c")]);
    expect(tokens.refresh).toHaveBeenCalledTimes(1);
  });

  it("ends the session when even the fresh token is refused, without a third try", async () => {
    const { api, tokens, fetcher } = world("never");
    await expect(api.json("/users/me")).rejects.toMatchObject({ status: 401, code: "unauthorized", message: "Please sign in." });
    expect(fetcher).toHaveBeenCalledTimes(2);
    expect(tokens.ended).toHaveBeenCalledTimes(1);
  });

  it("keeps the session when the refresh itself cannot reach the server", async () => {
    const { api, tokens } = world("t1");
    tokens.refresh.mockRejectedValue(new ApiError(0));
    await expect(api.json("/users/me")).rejects.toMatchObject({ status: 0, code: "network" });
    expect(tokens.ended).not.toHaveBeenCalled();
  });

  it("turns problem+json into an error with sentences for the fields", async () => {
    const { tokens } = world("t0");
    const fetcher = async () => problem(422, { code: "validation_failed", detail: "Some fields need another look.", request_id: "r-1", errors: [{ field: "title", code: "too_long", detail: "At most 200 characters." }] });
    const error = await createApiClient(tokens, fetcher as typeof fetch).json("/videos/1", { method: "PATCH", body: {} }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 422, code: "validation_failed", requestId: "r-1", fields: { title: "At most 200 characters." }, isTransient: false });
  });

  it("has a sentence for a server that is away or answers with something else", async () => {
    const { tokens } = world("t0");
    const away = createApiClient(tokens, (async () => Promise.reject(new TypeError("fetch failed"))) as typeof fetch);
    await expect(away.json("/x")).rejects.toMatchObject({ status: 0, isTransient: true, message: expect.stringContaining("cannot be reached") });
    const proxy = createApiClient(tokens, (async () => new Response("<html>Bad gateway</html>", { status: 502 })) as typeof fetch);
    await expect(proxy.json("/x")).rejects.toMatchObject({ status: 502, code: "http_502", isTransient: true });
  });

  it("lets an aborted request be an abort, not a network error", async () => {
    const { tokens } = world("t0");
    const controller = new AbortController();
    controller.abort();
    const api = createApiClient(tokens, (async () => Promise.reject(new DOMException("stopped", "AbortError"))) as typeof fetch);
    await expect(api.json("/x", { signal: controller.signal })).rejects.toMatchObject({ name: "AbortError" });
  });

  it("leaves empty query values out", async () => {
    const { api, fetcher } = world("t0");
    await api.json("/videos", { query: { limit: 3, cursor: null, q: "", state: undefined } });
    expect(fetcher.mock.calls[0]?.[0]).toBe("/videos?limit=3");
  });
});
