import { AuthClient, type AuthError, type Session } from "@supabase/supabase-js";
import type { TokenSource } from "./api/client";
import { ApiError } from "./api/errors";
import type { Config } from "./api/types";

/** Of supabase-js the part that signs people in. Its clients for tables, files and channels would be a sixth of the first
 *  load, and nothing here uses them. */
export interface Supabase {
  auth: InstanceType<typeof AuthClient>;
}

/** The session is kept in local storage, refreshed before it ends and shared between tabs, as by `createClient`. */
export function createSession(config: Config): Supabase {
  // The embedded auth server is the API itself: the address in use (a LAN name, a proxy) reaches it better than any other.
  const base = new URL(`${(config.embedded_auth ? window.location.origin : config.auth_url).replace(/\/+$/, "")}/`);
  const key = config.publishable_key;
  const auth = new AuthClient({
    url: new URL("auth/v1", base).href,
    headers: { apikey: key, Authorization: `Bearer ${key}` },
    // The key that `createClient` uses.
    storageKey: `sb-${base.hostname.split(".")[0]}-auth-token`,
    persistSession: true,
    autoRefreshToken: true,
    // Links in mails carry a code that only this browser can redeem, never a token.
    flowType: "pkce",
    // One page (auth/confirm) takes such links, so that it can say what became of them.
    detectSessionInUrl: false,
  });
  return { auth };
}

/** Whether something in local storage is the session. */
export const isSessionKey = (key: string | null) => key !== null && /^sb-.+-auth-token$/.test(key);

/** What the auth server's trouble is: out of reach, overloaded, busy. No verdict on the session or on what was typed. */
export function isPassing(error: Pick<AuthError, "name" | "status">): boolean {
  if (error.name === "AuthRefreshDiscardedError") return false;
  const status = error.status ?? 0;
  return error.name === "AuthRetryableFetchError" || status === 409 || status === 429 || status >= 500;
}

/** The session, refreshed when it is about to end; null when nobody is signed in. An auth server out of reach has not
 *  ended anything: that throws. */
export async function currentSession(supabase: Supabase): Promise<Session | null> {
  const { data, error } = await supabase.auth.getSession();
  if (!data.session && error && isPassing(error)) throw new ApiError(0, {}, { cause: error });
  return data.session;
}

export function tokenSource(supabase: Supabase): TokenSource {
  return {
    token: async () => (await currentSession(supabase))?.access_token ?? null,
    refresh: async (refused) => {
      const { data, error } = await supabase.auth.refreshSession();
      if (data.session) return data.session.access_token;
      if (error && isPassing(error)) throw new ApiError(0, {}, { cause: error });
      // Another tab may have been faster: then its token is the session's.
      const token = (await currentSession(supabase))?.access_token ?? null;
      return token === refused ? null : token;
    },
    ended: () => {
      void supabase.auth.signOut({ scope: "local" });
    },
  };
}

let leaving = false;

/** Signs out here, everywhere or everywhere else. Null when done. */
export async function signOut(supabase: Supabase, scope: "local" | "global" | "others"): Promise<AuthError | null> {
  leaving = scope !== "others";
  const { error } = await supabase.auth.signOut({ scope });
  leaving = false;
  // Here the session is gone at once; that the server did not hear of it is nothing the person could mend.
  return scope === "local" ? null : error;
}

/** Whether the sign-out that is being told was asked for in this very tab. */
export const isLeaving = () => leaving;
