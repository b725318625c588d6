import type { QueryClient } from "@tanstack/react-query";
import { createRootRouteWithContext, createRoute, createRouter, lazyRouteComponent, Link, notFound, Outlet, redirect, useRouter, type ErrorComponentProps } from "@tanstack/react-router";
import { Compass } from "lucide-react";
import { useEffect, useState } from "react";
import { buttonClass } from "@/components/Button";
import { Logo } from "@/components/Logo";
import { EmptyState, ErrorState } from "@/components/States";
import { ApiError } from "@/lib/api/errors";
import { meQuery } from "@/lib/api/queries";
import { mayOperate } from "@/lib/api/types";
import { ownPath } from "@/lib/auth-links";
import { readSearch } from "@/lib/library-search";
import type { Services } from "@/lib/services";
import { currentSession, isSessionKey } from "@/lib/session";
import { messages } from "./messages";
import { Shell } from "./Shell";

interface Context {
  services: Services;
  client: QueryClient;
}

const text = (value: unknown) => (typeof value === "string" && value !== "" ? value : undefined);

const root = createRootRouteWithContext<Context>()({ component: Outlet, notFoundComponent: NotFound });

/** The page asked for, to come back to after signing in. */
export const asked = (location: { pathname: string; searchStr: string }) => `/app${location.pathname.replace(/^\/app/, "")}${location.searchStr}`;

