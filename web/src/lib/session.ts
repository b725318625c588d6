import { createClient, type SupabaseClient } from "@supabase/supabase-js";
import type { TokenSource } from "./api/client";
import { ApiError } from "./api/errors";
import type { Config } from "./api/types";

/** supabase-js keeps the session in local storage, refreshes it before it ends and shares it between tabs. */
export function createSession(config: Config): SupabaseClient {
  // The embedded auth server is the API itself: the address in use (a LAN name, a proxy) reaches it better than any other.
  const base = config.embedded_auth ? window.location.origin : config.auth_url;
  return createClient(base, config.publishable_key, {
    auth: { persistSession: true, autoRefreshToken: true, detectSessionInUrl: true },
  });
}

export function tokenSource(supabase: SupabaseClient): TokenSource {
  return {
    token: async () => (await supabase.auth.getSession()).data.session?.access_token ?? null,
    refresh: async () => {
      const { data, error } = await supabase.auth.refreshSession();
      if (data.session) return data.session.access_token;
      // An auth server out of reach is no verdict on the session: keep it and say so.
      if (error && (error.status === undefined || error.status === 0 || error.status >= 500) && error.name === "AuthRetryableFetchError") {
        throw new ApiError(0, {}, { cause: error });
      }
      return null;
    },
    ended: () => {
      void supabase.auth.signOut({ scope: "local" });
    },
  };
}
