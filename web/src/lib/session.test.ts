import { describe, expect, it, vi } from "vitest";
import { currentSession, isLeaving, signOut, tokenSource, type Supabase } from "./session";

const failure = (name: string, status?: number) => ({ name, status, message: name });
const away = failure("AuthRetryableFetchError", 0);

/** supabase-js as far as the session layer sees it: what is stored, and what a refresh answers. */
function world({ stored = "t0" as string | null, getError = null as object | null, refresh = {} as { token?: string; error?: object; storedAfter?: string | null } }) {
  let token = stored;
  const session = () => (token === null ? null : { access_token: token });
  const auth = {
    getSession: vi.fn(async () => ({ data: { session: getError ? null : session() }, error: getError })),
    refreshSession: vi.fn(async () => {
      if (refresh.token) token = refresh.token;
      if (refresh.storedAfter !== undefined) token = refresh.storedAfter;
      return { data: { session: refresh.token ? session() : null }, error: refresh.error ?? null };
    }),
    signOut: vi.fn(async () => ({ error: null as object | null })),
  };
  const supabase = { auth } as unknown as Supabase;
  return { auth, supabase, tokens: tokenSource(supabase) };
}

describe("the session", () => {
  it("is there, or nobody is signed in", async () => {
    expect(await currentSession(world({}).supabase)).toEqual({ access_token: "t0" });
    expect(await currentSession(world({ stored: null }).supabase)).toBeNull();
  });

  it.each([away, failure("AuthRetryableFetchError", 503), failure("AuthApiError", 429), failure("AuthApiError", 409)])(
    "is not over because the auth server cannot answer: $name $status",
    async (error) => {
      const { supabase, tokens } = world({ getError: error });
      await expect(currentSession(supabase)).rejects.toMatchObject({ status: 0, code: "network" });
      await expect(tokens.token()).rejects.toMatchObject({ isTransient: true });
      await expect(world({ refresh: { error } }).tokens.refresh("t0")).rejects.toMatchObject({ status: 0 });
    },
  );

  it("is over when the server says that it knows it no more", async () => {
    expect(await currentSession(world({ getError: failure("AuthApiError", 400) }).supabase)).toBeNull();
    expect(await world({ refresh: { error: failure("AuthApiError", 400) } }).tokens.refresh("t0")).toBeNull();
  });

  it("goes on with the token of another tab that refreshed at the same time", async () => {
    const { tokens } = world({ refresh: { error: failure("AuthRefreshDiscardedError", 409), storedAfter: "t1" } });
    expect(await tokens.refresh("t0")).toBe("t1");
  });

  it("is over when another tab signed out during the refresh", async () => {
    const { tokens } = world({ refresh: { error: failure("AuthRefreshDiscardedError", 409), storedAfter: null } });
    expect(await tokens.refresh("t0")).toBeNull();
  });
});

describe("signing out", () => {
  it("is known to be wanted while it happens, in this tab only", async () => {
    const { supabase, auth } = world({});
    auth.signOut.mockImplementation(async () => {
      expect(isLeaving()).toBe(true);
      return { error: null };
    });
    expect(await signOut(supabase, "local")).toBeNull();
    expect(isLeaving()).toBe(false);
  });

  it("of this browser needs no server; of all others does", async () => {
    const { supabase, auth } = world({});
    auth.signOut.mockResolvedValue({ error: away });
    expect(await signOut(supabase, "local")).toBeNull();
    expect(await signOut(supabase, "global")).toEqual(away);
    expect(await signOut(supabase, "others")).toEqual(away);
  });
});
