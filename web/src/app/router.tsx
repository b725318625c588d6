import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Link, Outlet, redirect, type ErrorComponentProps } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { buttonClass } from "@/components/Button";
import { Logo } from "@/components/Logo";
import { EmptyState, ErrorState } from "@/components/States";
import { ApiError } from "@/lib/api/errors";
import { meQuery } from "@/lib/api/queries";
import type { VideoState } from "@/lib/api/types";
import type { Services } from "@/lib/services";
import { messages } from "./messages";
import { Shell } from "./Shell";

interface Context {
  services: Services;
  client: QueryClient;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound });

async function hasSession({ supabase }: Services): Promise<boolean> {
  const { data, error } = await supabase.auth.getSession();
  // An auth server out of reach has not ended the session: say so instead of asking for the password.
  if (!data.session && error?.name === "AuthRetryableFetchError") throw new ApiError(0, {}, { cause: error });
  return data.session !== null;
}

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/library", replace: true });
  },
});

/** Everything for a signed-in person: no page renders before the profile is here. */
const member = createRoute({
  getParentRoute: () => root,
  id: "member",
  beforeLoad: async ({ context: { services, client }, location }) => {
    const toLogin = (ended: boolean) => redirect({ to: "/login", search: { to: `/app${location.pathname.replace(/^\/app/, "")}${location.searchStr}`, ...(ended ? { ended: "1" } : {}) }, replace: true });
    if (!(await hasSession(services))) throw toLogin(false);
    try {
      await client.ensureQueryData(meQuery(services.api));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw toLogin(true);
      throw error;
    }
  },
  component: Shell,
  pendingComponent: Splash,
  pendingMs: 300,
  errorComponent: Broken,
});

const visitor = createRoute({
  getParentRoute: () => root,
  id: "visitor",
  validateSearch: (search: Record<string, unknown>): { to?: string | undefined; ended?: string | undefined } => ({ to: text(search.to), ended: text(search.ended) }),
  beforeLoad: async ({ context: { services }, search }) => {
    if (await hasSession(services)) throw redirect({ href: search.to?.startsWith("/app/") ? search.to : "/app/library", replace: true });
  },
  component: Outlet,
  errorComponent: Broken,
});

const login = createRoute({ getParentRoute: () => visitor, path: "login", component: lazyRouteComponent(() => import("@/features/auth/LoginPage"), "LoginPage") });
const register = createRoute({ getParentRoute: () => visitor, path: "register", component: lazyRouteComponent(() => import("@/features/auth/RegisterPage"), "RegisterPage") });

const STATES: readonly string[] = ["uploading", "validating", "processing", "indexed", "failed"];
const library = createRoute({
  getParentRoute: () => member,
  path: "library",
  validateSearch: (search: Record<string, unknown>): { state?: VideoState | undefined } =>
    STATES.includes(String(search.state)) ? { state: search.state as VideoState } : {},
  component: lazyRouteComponent(() => import("@/features/library/LibraryPage"), "LibraryPage"),
});
const upload = createRoute({ getParentRoute: () => member, path: "upload", component: lazyRouteComponent(() => import("@/features/upload/UploadPage"), "UploadPage") });
const video = createRoute({
  getParentRoute: () => member,
  path: "videos/$videoId",
  /** `t`: the moment to jump to, in milliseconds. */
  validateSearch: (search: Record<string, unknown>): { t?: number | undefined } => {
    const at_ms = Number(search.t);
    return search.t !== undefined && Number.isFinite(at_ms) && at_ms >= 0 ? { t: at_ms } : {};
  },
  component: lazyRouteComponent(() => import("@/features/video/VideoPage"), "VideoPage"),
});
const search = createRoute({
  getParentRoute: () => member,
  path: "search",
  validateSearch: (params: Record<string, unknown>): { q?: string | undefined } => ({ q: text(params.q) }),
  component: lazyRouteComponent(() => import("@/features/search/SearchPage"), "SearchPage"),
});
const profile = createRoute({ getParentRoute: () => member, path: "profile", component: lazyRouteComponent(() => import("@/features/profile/ProfilePage"), "ProfilePage") });

const routeTree = root.addChildren([home, visitor.addChildren([login, register]), member.addChildren([library, upload, video, search, profile])]);

export function makeRouter(context: Context) {
  return createRouter({
    routeTree,
    context,
    basepath: "/app",
    defaultPreload: "intent",
    defaultPreloadStaleTime: 0,
    scrollRestoration: true,
    defaultErrorComponent: Broken,
    defaultNotFoundComponent: NotFound,
    // Plain query strings: what a person types into the address bar is what the page reads.
    parseSearch: (query) => Object.fromEntries(new URLSearchParams(query)),
    stringifySearch: (values) => {
      const entries = Object.entries(values as Record<string, unknown>).filter(([, value]) => value !== undefined && value !== null && value !== "");
      return entries.length > 0 ? `?${new URLSearchParams(entries.map(([key, value]) => [key, String(value)]))}` : "";
    },
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}

export function Splash() {
  return (
    <div role="status" aria-label="Heimdex" className="grid min-h-dvh place-items-center">
      <Logo className="size-12 animate-breathe" />
    </div>
  );
}

function Broken({ error, reset }: ErrorComponentProps) {
  const t = messages.use();
  return (
    <main className="grid min-h-[60dvh] place-items-center">
      <ErrorState
        title={t.crashed}
        error={error}
        retry={() => {
          reset();
          window.location.reload();
        }}
      />
    </main>
  );
}

function NotFound() {
  const t = messages.use();
  return (
    <main>
      <EmptyState
        icon={<Compass />}
        title={t.notFound}
        action={
          <Link to="/library" className={buttonClass("primary")}>
            {t.home}
          </Link>
        }
      >
        {t.notFoundMore}
      </EmptyState>
    </main>
  );
}
