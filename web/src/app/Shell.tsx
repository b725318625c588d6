import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link, Outlet, useLocation } from "@tanstack/react-router";
import { CloudUpload, Gauge, Inbox, LibraryBig, LogOut, Moon, Search, Sun, UserRound, UsersRound, WifiOff } from "lucide-react";
import { lazy, Suspense, useEffect, useRef, useState } from "react";
import { buttonClass, IconButton } from "@/components/Button";
import { Logo } from "@/components/Logo";
import { Menu, menuItemClass } from "@/components/Menu";
import { SearchBox } from "@/features/search/SearchBox";
import { UploadsProvider } from "@/features/upload/uploads-context";
import { UploadTray } from "@/features/upload/UploadTray";
import { meQuery } from "@/lib/api/queries";
import { mayOperate, nameOf, type Me } from "@/lib/api/types";
import { connectLive } from "@/lib/live";
import { useServices } from "@/lib/services";
import { signOut } from "@/lib/session";
import { setTheme, useThemeChoice } from "@/lib/theme";
import { messages } from "./messages";

// Asked once in a person's life, if at all.
const AskRole = lazy(async () => ({ default: (await import("@/features/auth/AskRole")).AskRole }));

/** The frame around every page of a signed-in person. The route has loaded the profile before this renders. */
export function Shell() {
  const { api } = useServices();
  const me = useQuery(meQuery(api)).data;
  if (!me) return null;
  return (
    <UploadsProvider key={me.user_id} userId={me.user_id}>
      <Frame me={me} />
    </UploadsProvider>
  );
}

function Frame({ me }: { me: Me }) {
  const t = messages.use();
  const { config } = useServices();
  const connected = useLive();
  const { pathname } = useLocation();
  const main = useRef<HTMLElement>(null);
  const shown = useRef(pathname);
  useEffect(() => {
    // The link that led here is gone with its page: the keyboard goes on from the new page, not from the top.
    if (shown.current !== pathname && document.activeElement === document.body) main.current?.focus({ preventScroll: true });
    shown.current = pathname;
  }, [pathname]);
  return (
    <div className="flex min-h-dvh flex-col">
      <a href="#content" className="sr-only z-50 rounded-lg bg-raised px-4 py-2 focus:not-sr-only focus:fixed focus:top-3 focus:left-3">
        {t.skip}
      </a>
      <header className="sticky top-0 z-30 border-b border-line bg-canvas/85 backdrop-blur-md supports-[not(backdrop-filter:blur(1px))]:bg-canvas">
        <div className="mx-auto flex h-15 w-full max-w-7xl items-center gap-2 px-4 sm:gap-3 sm:px-6">
          <Link to="/library" aria-label="Heimdex" className="flex shrink-0 items-center gap-2.5 rounded-lg">
            <Logo />
            <span className="hidden text-[17px] font-semibold tracking-tight md:inline">Heimdex</span>
          </Link>
          <nav aria-label={t.nav} className="ml-2 hidden items-center gap-0.5 sm:flex">
            <NavLink to="/library" label={t.library} />
            {config.features.faces && <NavLink to="/people" label={t.people} />}
          </nav>
          <div className="min-w-0 flex-1 sm:mx-3 sm:max-w-xl">
            <SearchBox />
          </div>
          <div className="ml-auto flex items-center gap-1 sm:gap-2">
            <div className="hidden items-center gap-2 sm:flex">
              <Link to="/upload" className={buttonClass("plain")}>
                <CloudUpload aria-hidden="true" />
                <span className="sr-only md:not-sr-only">{t.upload}</span>
              </Link>
              <ThemeToggle />
            </div>
            <AccountMenu me={me} />
          </div>
        </div>
      </header>
      {!connected && (
        <p role="status" className="flex items-center justify-center gap-2 bg-warn-wash px-4 py-2 text-center text-[13px] text-ink">
          <WifiOff className="size-4 shrink-0 text-warn" aria-hidden="true" />
          {t.offline}
        </p>
      )}
      <main ref={main} id="content" tabIndex={-1} className="flex-1 pb-24 outline-none sm:pb-12">
        <Outlet />
      </main>
      <nav aria-label={t.nav} className="fixed inset-x-0 bottom-0 z-30 grid auto-cols-fr grid-flow-col border-t border-line bg-surface pb-[env(safe-area-inset-bottom)] sm:hidden">
        {(
          [
            ["/library", t.library, LibraryBig],
            ["/search", t.search, Search],
            ...(config.features.faces ? ([["/people", t.people, UsersRound]] as const) : []),
            ["/upload", t.upload, CloudUpload],
            ["/profile", t.profile, UserRound],
          ] as const
        ).map(([to, label, Icon]) => (
          <Link
            key={to}
            to={to}
            className="grid h-15 content-center justify-items-center gap-1 text-[11px] font-medium text-ink-soft outline-offset-[-3px] data-[status=active]:text-accent"
          >
            <Icon className="size-5" aria-hidden="true" />
            {label}
          </Link>
        ))}
      </nav>
      {!pathname.endsWith("/upload") && <UploadTray />}
      {!me.role_chosen && (
        <Suspense fallback={null}>
          <AskRole me={me} />
        </Suspense>
      )}
    </div>
  );
}