const home = createRoute({
  getParentRoute: () => root,
  path: "/",
  beforeLoad: () => {
    // A Supabase project sends people to its site's root when it does not know the page that was asked for.
    const { search, hash } = window.location;
    if (/[?#&](code|token_hash|error|error_code|access_token)=/.test(search + hash)) throw redirect({ href: `/app/auth/confirm${search}${hash}`, replace: true });
    throw redirect({ to: "/library", replace: true });
  },
});

/** Takes the links of mails, whoever is signed in or not. */
const confirm = createRoute({ getParentRoute: () => root, path: "auth/confirm/{-$type}", component: lazyRouteComponent(() => import("@/features/auth/ConfirmPage"), "ConfirmPage") });

/** Everything for a signed-in person: no page renders before the profile is here. */
const member = createRoute({
  getParentRoute: () => root,
  id: "member",
  beforeLoad: async ({ context: { services, client }, location }) => {
    const toLogin = (why?: Why) => redirect({ to: "/login", search: { to: asked(location), why }, replace: true });
    if (!(await currentSession(services.supabase))) throw toLogin();
    try {
      await client.ensureQueryData(meQuery(services.api));
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) throw toLogin("ended");
      throw error;
    }
  },
  component: Shell,
  pendingComponent: Splash,
  pendingMs: 300,
  errorComponent: Broken,
});

/** The mails that this server keeps instead of sending. For whoever sits at its machine, signed in or not. */
const outbox = createRoute({ getParentRoute: () => root, path: "outbox", component: lazyRouteComponent(() => import("@/features/outbox/OutboxPage"), "OutboxPage") });

/** A session without the frame: the person has something to do first. */
const signedIn = createRoute({
  getParentRoute: () => root,
  id: "signed-in",
  validateSearch: (search: Record<string, unknown>): { to?: string | undefined } => ({ to: text(search.to) }),
  beforeLoad: async ({ context: { services }, location }) => {
    const session = await currentSession(services.supabase);
    if (!session) throw redirect({ to: "/login", search: { to: asked(location) }, replace: true });
    return { email: session.user.email ?? "" };
  },
  component: Outlet,
  pendingComponent: Splash,
  errorComponent: Broken,
});
const newPassword = createRoute({
  getParentRoute: () => signedIn,
  path: "auth/new-password",
  component: lazyRouteComponent(() => import("@/features/auth/NewPasswordPage"), "NewPasswordPage"),
});

/** Why somebody finds themselves at the login page. */
type Why = "ended" | "deleted";
const visitor = createRoute({
  getParentRoute: () => root,
  id: "visitor",
  validateSearch: (search: Record<string, unknown>): { to?: string | undefined; why?: Why | undefined } => ({
    to: text(search.to),
    why: (["ended", "deleted"] as const).find((known) => known === search.why),
  }),
  beforeLoad: async ({ context: { services }, search }) => {
    if (await currentSession(services.supabase)) throw redirect({ href: ownPath(search.to) ?? "/app/library", replace: true });
  },
  component: Visitor,
  pendingComponent: Splash,
  errorComponent: Broken,
});

/** Goes on by itself when the person signs in in another tab: by the link of a mail, for example. */
function Visitor() {
  const router = useRouter();
  useEffect(() => {
    // Not supabase-js' own event: that may come before the session can be read here.
    const changed = (event: StorageEvent) => {
      if (event.newValue !== null && isSessionKey(event.key)) void router.invalidate();
    };
    window.addEventListener("storage", changed);
    return () => window.removeEventListener("storage", changed);
  }, [router]);
  return <Outlet />;
}

const login = createRoute({ getParentRoute: () => visitor, path: "login", component: lazyRouteComponent(() => import("@/features/auth/LoginPage"), "LoginPage") });
const register = createRoute({ getParentRoute: () => visitor, path: "register", component: lazyRouteComponent(() => import("@/features/auth/RegisterPage"), "RegisterPage") });
const forgot = createRoute({ getParentRoute: () => visitor, path: "forgot", component: lazyRouteComponent(() => import("@/features/auth/ForgotPage"), "ForgotPage") });
const mailbox = createRoute({
  getParentRoute: () => visitor,
  path: "mailbox",
  validateSearch: (search: Record<string, unknown>): { for?: string | undefined } => ({ for: text(search.for) }),
  component: lazyRouteComponent(() => import("@/features/auth/MailboxPage"), "MailboxPage"),
});

const library = createRoute({
  getParentRoute: () => member,
  path: "library",
  validateSearch: readSearch,
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
  /** `video`: only its scenes. `like`: a scene that others are to be like, instead of a query. */
  validateSearch: (params: Record<string, unknown>): { q?: string | undefined; video?: string | undefined; like?: string | undefined } => ({
    q: text(params.q),
    video: text(params.video),
    like: text(params.like),
  }),
  component: lazyRouteComponent(() => import("@/features/search/SearchPage"), "SearchPage"),
});
const shared = createRoute({ getParentRoute: () => member, path: "s/$token", component: lazyRouteComponent(() => import("@/features/share/SharedMomentPage"), "SharedMomentPage") });
const people = createRoute({ getParentRoute: () => member, path: "people", component: lazyRouteComponent(() => import("@/features/people/PeoplePage"), "PeoplePage") });
const person = createRoute({ getParentRoute: () => member, path: "people/$personId", component: lazyRouteComponent(() => import("@/features/people/PersonPage"), "PersonPage") });
const profile = createRoute({ getParentRoute: () => member, path: "profile", component: lazyRouteComponent(() => import("@/features/profile/ProfilePage"), "ProfilePage") });

/** The console is there for those who may see it; for others there is no such page, and its code is not loaded. */
const operator = createRoute({
  getParentRoute: () => member,
  path: "operator",
  beforeLoad: async ({ context: { services, client } }) => {
    if (!mayOperate(await client.ensureQueryData(meQuery(services.api)))) throw notFound();
  },
  component: lazyRouteComponent(() => import("@/features/operator/OperatorLayout"), "OperatorLayout"),
});
/** Filters of the console's lists stand in the address. */
const only =
  <Name extends string>(...names: Name[]) =>
  (search: Record<string, unknown>) =>
    Object.fromEntries(names.map((name) => [name, text(search[name])])) as { [K in Name]?: string | undefined };
const consolePages = [
  createRoute({ getParentRoute: () => operator, path: "/", component: lazyRouteComponent(() => import("@/features/operator/OverviewPage"), "OverviewPage") }),
  createRoute({ getParentRoute: () => operator, path: "failures", component: lazyRouteComponent(() => import("@/features/operator/FailuresPage"), "FailuresPage") }),
  createRoute({
    getParentRoute: () => operator,
    path: "jobs",
    validateSearch: only("state", "stage", "code", "video_id", "owner_id", "worker", "since", "until"),
    component: lazyRouteComponent(() => import("@/features/operator/JobsPage"), "JobsPage"),
  }),
  createRoute({ getParentRoute: () => operator, path: "jobs/$jobId", component: lazyRouteComponent(() => import("@/features/operator/JobPage"), "JobPage") }),
  createRoute({ getParentRoute: () => operator, path: "workers", component: lazyRouteComponent(() => import("@/features/operator/WorkersPage"), "WorkersPage") }),
  createRoute({
    getParentRoute: () => operator,
    path: "videos",
    validateSearch: only("state", "owner_id", "video_id"),
    component: lazyRouteComponent(() => import("@/features/operator/VideosPage"), "VideosPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "users",
    validateSearch: only("q", "tier", "role_profile"),
    component: lazyRouteComponent(() => import("@/features/operator/UsersPage"), "UsersPage"),
  }),
  createRoute({
    getParentRoute: () => operator,
    path: "audit",
    validateSearch: only("action", "actor_id", "subject_id", "since", "until"),
    component: lazyRouteComponent(() => import("@/features/operator/AuditPage"), "AuditPage"),
  }),
  createRoute({ getParentRoute: () => operator, path: "storage", component: lazyRouteComponent(() => import("@/features/operator/StoragePage"), "StoragePage") }),
] as const;

const routeTree = root.addChildren([
  home,
  confirm,
  outbox,
  signedIn.addChildren([newPassword]),
  visitor.addChildren([login, register, forgot, mailbox]),
  member.addChildren([library, upload, video, search, shared, people, person, profile, operator.addChildren(consolePages)]),
]);

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
  const t = messages.use();
  const [slow, setSlow] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setSlow(true), 4000);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div role="status" aria-label="Heimdex" className="grid min-h-dvh place-content-center justify-items-center gap-4">
      <Logo className="size-12 animate-breathe" />
      {/* Its place is kept, so that the logo does not jump. */}
      <p className="min-h-5 text-sm text-ink-soft">{slow && t.slow}</p>
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
