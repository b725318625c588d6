import { createContext, useContext } from "react";
import { createApiClient, type ApiClient } from "./api/client";
import { errorFromResponse, ApiError } from "./api/errors";
import type { Config } from "./api/types";
import { createSession, tokenSource, type Supabase } from "./session";

/** What every part of the app may use; made once, when the server has said how to sign in. */
export interface Services {
  config: Config;
  supabase: Supabase;
  api: ApiClient;
}

export async function startServices(): Promise<Services> {
  const response = await fetch("/config", { headers: { accept: "application/json" } }).catch((cause: unknown) => {
    throw new ApiError(0, {}, { cause });
  });
  if (!response.ok) throw await errorFromResponse(response);
  const config = (await response.json()) as Config;
  const supabase = createSession(config);
  return { config, supabase, api: createApiClient(tokenSource(supabase)) };
}

const ServicesContext = createContext<Services | null>(null);
export const ServicesProvider = ServicesContext.Provider;

export function useServices(): Services {
  const services = useContext(ServicesContext);
  if (!services) throw new Error("useServices outside of ServicesProvider");
  return services;
}