function NavLink({ to, label }: { to: "/library" | "/people"; label: string }) {
  return (
    <Link to={to} className="rounded-lg px-3 py-2 text-sm font-medium text-ink-soft hover:bg-sunken hover:text-ink data-[status=active]:text-ink">
      {label}
    </Link>
  );
}

function ThemeToggle() {
  const t = messages.use();
  useThemeChoice();
  const dark = document.documentElement.dataset.theme === "dark";
  return (
    <IconButton label={t.theme} onClick={() => setTheme(dark ? "light" : "dark")}>
      {dark ? <Sun /> : <Moon />}
    </IconButton>
  );
}

function AccountMenu({ me }: { me: Me }) {
  const t = messages.use();
  const { supabase, config } = useServices();
  const name = nameOf(me);
  const initials = name
    .split(/\s+/)
    .map((part) => [...part][0] ?? "")
    .filter((_, index, all) => index === 0 || index === all.length - 1)
    .join("")
    .toUpperCase();
  return (
    <Menu
      buttonClassName="flex items-center gap-2.5 rounded-full p-1 hover:bg-sunken lg:pr-3"
      button={
        <>
          <span aria-hidden="true" className="grid size-8 place-items-center rounded-full bg-accent text-xs font-semibold text-on-accent">
            {initials || "·"}
          </span>
          <span className="sr-only">{t.account}: </span>
          <span data-testid="me" className="sr-only text-sm font-medium lg:not-sr-only lg:max-w-40 lg:truncate">
            {name}
          </span>
        </>
      }
    >
      <div className="border-b border-line px-3 pt-1.5 pb-2.5">
        <p className="truncate text-sm font-semibold">{name}</p>
        <p className="truncate text-[13px] text-ink-faint">{me.email}</p>
      </div>
      <div className="pt-1.5">
        {/* On narrow screens this is the way there. */}
        {config.features.faces && (
          <Link to="/people" className={menuItemClass}>
            <UsersRound aria-hidden="true" />
            {t.people}
          </Link>
        )}
        <Link to="/profile" className={menuItemClass}>
          <UserRound aria-hidden="true" />
          {t.profile}
        </Link>
        {mayOperate(me) && (
          <Link to="/operator" className={menuItemClass}>
            <Gauge aria-hidden="true" />
            {t.operator}
          </Link>
        )}
        {config.features.local_outbox && (
          <Link to="/outbox" className={menuItemClass}>
            <Inbox aria-hidden="true" />
            {t.outbox}
          </Link>
        )}
        <button type="button" className={menuItemClass} onClick={() => void signOut(supabase, "local")}>
          <LogOut aria-hidden="true" />
          {t.signOut}
        </button>
      </div>
    </Menu>
  );
}

/** One stream of changes for all pages. A short break is nobody's concern; a longer one is said. */
function useLive(): boolean {
  const { api } = useServices();
  const client = useQueryClient();
  const [connected, setConnected] = useState(true);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const stop = connectLive(api, client, (up) => {
      if (up) {
        clearTimeout(timer);
        timer = undefined;
        setConnected(true);
      } else {
        // From the first loss on: each failed try reports again and must not put it off.
        timer ??= setTimeout(() => setConnected(false), 4000);
      }
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [api, client]);
  return connected;
}
